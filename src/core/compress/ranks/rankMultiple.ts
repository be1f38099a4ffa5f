import { breakEvenRank, type Candidate, type Ranks, saves } from '../method';
import { cutsOf, fitted } from './cuts';

/** The block of channels that the runtime's kernels work on, where the processor has 512-bit vectors of float32. */
export const LARGEST_BLOCK = 16;

/** Channels are read in fours: smaller blocks have to be asked for. */
const LEAST_BLOCK = 4;

/** So many steps are left to a layer at least: a coarser choice costs more accuracy than a larger block gains time. */
const LEAST_STEPS = 8;

/** What a rank is to be a multiple of, and what it must not exceed. */
export interface Alignment {
  /** At least 1. */
  readonly multiple: number;
  /** At least 1: the break-even rank, or the full one. */
  readonly most: number;
}

/**
 * The block that fits at least eight times into the largest rank that makes sense: `largest`, or a half of it, …, down
 * to 4; 1 where none does.
 */
export function blockOf(most: number, largest = LARGEST_BLOCK): number {
  const least = Math.min(LEAST_BLOCK, largest);
  for (let block = largest; block >= least; block >>= 1) if (most >= LEAST_STEPS * block) return block;
  return 1;
}

/**
 * The multiple nearest to a rank, the upper of two equally near; at least one multiple and never above `most`. Where
 * not a single multiple is within `most`, the rank as it is, or `most`.
 */
export function alignRank(rank: number, { multiple, most }: Alignment): number {
  if (most < multiple) return Math.min(rank, most);
  const blocks = Math.min(Math.round(rank / multiple), Math.floor(most / multiple));
  return Math.max(1, blocks) * multiple;
}

/** Whether the ranks of a method are numbers of channels, not of groups, blocks, atoms or bonds of a ring. */
export function countsChannels(candidate: Candidate): boolean {
  return candidate.rankNames[0] === 'rank' || cutsOf(candidate) !== undefined;
}

/**
 * Ranks brought to the multiples of the runtime's block (`blockOf`), each up or down: of all combinations that the method
 * can have and that still save parameters and MACs the nearest, by the sum of |aligned − rank| / rank. Where there is none,
 * where the ranks save nothing as they are, and for methods whose ranks are not numbers of channels (groups, blocks,
 * atoms, rings), they come back unchanged.
 *
 * @param largest the largest block to align to; 1 for none
 */
export function alignRanks(candidate: Candidate, ranks: Ranks, largest = LARGEST_BLOCK): Ranks {
  const isCut = cutsOf(candidate) !== undefined;
  if (!countsChannels(candidate) || !saves(candidate, ranks)) return ranks;
  const breakEven = breakEvenRank(candidate);
  let combinations: readonly Ranks[] = [[]];
  for (const [i, rank] of ranks.entries()) {
    const most = breakEven ?? candidate.fullRanks[i]!;
    const multiple = blockOf(most, largest);
    const below = alignRank(Math.floor(rank / multiple) * multiple, { multiple, most });
    const above = alignRank(Math.ceil(rank / multiple) * multiple, { multiple, most });
    combinations = combinations.flatMap((before) =>
      [...new Set([above, below])].map((aligned) => [...before, aligned]),
    );
  }
  const distance = (aligned: Ranks) =>
    aligned.reduce((sum, rank, i) => sum + Math.abs(rank / ranks[i]! - 1), 0);
  const isPossible = (aligned: Ranks) =>
    saves(candidate, aligned) && (!isCut || String(fitted(candidate, aligned)) === String(aligned));
  const nearest = [...combinations].sort((a, b) => distance(a) - distance(b));
  return nearest.find(isPossible) ?? ranks;
}
