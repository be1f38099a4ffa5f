import type { LayerOptions, Totals } from '../makePlan';
import { LARGEST_BLOCK } from '../ranks/rankMultiple';
import type { LadderSettings } from './options';
import {
  type BudgetGoal,
  type BudgetPlan,
  type PreparedBudget,
  planBudget,
  prepareBudget,
  type Unreachable,
} from './planBudget';

/** A plan, and the block that its ranks are multiples of where layers are wide enough. */
export interface AlignedBudget extends BudgetPlan {
  readonly block: number;
}

/** By what share what is minimised, loss or cost, may be larger for the sake of alignment. */
const TOLERANCE = 0.1;

/** The settings of {@link planAligned}. */
export interface AlignedSettings extends Omit<LadderSettings, 'block'> {
  /** How much larger than the least the loss may be for the sake of time; default: as for that of alignment. */
  readonly slack?: (least: number) => number;
}

/** The prices of time that are tried between none and all of it: the range is halved so many times. */
const HALVINGS = 8;
/** A price at which the time of a whole plan adds so much of its loss is not worth trying, or is more than enough. */
const PRICES = [0.02, 20] as const;

/**
 * Shares out a budget in ranks that are multiples of the runtime's block: of the largest block with which the loss (for
 * a goal of loss: the cost) is at most a tenth above that of any ranks. Where a block is asked for it is that one, or
 * the largest part of it (a half, a quarter, …) with which the budget can be kept to at all. Where settings have times, and
 * a cost is the goal, the plan is then the quickest whose loss is within the slack, as far as a price for time finds it.
 *
 * @param before cost of the whole model as it is, in the unit of the measure
 */
export function planAligned(
  options: readonly LayerOptions[],
  totals: Totals,
  before: number,
  { slack = (least) => TOLERANCE * least, ...settings }: AlignedSettings,
  goal: BudgetGoal,
  wanted: number | undefined,
): AlignedBudget | Unreachable {
  const solve = (block: number) => {
    const prepared = prepareBudget(options, totals, before, { ...settings, block });
    const plan = planBudget(prepared, goal);
    return 'leastCost' in plan ? plan : { ...plan, block, prepared };
  };
  const hasTimes = settings.time !== undefined && goal.kind === 'cost';
  const quick = (
    { prepared, ...plan }: AlignedBudget & { readonly prepared: PreparedBudget },
    most: number,
  ) => (hasTimes ? { ...sooner(prepared, goal, plan, most), block: plan.block } : plan);
  const free = solve(1);
  if ('leastCost' in free) return free;
  const minimised = ({ loss, cost }: BudgetPlan) => (goal.kind === 'cost' ? loss : cost);
  const most = (1 + TOLERANCE) * minimised(free);
  const mostTimed = minimised(free) + slack(minimised(free));
  if (wanted !== undefined) {
    for (let block = wanted; block > 1; block = Math.floor(block / 2)) {
      const plan = solve(block);
      if (!('leastCost' in plan)) return quick(plan, mostTimed);
    }
    return quick(free, mostTimed);
  }
  for (let block = LARGEST_BLOCK; block > 1; block /= 2) {
    const plan = solve(block);
    if (!('leastCost' in plan) && minimised(plan) <= most) return quick(plan, mostTimed);
  }
  return quick(free, mostTimed);
}

/** Within a loss the plan that takes the least time, as far as a price for time finds it: this one, or another of no more time. */
function sooner(prepared: PreparedBudget, goal: BudgetGoal, plan: BudgetPlan, most: number): BudgetPlan {
  if (!(plan.time > 0)) return plan;
  let best = plan;
  let [low, high] = PRICES.map((share) => Math.log((share * Math.max(plan.loss, most)) / plan.time)) as [
    number,
    number,
  ];
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (low + high) / 2;
    const priced = planBudget(prepared, goal, Math.exp(middle));
    const fits = !('leastCost' in priced) && priced.loss <= most;
    if (fits && priced.time < best.time) best = priced;
    if (fits) low = middle;
    else high = middle;
  }
  return best;
}
