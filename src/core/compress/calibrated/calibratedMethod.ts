import type { Linalg, OnProgress } from '../../tensor/linalg';
import type { MethodId, Ranks } from '../method';
import type { Spectrum } from '../spectrum';
import { inputMethod } from './inputMethod';
import { outputMethod } from './outputMethod';
import type { CalibratedForm } from './patchWeights';
import type { RankTable } from './rankTable';
import type { Regression } from './regression';
import { tuckerMethod } from './tuckerMethod';

/**
 * A decomposition in the norm of the data instead of that of the weights: for the layers, at the ranks and in the
 * layouts of the {@link MethodId}'s own candidate, whose nodes carry these factors as well. There is one
 * regression per group. Throws LinalgErrors.
 */
export interface CalibratedMethod {
  /** The errors of all ranks, from one factorisation. */
  measure(linalg: Linalg, regressions: readonly Regression[], onProgress?: OnProgress): Measured;
  /** The factors as written, in the order they are applied, in double. */
  factor(
    linalg: Linalg,
    regressions: readonly Regression[],
    ranks: Ranks,
    onProgress?: OnProgress,
  ): readonly Float64Array[];
}

/**
 * Predicted errors, summed over the groups: of the ridge's objective E|y − ŷ|² + λ‖Ŵ − W‖², with the bias corrected,
 * and in the metric of the outputs where they are weighed. Relative to `total` (tr Cov(y) + λ‖W‖²), which is the error
 * of rank 0, they are output errors, squared; with λ as what the samples don't tell of the inputs' variance. They fall
 * with every rank, and do not flatter where samples are few. Spectra stand in for those of the weight in the
 * candidate's own prediction.
 *
 * At the same error, methods do not cost a model the same: on a small VGG, a basis of the inputs moved the model's
 * output 1.5 to 7 times as far as one of the outputs did. What an error does to a model is to be measured per method.
 */
export interface Measured {
  readonly spectra: readonly Spectrum[];
  /** Of methods with two ranks: the errors of pairs of ranks, which the spectra only bound. */
  readonly table?: RankTable;
}

/** The methods that the norm of the data is known for, on these layers; undefined for others. */
export function calibratedMethod(
  form: CalibratedForm,
  method: MethodId,
  /** Of `spatial`: the axis of the kernel that the first of the two convolutions acts on. */
  firstAxis: 0 | 1 = 0,
): CalibratedMethod | undefined {
  if (form.kind === 'matmul') return method === 'svd' ? outputMethod(form) : undefined;
  const isPoint = form.kernel.every((extent) => extent === 1);
  switch (method) {
    case 'svd':
      return isPoint ? outputMethod(form) : undefined;
    case 'channel':
      return isPoint ? undefined : outputMethod(form);
    case 'input-channel':
      return isPoint ? undefined : inputMethod(form);
    case 'spatial':
      return form.kernel.length === 2 && !isPoint ? inputMethod(form, firstAxis) : undefined;
    case 'tucker2':
      return isPoint ? undefined : tuckerMethod(form);
    default:
      return undefined;
  }
}
