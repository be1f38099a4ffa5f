import type { CostMeasure } from './budget/measure';
import { ladder } from './budget/options';
import { SENSITIVITIES } from './budget/sensitivity';
import type { FormedLayer } from './layer';
import type { Candidate } from './method';
import type { MethodOffer } from './planReview';
import { settingOf } from './reviewPlan';
import type { Spectrum } from './spectrum';

/**
 * What a method could do for a layer at no more than a share of what the layer costs now: the setting that loses least.
 *
 * @param share 0 < share < 1
 */
export function offerOf(
  layer: FormedLayer,
  candidate: Candidate,
  known: readonly Spectrum[],
  {
    measure,
    share,
    multiple,
  }: { readonly measure: CostMeasure; readonly share: number; readonly multiple: number },
): MethodOffer {
  const { method, rankNames } = candidate;
  for (let block = multiple; ; block >>= 1) {
    const settings = { measure, sensitivity: SENSITIVITIES.uniform, block };
    const made = ladder({ layer, choices: [{ candidate, known }] }, 0, settings);
    if (!made) return { kind: 'refused', method, reason: 'What it costs is not known.' };
    const fits = made.rungs.findLast(({ pick, cost }) => pick && cost <= share * made.dense);
    if (fits?.pick)
      return {
        kind: 'fits',
        method,
        rankNames,
        setting: settingOf(layer, candidate, fits.pick.ranks, known),
      };
    if (block <= 1)
      return { kind: 'refused', method, reason: 'Even its lowest ranks cost more than this budget.' };
  }
}
