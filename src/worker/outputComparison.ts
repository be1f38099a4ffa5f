import type { ComparedOutputs, OutputError } from '../core/compress/report';
import { ModelError } from '../core/onnx/modelError';
import { toActivation } from './activations/activation';
import { countDecisions } from './countDecisions';
import type { RuntimeTensor } from './runtime';

/** Sums up how far the outputs of two models are apart, run by run. */
export interface OutputComparison {
  /**
   * Outputs of one run on the same input, which held this many samples. Refuses outputs of other names or sizes, and values
   * that are not finite where the original's are.
   */
  add(
    expected: ReadonlyMap<string, RuntimeTensor>,
    actual: ReadonlyMap<string, RuntimeTensor>,
    samples: number,
  ): void;
  /**
   * All floating-point outputs taken as one vector, or, where there are none, all numeric ones. What the original itself
   * computes as NaN or infinite is left out, and counted. Refuses where nothing is left.
   */
  result(): ComparedOutputs;
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
  const decisions = countDecisions();
  return {
    add(expected, actual, samples) {
      const hasFloats = [...expected.values()].some(isFloat);
      for (const [name, tensor] of expected) {
        const other = actual.get(name);
        if (!other || other.data.length !== tensor.data.length) {
          throw new ModelError(
            'verification-failed',
            `${path} gives other outputs than the original: "${name}" is ${other ? other.dims.join(' × ') : 'missing'}.`,
          );
        }
        if (tensor.type === 'string' || (hasFloats && !isFloat(tensor))) continue;
        const [a, b] = [valuesOf(tensor), valuesOf(other)];
        for (let i = 0; i < a.data.length; i++) {
          const x = a.data[i]!;
          const y = b.data[i]!;
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
        if (hasFloats) decisions.add(name, a, b.data, samples);
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
      const made = decisions.result();
      return {
        outputError: {
          relative: norm === 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm),
          cosine: product === 0 ? (norm === otherNorm ? 1 : 0) : dot / product,
          max,
          ...(notFinite > 0 ? { notFinite } : {}),
        },
        ...(made ? { decisions: made } : {}),
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
  comparison.add(expected, actual, 1);
  return comparison.result().outputError;
}

function isFloat({ type }: RuntimeTensor): boolean {
  return type === 'float32' || type === 'float64' || type === 'float16';
}

/** Halves arrive as bit patterns where JavaScript has no array of them; whole numbers may be larger than singles tell apart. */
function valuesOf(tensor: RuntimeTensor): {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
} {
  const { type, data, dims } = tensor;
  if (data instanceof Float32Array || data instanceof Float64Array) return { dims, data };
  if (type === 'float16') return toActivation(tensor)!;
  return { dims, data: Float64Array.from({ length: data.length }, (_, i) => Number(data[i])) };
}
