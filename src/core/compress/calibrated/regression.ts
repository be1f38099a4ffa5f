import { counted } from '../../counted';
import { choleskyOrNothing } from '../../tensor/choleskyOrNothing';
import { dot } from '../../tensor/dense';
import { type Linalg, LinalgError, type OnProgress } from '../../tensor/linalg';
import { holdsFinite } from '../../tensor/linalgInput';
import { type Matrix, matrix } from '../../tensor/matrix';
import { transpose } from '../../tensor/transpose';
import { withRidge } from '../../tensor/withRidge';
import { type Explained, explainedOf, symmetrised } from './explained';
import type { InputMoments, Moments, PairMoments, Unusable } from './moments';
import { unusable } from './moments';
import { type OutputMetric, scaleOutputs } from './outputMetric';

/**
 * The best linear map from a group's inputs to its outputs, and what every factoring of it starts from. λ is the ridge;
 * all sums of squares are per sample.
 */
export interface Regression {
  readonly kind: 'regression';
  /** W, S × d: the layer as it is. */
  readonly weight: Matrix<Float64Array>;
  /** W* = (R + λW)(Σ + λI)⁻¹, S × d. */
  readonly best: Matrix<Float64Array>;
  /** x̄ and Σ, without the ridge. */
  readonly inputs: InputMoments | PairMoments;
  /** ȳ. */
  readonly outputMean: Float64Array;
  readonly lambda: number;
  /** R + λW, S × d. */
  readonly cross: Matrix<Float64Array>;
  /** (R + λW)(Σ + λI)⁻¹(R + λW)ᵀ, S × S: what W* explains, in the coordinates of y. */
  readonly explained: Explained;
  /** Var y of each output. */
  readonly variances: Float64Array;
  /** tr Cov(y). */
  readonly variance: number;
  /** tr Cov(y) + λ‖W‖²: what there is to explain, the ridge's share included. */
  readonly total: number;
  /** How much errors of the outputs count where ranks are cut; all alike without it. */
  readonly outputMetric?: OutputMetric;
  /** The same in the coordinates of that metric: see `scaleOutputs`. */
  readonly scaled?: Regression;
}

/** By what a regression is made. */
export interface RegressionOptions {
  /** b of y = W · p + b, of length S; zeros without it. Only asked for where outputs were not accumulated. */
  readonly bias?: Float64Array;
  /** λ as a share of the mean variance of the inputs, tr(Σ) / d. */
  readonly alpha?: number;
  /** Samples below which the moments say too little; a sixteenth of d by default, at least 16. */
  readonly leastSamples?: number;
  /**
   * How much errors of the outputs count; all alike without it. It decides what is cut, not how what is left is fitted.
   */
  readonly outputMetric?: OutputMetric | undefined;
  readonly onProgress?: OnProgress;
}

/** The ridge that kept most accuracy: W stays the answer where the samples say nothing. */
const ALPHA = 1e-2;
/** With less of a ridge, rounding decides in directions in which the inputs do not vary. */
const LEAST_ALPHA = 1e-10;
/** Beyond this ridge there would be little left of the data. */
const MOST_ALPHA = 1;
/** Below this share of the squared mean, variance is the rounding of single precision. */
const ROUNDING = 1e-14;

/**
 * Ridge regression towards the original weights (Hoerl & Kennard 1970, shrinking to W instead of to 0): minimises
 * E|y − ȳ − Ŵ(p − x̄)|² + λ‖Ŵ − W‖², so that with λ = α · tr(Σ) / d
 *
 *   W* = (R + λW)(Σ + λI)⁻¹.
 *
 * Where y = W · p + b that is W itself, and nothing is solved. Else by a Cholesky factorisation; where rounding leaves
 * Σ + λI indefinite, α is raised. Throws a LinalgError 'not-finite' where the weight is not.
 */
export function regress(
  linalg: Linalg,
  weight: Matrix<Float64Array>,
  moments: Moments,
  { bias, alpha = ALPHA, leastSamples, outputMetric, onProgress = () => {} }: RegressionOptions = {},
): Regression | Unusable {
  const { rows: outputs, cols: d } = weight;
  requireSizes(moments, outputs, d);
  if (outputMetric && outputMetric.lower.rows !== outputs)
    throw new RangeError(`${outputs} outputs do not have a metric of ${outputMetric.lower.rows}.`);
  const { count, covariance, mean } = moments;
  const needed = Math.max(2, leastSamples ?? Math.max(16, Math.ceil(d / 16)));
  if (count < needed)
    return unusable(
      `Calibration gives it ${counted(count, 'sample')} for inputs of length ${d}; it takes ${needed}.`,
    );
  const trace = traceOf(covariance);
  const energy = trace + mean.reduce((sum, value) => sum + value * value, 0);
  if (!Number.isFinite(energy) || !holdsFinite(covariance))
    return unusable('On the calibration data its inputs are not finite.');
  if (!(trace > ROUNDING * energy)) return unusable('Its inputs do not vary over the calibration data.');

  const share = Math.max(alpha, LEAST_ALPHA);
  let regression: Regression | undefined;
  try {
    regression =
      moments.kind === 'inputs'
        ? symmetric(linalg, weight, moments, (share * trace) / d, bias)
        : solved(linalg, weight, moments, share, trace / d, onProgress);
  } catch (error) {
    if (error instanceof LinalgError && error.code === 'out-of-memory') return unusable(error.message);
    throw error;
  }
  if (!regression) return unusable('The covariance of its inputs is too close to singular.');
  const { variance, best } = regression;
  if (!Number.isFinite(variance) || !holdsFinite(best))
    return unusable('On the calibration data its outputs are not finite.');
  if (!(variance > 0)) return unusable('Its outputs do not vary over the calibration data.');
  onProgress(1);
  if (!outputMetric) return regression;
  const own = { ...regression, outputMetric };
  return { ...own, scaled: scaleOutputs(linalg, own) };
}

