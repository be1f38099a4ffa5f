import { type Matrix, matrix } from '../../tensor/matrix';
import { sumOfSquares } from '../../tensor/tensorScale';
import type { Regression } from './regression';

/**
 * The same regression with output i scaled by √wᵢ, for outputs that do not count alike: factors that minimise its
 * plain error minimise Σ wᵢ E(yᵢ − ŷᵢ)², and {@link unscaleOutputs} brings them back. Itself where all outputs count
 * alike. With the diagonal of the Fisher information as weights it is the error's effect on the model's output, to
 * second order (as in Hassibi & Stork 1993, for the outputs of a layer instead of its weights).
 */
export function scaleOutputs(regression: Regression): Regression {
  const { outputWeights, weight, best, cross, explained, variances, lambda } = regression;
  if (!outputWeights) return regression;
  const roots = outputWeights.map(Math.sqrt);
  const rows = (m: Matrix<Float64Array>) =>
    matrix(
      m.rows,
      m.cols,
      m.data.map((value, at) => value * roots[Math.floor(at / m.cols)]!),
    );
  const scaled = rows(weight);
  const variance = variances.reduce((sum, value, i) => sum + outputWeights[i]! * value, 0);
  const both = rows(explained);
  both.data.forEach((value, at) => {
    both.data[at] = value * roots[at % both.cols]!;
  });
  return {
    ...regression,
    weight: scaled,
    best: rows(best),
    cross: rows(cross),
    explained: both,
    variance,
    total: variance + lambda * sumOfSquares(scaled.data),
  };
}

/** Rows over the scaled outputs, as rows over the outputs themselves: in place. */
export function unscaleOutputs({ outputWeights }: Regression, { cols, data }: Matrix<Float64Array>): void {
  if (!outputWeights) return;
  for (let at = 0; at < data.length; at++) data[at] = data[at]! / Math.sqrt(outputWeights[at % cols]!);
}
