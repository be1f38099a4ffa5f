import { dot } from '../../tensor/dense';
import type { Linalg } from '../../tensor/linalg';
import { type Matrix, matrix } from '../../tensor/matrix';
import { imageOf, type Regression } from './regression';

/**
 * b̂ = ȳ − Ŵ · x̄: with it the mean of the outputs is right, which is where the objective is least over all biases
 * (Zhang et al. 2015, §3.1; Masana et al. 2017 for pruned neurons).
 */
export function correctedBias(
  { inputs, outputMean }: Regression,
  weight: Matrix<Float64Array>,
): Float64Array {
  const image = imageOf(weight, inputs.mean);
  return outputMean.map((value, i) => value - image[i]!);
}

/**
 * E|y − ŷ|² over the samples for ŷ = Ŵ · p + b̂ with the corrected bias: tr Cov(y) − 2 tr(ŴRᵀ) + tr(ŴΣŴᵀ), without the
 * ridge. Relative to tr Cov(y) it is the squared output error.
 */
export function residualVariance(
  linalg: Linalg,
  { weight, inputs, cross, lambda, variance }: Regression,
  approximation: Matrix<Float64Array>,
): number {
  if (inputs.kind === 'inputs') {
    // y is W · p + b: tr(ΔΣΔᵀ) loses no digits.
    const data = weight.data.map((value, i) => value - approximation.data[i]!);
    const difference = matrix(weight.rows, weight.cols, data);
    return Math.max(0, dot(linalg.multiply(difference, inputs.covariance).data, data));
  }
  const { data } = approximation;
  const explained = dot(data, cross.data) - lambda * dot(data, weight.data);
  const spread = dot(linalg.multiply(approximation, inputs.covariance).data, data);
  return Math.max(0, variance - 2 * explained + spread);
}
