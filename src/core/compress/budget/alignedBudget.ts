import type { LayerOptions, Totals } from '../makePlan';
import { LARGEST_BLOCK } from '../ranks/rankMultiple';
import type { LadderSettings } from './options';
import { type BudgetGoal, type BudgetPlan, planBudget, prepareBudget, type Unreachable } from './planBudget';

/** A plan, and the block that its ranks are multiples of where layers are wide enough. */
export interface AlignedBudget extends BudgetPlan {
  readonly block: number;
}

/** By what share what is minimised, loss or cost, may be larger for the sake of alignment. */
const TOLERANCE = 0.1;

/**
 * Shares out a budget in ranks that are multiples of the runtime's block: of the largest block with which the loss (for
 * a goal of loss: the cost) is at most a tenth above that of any ranks. Where a block is asked for it is that one, or
 * the largest part of it (a half, a quarter, …) with which the budget can be kept to at all.
 *
 * @param before cost of the whole model as it is, in the unit of the measure
 */
export function planAligned(
  options: readonly LayerOptions[],
  totals: Totals,
  before: number,
  settings: Omit<LadderSettings, 'block'>,
  goal: BudgetGoal,
  wanted: number | undefined,
): AlignedBudget | Unreachable {
  const solve = (block: number) => {
    const plan = planBudget(prepareBudget(options, totals, before, { ...settings, block }), goal);
    return 'leastCost' in plan ? plan : { ...plan, block };
  };
  if (wanted !== undefined) {
    for (let block = wanted; ; block = Math.floor(block / 2)) {
      const plan = solve(block);
      if (block <= 1 || !('leastCost' in plan)) return plan;
    }
  }
  const free = solve(1);
  if ('leastCost' in free) return free;
  const minimised = ({ loss, cost }: BudgetPlan) => (goal.kind === 'cost' ? loss : cost);
  for (let block = LARGEST_BLOCK; block > 1; block /= 2) {
    const plan = solve(block);
    if (!('leastCost' in plan) && minimised(plan) <= (1 + TOLERANCE) * minimised(free)) return plan;
  }
  return free;
}
