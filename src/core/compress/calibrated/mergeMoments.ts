import { type Matrix, matrix } from '../../tensor/matrix';
import type { Moments } from './moments';

/**
 * The moments of two sets of samples together, from those of each: C = (n₁C₁ + n₂C₂) / n + n₁n₂ / n² · δδᵀ with δ the
 * difference of the means (Chan, Golub & LeVeque 1983, §2). For accumulators that ran side by side. Both are of
 * the same sizes, and with or without outputs alike.
 */
export function mergeMoments<M extends Moments>(a: M, b: M): M;
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.kind !== b.kind || a.mean.length !== b.mean.length)
    throw new RangeError('Only moments of the same inputs and outputs can be merged.');
  const share = b.count / (a.count + b.count);
  const step = difference(a.mean, b.mean);
  const inputs = {
    count: a.count + b.count,
    mean: a.mean.map((value, i) => value + share * step[i]!),
    covariance: mergedCovariance(a.covariance, b.covariance, share, step, step),
  };
  if (a.kind === 'inputs' || b.kind === 'inputs') return { kind: 'inputs', ...inputs };
  const outputStep = difference(a.outputMean, b.outputMean);
  return {
    kind: 'pairs',
    ...inputs,
    outputMean: a.outputMean.map((value, i) => value + share * outputStep[i]!),
    outputVariance: a.outputVariance.map(
      (value, i) =>
        value + share * (b.outputVariance[i]! - value) + share * (1 - share) * outputStep[i]! ** 2,
    ),
    cross: mergedCovariance(a.cross, b.cross, share, outputStep, step),
  };
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return b.map((value, i) => value - a[i]!);
}

function mergedCovariance(
  { rows, cols, data }: Matrix<Float64Array>,
  { data: other }: Matrix<Float64Array>,
  share: number,
  stepA: Float64Array,
  stepB: Float64Array,
): Matrix<Float64Array> {
  const merged = new Float64Array(rows * cols);
  for (let i = 0, at = 0; i < rows; i++) {
    const apart = share * (1 - share) * stepA[i]!;
    for (let j = 0; j < cols; j++, at++)
      merged[at] = data[at]! + share * (other[at]! - data[at]!) + apart * stepB[j]!;
  }
  return matrix(rows, cols, merged);
}
