import { closeGap } from './closeGap';
import { type Option, relax, undominated } from './relaxation';

export type { Option } from './relaxation';

/** One option of every group. */
export interface Solution {
  /** Of every group the index of its option. */
  readonly choice: readonly number[];
  readonly cost: number;
  readonly loss: number;
  /** By how much the minimised sum may exceed the least possible one: 0 when proven optimal (up to rounding). */
  readonly gap: number;
}

/** Combinations of options that are looked at before the best so far is taken: some tens of milliseconds. */
const WORK = 400_000;

/**
 * The multiple-choice knapsack problem: of every group one option, so that Σ cost ≤ budget and Σ loss is least.
 * The linear relaxation over the lower convex hulls gives start, multiplier and bound (Sinha & Zoltners 1979);
 * dynamic programming over what reduced costs leave closes the gap (Pisinger 1995; Kellerer, Pferschy & Pisinger
 * 2004, chapter 11). Costs and losses are real numbers in any units; sums of costs that are not all whole numbers
 * may exceed the budget by rounding (10⁻¹², relatively).
 *
 * Undefined when the cheapest options cost more than the budget, or a group has none. Throws RangeError for costs or
 * losses that are negative or not finite.
 *
 * @param work a limit on the combinations to look at; where it ends the search, `gap` says what that may have cost
 */
export function solveBudget(
  groups: readonly (readonly Option[])[],
  budget: number,
  work = WORK,
): Solution | undefined {
  const items = groups.map(undominated);
  if (items.some((group) => group.length === 0)) return undefined;
  const isWhole = items.every((group) => group.every(({ cost }) => Number.isInteger(cost)));
  const limit = isWhole ? budget : budget * (1 + 1e-12);
  const relaxation = relax(items, limit);
  if (!relaxation) return undefined;
  const { at, gap } = closeGap(items, relaxation, limit, work);
  const chosen = items.map((group, g) => group[at[g]!]!);
  return {
    choice: chosen.map(({ index }) => index),
    cost: chosen.reduce((sum, { cost }) => sum + cost, 0),
    loss: chosen.reduce((sum, { loss }) => sum + loss, 0),
    gap,
  };
}

/**
 * The other way round: Σ loss ≤ maxLoss and Σ cost is least; `gap` is in units of cost. Otherwise as
 * {@link solveBudget}, which solves it with the roles swapped.
 */
export function solveLoss(
  groups: readonly (readonly Option[])[],
  maxLoss: number,
  work = WORK,
): Solution | undefined {
  const swapped = groups.map((group) => group.map(({ cost, loss }) => ({ cost: loss, loss: cost })));
  const solution = solveBudget(swapped, maxLoss, work);
  return solution && { ...solution, cost: solution.loss, loss: solution.cost };
}
