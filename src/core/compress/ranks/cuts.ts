import type { Candidate, Ranks } from '../method';
import type { Unfolding } from '../unfolding';

/** The unfolding that each rank of a method cuts, in the order of its ranks; undefined where ranks are something else. */
export function cutsOf(candidate: Candidate): readonly Unfolding[] | undefined {
  const { series, fullRanks } = candidate;
  const unfoldings = series.flatMap(({ unfolding }) => unfolding ?? []);
  // Where one rank leads to several choices, there is a series for each choice, not for each rank.
  const isOnePerRank = unfoldings.length === fullRanks.length && candidate.ofRank(1).length === 1;
  return isOnePerRank && unfoldings.length === series.length ? unfoldings : undefined;
}

/**
 * The smallest ranks, none of them lower, that a method with a cut per rank can have: neighbours in a tensor train
 * bound each other, other ranks come back as they are.
 */
export function fitted(candidate: Candidate, ranks: Ranks): Ranks {
  // Of a weight with exactly these ranks, without any error.
  const exact = ranks.map((rank) => ({ energies: new Float64Array(rank).fill(1), total: rank }));
  return candidate.within(exact, 0, () => 0)!;
}
