import type { Matrix } from '../../tensor/matrix';

/**
 * What calibration has seen of the inputs p of one group of a layer. p is what the weight's rows multiply: the patch
 * `[in, …kernel]` under the kernel, zeros of the padding included, or the input vector of a matrix. Moments are those
 * of the samples themselves (divided by n, not n − 1).
 */
export interface InputMoments {
  readonly kind: 'inputs';
  /** Samples: positions of the output times images. */
  readonly count: number;
  /** E p, of length d. */
  readonly mean: Float64Array;
  /** Σ = Cov(p), d × d, symmetric. */
  readonly covariance: Matrix<Float64Array>;
}

/**
 * The same, with the outputs y that the layer shall give: p from the model as it is compressed so far, y from the
 * original (asymmetric; Zhang et al. 2015, §3.3). `y` is W · p + b, before an activation; for the last layer of a
 * residual branch with what its shortcut has lost added, so that the sum behind it is made up for, too.
 */
export interface PairMoments extends Omit<InputMoments, 'kind'> {
  readonly kind: 'pairs';
  /** E y, of length S. */
  readonly outputMean: Float64Array;
  /** Var y of each output. */
  readonly outputVariance: Float64Array;
  /** R = Cov(y, p), S × d. */
  readonly cross: Matrix<Float64Array>;
}

/** Of inputs alone where the outputs follow from them: y = W · p + b in the original model. */
export type Moments = InputMoments | PairMoments;

/** Why calibration data can't guide the factoring of a layer, as a sentence; its weights alone still can. */
export interface Unusable {
  readonly kind: 'unusable';
  readonly reason: string;
}

export function unusable(reason: string): Unusable {
  return { kind: 'unusable', reason };
}
