import type { Linalg, OnProgress } from '../../tensor/linalg';
import { type Numbers, zerosLike } from '../../tensor/matrix';
import { squaredDistance, sumOfSquares } from '../../tensor/tensorScale';
import type { Factored } from '../factor';
import type { Candidate, Ranks } from '../method';
import type { CalibratedMethod } from './calibratedMethod';
import type { LayerRegressions } from './layerRegressions';
import { correctedBias, residualVariance } from './outputError';
import { patchWeights } from './patchWeights';

/** What factoring a weight with calibration data gives. */
export interface CalibratedFactors<T extends Numbers> extends Factored<T> {
  /** The bias that belongs to the factors as written, of all groups; to be added to what the last of them gives. */
  readonly bias: Float64Array;
  /**
   * √(E|y − ŷ|² / E|y − ȳ|²) over the samples, of the factors as written with this bias: y is the output the layer is to
   * give, ŷ what it gives.
   */
  readonly outputError: number;
}

/**
 * Factors a weight in the norm of the data, into what the candidate's own nodes take. As in `factorWeight` errors are
 * those of the factors after `round`, which puts them through the model's element type; the bias makes up for
 * rounding, too. Throws LinalgErrors.
 */
export function factorCalibrated<T extends Numbers>(
  linalg: Linalg,
  weight: T,
  { form, groups }: LayerRegressions,
  { candidate, method }: { readonly candidate: Candidate; readonly method: CalibratedMethod },
  ranks: Ranks,
  round: (factor: T) => T,
  onProgress: OnProgress = () => {},
): CalibratedFactors<T> {
  const factors = method.factor(linalg, groups, ranks, onProgress).map((factor) => {
    const inPrecision = zerosLike(weight, factor.length);
    inPrecision.set(factor);
    return round(inPrecision);
  });
  return { factors, ...assess(linalg, weight, candidate.expand(linalg, factors, ranks), { form, groups }) };
}

/** The bias and the errors of a weight in the place of another. */
export function assess<T extends Numbers>(
  linalg: Linalg,
  weight: T,
  approximation: T,
  { form, groups }: Pick<LayerRegressions, 'form' | 'groups'>,
): Omit<CalibratedFactors<T>, 'factors'> {
  const matrices = patchWeights(form, approximation);
  const total = sumOfSquares(weight);
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const residual = sum(groups.map((group, i) => residualVariance(linalg, group, matrices[i]!)));
  const variance = sum(groups.map((group) => group.variance));
  const biases = groups.map((group, i) => correctedBias(group, matrices[i]!));
  return {
    bias: Float64Array.from(biases.flatMap((bias) => Array.from(bias))),
    weightError: total === 0 ? 0 : Math.sqrt(squaredDistance(weight, approximation) / total),
    outputError: Math.sqrt(residual / variance),
  };
}
