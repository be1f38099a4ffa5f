import type { Linalg } from '../../tensor/linalg';
import type { Numbers } from '../../tensor/matrix';
import { assess, type CalibratedFactors } from './factorCalibrated';
import type { LayerRegressions } from './layerRegressions';
import { weightOfPatches } from './patchWeights';

/** A layer left dense, refitted. */
export interface Refitted<T extends Numbers> extends Omit<CalibratedFactors<T>, 'factors'> {
  /** In the layout of the layer's weight. */
  readonly weight: T;
}

/**
 * The weight of full rank for the inputs that the compressed model gives a layer: W* = (R + λW)(Σ + λI)⁻¹ with
 * b* = ȳ − W*x̄ (the asymmetric fit of Zhang et al. 2015, §3.3, without a cut). Where inputs are those of the
 * original model it is the weight itself. `round` and errors are as in `factorCalibrated`.
 */
export function refit<T extends Numbers>(
  linalg: Linalg,
  weight: T,
  { form, groups }: LayerRegressions,
  round: (weight: T) => T,
): Refitted<T> {
  const best = weightOfPatches(
    form,
    groups.map((group) => group.best),
    weight,
  );
  const rounded = round(best);
  return { weight: rounded, ...assess(linalg, weight, rounded, { form, groups }) };
}
