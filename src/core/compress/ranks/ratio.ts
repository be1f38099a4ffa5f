import { type Candidate, type Ranks, saves } from '../method';
import type { Spectrum } from '../spectrum';
import { leastError } from './leastError';

/**
 * The same share of its parameters for every layer ("uniform ratio"): the largest rank, the same for all ranks of the
 * method or the most there is, whose factors have at most `share` of the dense weight's parameters and save
 * anything. Where that leaves a choice (of the number of groups), the one with the least predicted error.
 *
 * @param known one spectrum per series of the candidate; may be empty where there is no choice to make
 * @param share above 0, at most 1
 * @returns undefined if rank 1 is too much already
 */
export function ratioRanks(
  candidate: Candidate,
  known: readonly Spectrum[],
  share: number,
): Ranks | undefined {
  const { dense } = candidate;
  const fits = (ranks: Ranks) =>
    saves(candidate, ranks) && candidate.cost(ranks).parameters <= share * dense.parameters;
  const options = candidate.ofRank(1).flatMap((lowest, i) => {
    if (!fits(lowest)) return [];
    let low = 1;
    let high = Math.max(...candidate.fullRanks);
    // Cost grows with the rank: halve to the last that fits.
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (fits(candidate.ofRank(middle)[i]!)) low = middle;
      else high = middle - 1;
    }
    return [candidate.ofRank(low)[i]!];
  });
  return leastError(candidate, known, options);
}
