import { seededUniform } from '../../core/tensor/seeded';

/** Which samples are used, and for what. All indices rise. */
export interface Selection {
  /** What factors and statistics are computed from. */
  readonly fit: readonly number[];
  /** What results are checked on, never fitted to. */
  readonly heldBack: readonly number[];
}

/**
 * Chooses at most `limit` of `count` samples, every set of that size as likely as any other, and holds some back:
 * of every `holdEvery` chosen samples in the order of the data, one picked at random, and of a last group of fewer
 * than that likewise, as long as it has two. So data sorted by class is held back class by class, and data that
 * takes its classes in turn does not lose one. `holdEvery` 0 holds nothing back. The same seed gives the same choice.
 */
export function selectSamples(count: number, limit: number, seed: number, holdEvery: number): Selection {
  const uniform = seededUniform(seed);
  const set = new Set<number>();
  // Floyd's algorithm (Bentley & Floyd, A sample of brilliance, CACM 30(9), 1987): its work is that of the choice.
  for (let i = Math.max(0, count - limit); i < count; i++) {
    const pick = Math.floor(uniform() * (i + 1));
    set.add(set.has(pick) ? i : pick);
  }
  const chosen = [...set].sort((a, b) => a - b);
  if (holdEvery < 2) return { fit: chosen, heldBack: [] };
  const fit: number[] = [];
  const heldBack: number[] = [];
  for (let start = 0; start < chosen.length; start += holdEvery) {
    const group = chosen.slice(start, start + holdEvery);
    const held = group.length < 2 ? -1 : Math.floor(uniform() * group.length);
    for (const [i, index] of group.entries()) (i === held ? heldBack : fit).push(index);
  }
  return { fit, heldBack };
}
