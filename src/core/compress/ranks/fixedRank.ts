import { type Candidate, type Ranks, saves } from '../method';
import type { Spectrum } from '../spectrum';
import { leastError } from './leastError';

/**
 * The same rank in every layer ("rank 32 everywhere"): each rank of the method is `rank`, or the most there is. Where that
 * leaves a choice (of the number of groups), the one with the least predicted error among those that save anything.
 *
 * @param known one spectrum per series of the candidate; may be empty where there is no choice to make
 * @returns undefined if none saves parameters and MACs
 */
export function fixedRanks(
  candidate: Candidate,
  known: readonly Spectrum[],
  rank: number,
): Ranks | undefined {
  const options = candidate.ofRank(rank).filter((ranks) => saves(candidate, ranks));
  return leastError(candidate, known, options);
}
