import type { Candidate, Ranks } from '../method';
import type { Spectrum } from '../spectrum';
import { unfoldedSize } from '../unfolding';
import { cutsOf, fitted } from './cuts';
import { type EvbmfOptions, evbmfRank } from './evbmf';

/** The ranks that EVBMF suggests for a method, or why it suggests none, as a sentence. */
export type EvbmfRanks =
  | { readonly kind: 'ranks'; readonly ranks: Ranks }
  | { readonly kind: 'none'; readonly reason: string };

/**
 * EVBMF for each unfolding that a rank of the method cuts (for Tucker-2: Kim et al. 2016, §3.2), raised where the ranks of
 * a tensor train bound each other. Says nothing of what they save.
 *
 * @param known one spectrum per series of the candidate
 */
export function evbmfRanks(
  candidate: Candidate,
  known: readonly Spectrum[],
  options: EvbmfOptions = {},
): EvbmfRanks {
  const cuts = cutsOf(candidate);
  if (!cuts) return { kind: 'none', reason: `The ranks of ${candidate.method} don't each cut one matrix.` };
  const ranks: number[] = [];
  for (const [i, unfolding] of cuts.entries()) {
    const { rows, cols } = unfoldedSize(unfolding);
    const found = evbmfRank(known[i]!, rows, cols, options);
    if (found.kind === 'none') return found;
    ranks.push(found.rank);
  }
  return { kind: 'ranks', ranks: fitted(candidate, ranks) };
}
