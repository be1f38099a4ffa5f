import type { InferenceSession, Tensor as OrtTensor, TypedTensor } from 'onnxruntime-web';
import { formatBytes } from '../core/format';
import { ModelError } from '../core/onnx/modelError';
import { existsSync, readFileSync, statSync } from './platform/files';
import { type LoadedOrt, loadOrt } from './platform/ort';
import { dirname, join } from './platform/paths';

/** A tensor at the border of the runtime: plain arrays, ONNX's name for the element type. */
export interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
}

/** An inference session on one model. Release it. */
export interface RuntimeSession {
  readonly inputNames: readonly string[];
  run(inputs: ReadonlyMap<string, RuntimeTensor>): Promise<ReadonlyMap<string, RuntimeTensor>>;
  /** Milliseconds of one run, taken where it runs: handing tensors to the runtime and back does not count. */
  time(inputs: ReadonlyMap<string, RuntimeTensor>): Promise<number>;
  release(): Promise<void>;
}

/** ONNX Runtime: native where it is installed, WebAssembly everywhere else. */
export interface Runtime {
  /** For reports: "ONNX Runtime 1.30.0 (native CPU, 1 thread)". */
  readonly name: string;
  /**
   * Opens a model file; `externalFiles` are the data files it names, relative to its folder. With `bytes`, these are
   * the model, as if they stood at `path`.
   */
  open(path: string, externalFiles: readonly string[], bytes?: Uint8Array): Promise<RuntimeSession>;
}

/** A run of less is timed right after another one. */
const SHORT_MS = 2;

/** One thread, so that times of two models compare and machines differ less. */
const OPTIONS = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;

/**
 * Loads ONNX Runtime. `folder` holds the bundled onnxruntime-web; `native` false skips the native one.
 * Both libraries share one interface, so one implementation serves them.
 */
export function loadRuntime(folder: string, native = true): Runtime {
  return runtimeOf(loadOrt(folder, native));
}

function runtimeOf({ ort, name, readsFiles, ready }: LoadedOrt): Runtime {
  return {
    name,
    async open(path, externalFiles, bytes) {
      let session: InferenceSession;
      if (!readsFiles) refuseLarge(path, externalFiles, bytes);
      try {
        await ready();
        session = readsFiles
          ? bytes
            ? await ort.InferenceSession.create(bytes, { ...OPTIONS, ...dataIn(dirname(path)) })
            : await ort.InferenceSession.create(path, OPTIONS)
          : await ort.InferenceSession.create(bytes ?? readFileSync(path), {
              ...OPTIONS,
              executionProviders: ['wasm'],
              externalData: externalFiles.map((file) => ({
                path: file,
                data: readFileSync(join(dirname(path), file)),
              })),
            });
      } catch (error) {
        throw new ModelError('runtime-failed', `ONNX Runtime does not load ${path}: ${firstLine(error)}`);
      }
      const feedsOf = (inputs: ReadonlyMap<string, RuntimeTensor>) => {
        const feeds: Record<string, OrtTensor> = {};
        for (const [input, { type, dims, data }] of inputs) {
          feeds[input] = new ort.Tensor(
            type as 'float32',
            data as Float32Array,
            dims,
          ) as TypedTensor<'float32'>;
        }
        return feeds;
      };
      const runOn = async (feeds: Record<string, OrtTensor>) => {
        try {
          return await session.run(feeds);
        } catch (error) {
          throw new ModelError('runtime-failed', `ONNX Runtime does not run ${path}: ${firstLine(error)}`);
        }
      };
      return {
        inputNames: session.inputNames,
        async run(inputs) {
          const outputs = await runOn(feedsOf(inputs));
          return new Map(
            Object.entries(outputs).map(([key, t]) => [
              key,
              { type: t.type, dims: t.dims, data: t.data as Float32Array },
            ]),
          );
        },
        async time(inputs) {
          const feeds = feedsOf(inputs);
          const timed = async () => {
            const began = performance.now();
            await runOn(feeds);
            return performance.now() - began;
          };
          const ms = await timed();
          // What was asked for from elsewhere finds the processor's caches full of other things, which a short run feels.
          return ms < SHORT_MS ? timed() : ms;
        },
        release: () => session.release(),
      };
    },
  };
}

/** What a file that is read as a whole, and a model with all of its data in WebAssembly's memory, has to stay below. */
const TOO_LARGE = 2 ** 31;

/** WebAssembly has to hold all of a model at once. */
function refuseLarge(path: string, externalFiles: readonly string[], bytes: Uint8Array | undefined): void {
  let size = bytes?.length ?? sizeOf(path);
  for (const file of externalFiles) size += sizeOf(join(dirname(path), file));
  if (size < TOO_LARGE) return;
  throw new ModelError(
    'too-large',
    `${path} has ${formatBytes(size)} with its data files. ONNX Runtime for WebAssembly, which runs models here, takes less than 2 GiB; where the native one is installed, larger ones run.`,
  );
}

/** Of a file that is missing nothing is known: opening it says so. */
function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}

/** Tells the native runtime where a model that it gets as bytes has its data files. */
function dataIn(folder: string) {
  return { extra: { session: { model_external_initializers_file_folder_path: folder } } };
}

function firstLine(error: unknown): string {
  return String((error as Error).message ?? error).split('\n', 1)[0]!;
}
