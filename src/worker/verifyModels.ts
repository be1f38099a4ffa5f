import type { OutputError } from '../core/compress/report';
import { fromFloat16 } from '../core/onnx/halfFloat';
import { ModelError } from '../core/onnx/modelError';
import { compareSpeed } from './latency/compareSpeed';
import type { ModelInputs } from './modelInputs';
import { engineName } from './parts/engineName';
import type { Runtime, RuntimeTensor } from './runtime';

/** A model for the runtime. */
export interface RunnableModel {
  readonly path: string;
  readonly externalFiles: readonly string[];
  /** The model, where it is not (only) in a file. */
  readonly bytes?: Uint8Array;
}

/** Two models run on the same inputs. */
export interface Comparison {
  readonly outputError: OutputError;
  /** Median milliseconds of one inference, the two models taking turns. */
  readonly originalMs: number;
  readonly compressedMs: number;
  /** Whether the compressed model is slower beyond doubt (`compareSpeed`). */
  readonly isSlower: boolean;
  /** What ran them, and how (`engineName`). */
  readonly engine: string;
}

/** Runs both models on the same inputs, compares their outputs, and times them in turn. */
export async function verifyModels(
  runtime: Runtime,
  original: RunnableModel,
  compressed: RunnableModel,
  inputs: ModelInputs,
  signal?: AbortSignal,
  onProgress: (done: number) => void = () => {},
): Promise<Comparison> {
  const first = await runtime.open(original.path, original.externalFiles, original.bytes);
  try {
    const second = await runtime.open(compressed.path, compressed.externalFiles, compressed.bytes);
    try {
      signal?.throwIfAborted();
      onProgress(0.2);
      // The first run of each gives the outputs and warms it up.
      const expected = await first.run(inputs.tensors);
      onProgress(0.4);
      signal?.throwIfAborted();
      const outputError = compareOutputs(expected, await second.run(inputs.tensors), compressed.path);
      onProgress(0.6);
      const { firstMs, secondMs, isSlower } = await compareSpeed(
        [first, second],
        [
          () => runtime.open(original.path, original.externalFiles, original.bytes),
          () => runtime.open(compressed.path, compressed.externalFiles, compressed.bytes),
        ],
        inputs.tensors,
        signal,
        (done) => onProgress(0.6 + 0.4 * done),
      );
      const engine = engineName(runtime, [first, second]);
      return { outputError, originalMs: firstMs, compressedMs: secondMs, isSlower, engine };
    } finally {
      await second.release();
    }
  } finally {
    await first.release();
  }
}

/** Sums up how far the outputs of two models are apart, run by run. */
export interface OutputComparison {
  /**
   * Outputs of one run on the same input. Refuses outputs of other names or sizes, and values that are not finite where
   * the original's are.
   */
  add(expected: ReadonlyMap<string, RuntimeTensor>, actual: ReadonlyMap<string, RuntimeTensor>): void;
  /** All floating-point outputs taken as one vector, or, where there are none, all numeric ones. */
  result(): OutputError;
}

/** Compares outputs; `path` names the model that is held against the original. */
export function outputComparison(path: string): OutputComparison {
  let difference = 0;
  let norm = 0;
  let otherNorm = 0;
  let dot = 0;
  let max = 0;
  let compared = 0;
  let notFinite = 0;
  return {
    add(expected, actual) {
      const hasFloats = [...expected.values()].some(isFloat);
      for (const [name, a] of expected) {
        const b = actual.get(name);
        if (!b || b.data.length !== a.data.length) {
          throw new ModelError(
            'verification-failed',
            `${path} gives other outputs than the original: "${name}" is ${b ? b.dims.join(' × ') : 'missing'}.`,
          );
        }
        if (a.type === 'string' || (hasFloats && !isFloat(a))) continue;
        for (let i = 0; i < a.data.length; i++) {
          const x = valueAt(a, i);
          const y = valueAt(b, i);
          if (!Number.isFinite(x)) {
            notFinite++;
            continue;
          }
          if (!Number.isFinite(y)) {
            throw new ModelError(
              'verification-failed',
              `${path} computes ${y} in its output "${name}", where the original computes ${x}.`,
            );
          }
          compared++;
          difference += (x - y) ** 2;
          norm += x * x;
          otherNorm += y * y;
          dot += x * y;
          max = Math.max(max, Math.abs(x - y));
        }
      }
    },
    result() {
      if (compared === 0) {
        throw new ModelError(
          'verification-failed',
          notFinite > 0
            ? `${path} can't be compared: on its input the original computes nothing but NaN and infinity.`
            : `${path} has no numeric output that could be compared.`,
        );
      }
      const product = Math.sqrt(norm * otherNorm);
      return {
        relative: norm === 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm),
        cosine: product === 0 ? (norm === otherNorm ? 1 : 0) : dot / product,
        max,
      };
    },
  };
}

/** The comparison of a single run. */
export function compareOutputs(
  expected: ReadonlyMap<string, RuntimeTensor>,
  actual: ReadonlyMap<string, RuntimeTensor>,
  path: string,
): OutputError {
  const comparison = outputComparison(path);
  comparison.add(expected, actual);
  return comparison.result();
}

function isFloat({ type }: RuntimeTensor): boolean {
  return type === 'float32' || type === 'float64' || type === 'float16';
}

/** Halves arrive as bit patterns where JavaScript has no array of them. */
function valueAt({ type, data }: RuntimeTensor, i: number): number {
  return type === 'float16' && data instanceof Uint16Array ? fromFloat16(data[i]!) : Number(data[i]);
}
