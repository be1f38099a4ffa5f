import type { Candidate, Ranks } from '../method';
import type { Spectrum } from '../spectrum';

/** What the ranks of a layer shall cost least in. */
export type Measure = 'parameters' | 'macs';

/**
 * The cheapest ranks whose predicted relative error ‖W − Ŵ‖ / ‖W‖ is at most `error`. The same as keeping the share
 * 1 − error² of the weight's energy (`pickByEnergy`). For a zero weight the lowest ranks there are.
 *
 * @param known one spectrum per series of the candidate
 * @param error at least 0; predicted, so an upper bound where the method's prediction is one (`Prediction.error`), and
 *   stretched for several ranks beyond √½, as `byTails` says
 * @param measure where MACs are not known, parameters take their place
 * @returns undefined if no ranks come that close; whether they save anything is another question (`saves`)
 */
export function ranksOfError(
  candidate: Candidate,
  known: readonly Spectrum[],
  error: number,
  measure: Measure = 'parameters',
): Ranks | undefined {
  return candidate.within(known, error ** 2 * known[0]!.total, (ranks) => {
    const cost = candidate.cost(ranks);
    return cost[measure] ?? cost.parameters;
  });
}
