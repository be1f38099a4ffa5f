import type { LayerOptions, Pick } from '../makePlan';
import { DEFAULT_SENSITIVITY, feltError, SENSITIVITIES } from './sensitivity';

/**
 * The relative error ‖y − ŷ‖ / ‖y‖ of a model's output, estimated from the weights alone: e = √(1 − Π (1 − f_l²)^w_l)
 * over the layers, f_l their felt errors and w_l the weights of the rule `signal`, whose sum of losses is
 * −log(1 − e²). null where a layer is cut of whose weight nothing is known.
 *
 * It says which of two plans of a model loses more, not how much is lost: where singular values fall slowly it is several
 * times too high. On the VGG of the sample (10,000 test images), planned for fewer MACs and fewer parameters:
 *
 *                   2 / 3 / 5× MACs       3 / 5× parameters
 *     estimated     54 / 71 / 87 %        38 / 56 %
 *     measured      10 / 16 / 31 %         6 / 15 %
 *
 * @param picks one per layer; undefined: it stays as it is
 */
export function outputErrorOf(
  options: readonly LayerOptions[],
  picks: readonly (Pick | undefined)[],
): number | null {
  const last = Math.max(1, options.length - 1);
  let loss = 0;
  for (const [i, { layer }] of options.entries()) {
    const pick = picks[i];
    if (!pick) continue;
    const { choice, ranks } = pick;
    const [first] = choice.known;
    if (!first) return null;
    const energy = first.total;
    const error = energy === 0 ? 0 : Math.min(1, choice.candidate.error(choice.known, ranks) / energy);
    const felt = feltError(choice.candidate, choice.known)(ranks, error);
    loss += SENSITIVITIES[DEFAULT_SENSITIVITY]({ layer, energy, position: i / last })(error, felt);
  }
  return Math.sqrt(-Math.expm1(-loss));
}

/** The sum of losses at which the estimated output error is `error`, 0 ≤ error < 1. */
export function lossOf(error: number): number {
  return -Math.log1p(-(error ** 2));
}