/** y = W · p + b: R = WΣ, and W* = W. */
function symmetric(
  linalg: Linalg,
  weight: Matrix<Float64Array>,
  inputs: InputMoments,
  lambda: number,
  bias?: Float64Array,
): Regression {
  const exact = linalg.multiply(weight, inputs.covariance);
  const variances = variancesOf(exact, weight);
  const variance = sumOf(variances);
  const cross = plus(exact, lambda, weight);
  return {
    kind: 'regression',
    weight,
    best: weight,
    inputs,
    outputMean: imageOf(weight, inputs.mean).map((value, i) => value + (bias?.[i] ?? 0)),
    lambda,
    cross,
    explained: explainedBy(linalg, weight, inputs, lambda, cross),
    variances,
    variance,
    total: variance + lambda * dot(weight.data, weight.data),
  };
}

/** W(Σ + λI)Wᵀ, which is cross · Wᵀ. */
function explainedBy(
  linalg: Linalg,
  weight: Matrix<Float64Array>,
  { covariance }: InputMoments,
  lambda: number,
  cross: Matrix<Float64Array>,
): Explained {
  const lower = weight.rows > weight.cols && choleskyOrNothing(linalg, withRidge(covariance, lambda), true);
  return lower
    ? explainedOf(linalg, linalg.multiply(lower, weight, { transposeA: true, transposeB: true }))
    : symmetrised(linalg.multiply(cross, weight, { transposeB: true }));
}

/** The diagonal of A · Bᵀ, not below 0. */
function variancesOf(a: Matrix<Float64Array>, b: Matrix<Float64Array>): Float64Array {
  const row = ({ cols, data }: Matrix<Float64Array>, i: number) => data.subarray(i * cols, (i + 1) * cols);
  return Float64Array.from({ length: a.rows }, (_, i) => Math.max(0, dot(row(a, i), row(b, i))));
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function solved(
  linalg: Linalg,
  weight: Matrix<Float64Array>,
  inputs: PairMoments,
  alpha: number,
  meanVariance: number,
  onProgress: OnProgress,
): Regression | undefined {
  for (let share = alpha; share <= Math.max(alpha, MOST_ALPHA); share *= 100) {
    const lambda = share * meanVariance;
    const lower = choleskyOrNothing(linalg, withRidge(inputs.covariance, lambda), true);
    if (!lower) continue;
    onProgress(0.6);
    const cross = plus(inputs.cross, lambda, weight);
    const half = linalg.solveLower(lower, transpose(cross));
    onProgress(0.8);
    const variance = sumOf(inputs.outputVariance);
    return {
      kind: 'regression',
      weight,
      best: transpose(linalg.solveLower(lower, half, { transpose: true })),
      inputs,
      outputMean: inputs.outputMean,
      lambda,
      cross,
      explained: explainedOf(linalg, half),
      variances: inputs.outputVariance,
      variance,
      total: variance + lambda * dot(weight.data, weight.data),
    };
  }
  return undefined;
}

function traceOf({ rows, data }: Matrix<Float64Array>): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += data[i * (rows + 1)]!;
  return sum;
}

/** A + μB. */
function plus(a: Matrix<Float64Array>, mu: number, b: Matrix<Float64Array>): Matrix<Float64Array> {
  return matrix(
    a.rows,
    a.cols,
    a.data.map((value, i) => value + mu * b.data[i]!),
  );
}

function requireSizes(moments: Moments, outputs: number, d: number): void {
  const sizes =
    moments.kind === 'pairs'
      ? [moments.outputMean.length, moments.mean.length]
      : [outputs, moments.mean.length];
  if (sizes[0] !== outputs || sizes[1] !== d)
    throw new RangeError(`Moments of ${sizes.join(' × ')} do not belong to a weight of ${outputs} × ${d}.`);
}

/** W · x. */
export function imageOf({ rows, cols, data }: Matrix, x: Float64Array): Float64Array {
  const image = new Float64Array(rows);
  for (let i = 0, at = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < cols; j++, at++) sum += data[at]! * x[j]!;
    image[i] = sum;
  }
  return image;
}
