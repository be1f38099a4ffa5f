import type { InferenceSession, Tensor as OrtTensor, TypedTensor } from 'onnxruntime-web';
import { ModelError } from '../core/onnx/modelError';
import type { PartLimits } from '../core/onnx/parts/planParts';
import type { PartData } from '../core/onnx/parts/writePart';
import { openFile } from './fileSource';
import { readFileSync } from './platform/files';
import { type LoadedOrt, loadOrt } from './platform/ort';
import { dirname, join } from './platform/paths';
import { totalMemory } from './platform/processors';

/** A tensor at the border of the runtime: plain arrays, ONNX's name for the element type. */
export interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
}

/** An inference session on one model. Release it. */
export interface RuntimeSession {
  readonly inputNames: readonly string[];
  /** Where the model is too large for the runtime, and so runs part by part (`parts/partedSession.ts`). */
  readonly parted?: Parted;
  run(inputs: ReadonlyMap<string, RuntimeTensor>): Promise<ReadonlyMap<string, RuntimeTensor>>;
  /** Milliseconds of one run, taken where it runs: handing tensors to the runtime and back does not count. */
  time(inputs: ReadonlyMap<string, RuntimeTensor>): Promise<number>;
  release(): Promise<void>;
}

/** What is different about a model that runs part by part. */
export interface Parted {
  /** How many parts it has. */
  readonly count: number;
  /** How many runs like this one the tensors that wait between parts leave room for at once, as far as is known. */
  room(inputs: ReadonlyMap<string, RuntimeTensor>): number;
  /** Several runs, for which each part is loaded once. */
  runAll(
    inputs: readonly ReadonlyMap<string, RuntimeTensor>[],
  ): Promise<readonly ReadonlyMap<string, RuntimeTensor>[]>;
}

/** ONNX Runtime: native where it is installed, WebAssembly everywhere else. */
export interface Runtime {
  /** For reports: "ONNX Runtime 1.30.0 (native CPU, 1 thread)". */
  readonly name: string;
  /** What fits into its memory; missing: whatever it is. */
  readonly limits?: PartLimits | undefined;
  /**
   * Opens a model file; `externalFiles` are the data files it names, relative to its folder. With `bytes`, these are
   * the model, as if they stood at `path`. `data` are further data files: ranges of files.
   */
  open(
    path: string,
    externalFiles: readonly string[],
    bytes?: Uint8Array,
    data?: readonly PartData[],
  ): Promise<RuntimeSession>;
}

/** A run of less is timed right after another one. */
const SHORT_MS = 2;

const MIB = 2 ** 20;

/**
 * WebAssembly addresses 4 GiB. Of them a model takes three times its own size while it is loaded from one piece, weights in
 * data files twice (ONNX Runtime packs them anew), and two models are compared at a time.
 */
const WEB_LIMITS: PartLimits = { whole: 512 * MIB, part: 512 * MIB, largest: 1536 * MIB };

/** Two models at a time are not to push out everything else: each takes a sixth of the memory, or it runs in parts. */
function nativeLimits(): PartLimits {
  const whole = Math.max(1024 * MIB, totalMemory() / 6);
  return { whole, part: whole / 2, largest: Number.POSITIVE_INFINITY };
}

/** One thread, so that times of two models compare and machines differ less. */
const OPTIONS = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;

/**
 * Loads ONNX Runtime. `folder` holds the bundled onnxruntime-web; `native` false skips the native one.
 * Both libraries share one interface, so one implementation serves them.
 */
export function loadRuntime(folder: string, native = true): Runtime {
  return runtimeOf(loadOrt(folder, native));
}

function runtimeOf({ ort, name, readsFiles, ready, damage }: LoadedOrt): Runtime {
  return {
    name,
    limits: readsFiles ? nativeLimits() : WEB_LIMITS,
    async open(path, externalFiles, bytes, data = []) {
      let session: InferenceSession;
      try {
        await ready();
        session = readsFiles
          ? bytes
            ? await ort.InferenceSession.create(bytes, {
                ...OPTIONS,
                ...dataIn(dirname(path)),
                ...(data.length > 0 ? { externalData: data.map(readData) } : {}),
              })
            : await ort.InferenceSession.create(path, OPTIONS)
          : await ort.InferenceSession.create(bytes ?? readFileSync(path), {
              ...OPTIONS,
              executionProviders: ['wasm'],
              externalData: [
                ...externalFiles.map((file) => ({
                  path: file,
                  data: readFileSync(join(dirname(path), file)),
                })),
                ...data.map(readData),
              ],
            });
      } catch (error) {
        if (error instanceof ModelError) throw error;
        const lost = damage();
        if (lost) throw lost;
        throw new ModelError('runtime-failed', `ONNX Runtime does not load ${path}: ${whyNot(error)}`);
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

function readData({ name, file, offset, length }: PartData) {
  const source = openFile(file);
  try {
    return { path: name, data: source.read(offset, length) };
  } finally {
    source.close();
  }
}

/** Tells the native runtime where a model that it gets as bytes has its data files. */
function dataIn(folder: string) {
  return { extra: { session: { model_external_initializers_file_folder_path: folder } } };
}

/** What ONNX Runtime says where it has an operator, but not for these types. */
const NO_KERNEL = /Could not find an implementation for (\w+)\(\d+\) node with name '(.*)'/;

function whyNot(error: unknown): string {
  const said = firstLine(error);
  const [, op, node] = NO_KERNEL.exec(said) ?? [];
  return op === undefined
    ? said
    : `it has no ${op} for the element type that the node "${node}" computes in. Models in float run everywhere, those in bfloat16 hardly anywhere on processors.`;
}

function firstLine(error: unknown): string {
  return String((error as Error).message ?? error).split('\n', 1)[0]!;
}
