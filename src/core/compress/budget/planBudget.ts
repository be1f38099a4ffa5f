import type { LayerOptions, Pick, Totals } from '../makePlan';
import { solveBudget, solveLoss } from './knapsack';
import { type Ladder, type LadderSettings, ladder, type SharedSettings } from './options';

/** What a plan shall reach, of the whole model. */
export type BudgetGoal =
  /** At most this cost, in the unit of the measure, at the least loss. */
  | { readonly kind: 'cost'; readonly most: number }
  /** At most this loss, in the unit of the sensitivity, at the least cost. */
  | { readonly kind: 'loss'; readonly most: number };

/** Everything about a model that does not depend on the goal; planning again from it takes milliseconds. */
export interface PreparedBudget {
  readonly totals: Totals;
  /** Cost of the model as it is. */
  readonly before: number;
  /** What can become of each layer; undefined for those that can only stay as they are. */
  readonly ladders: readonly (Ladder | undefined)[];
}

/** The choice for every layer, and what it will give. */
export interface BudgetPlan {
  /** In the order of the layers; undefined: it stays as it is. */
  readonly picks: readonly (Pick | undefined)[];
  /** Cost of the model in the unit of the measure. */
  readonly cost: number;
  readonly after: Totals;
  /** Σ of the layers' predicted losses, in the unit of the sensitivity. */
  readonly loss: number;
  /** Σ of the layers' times, in the unit of their measure; 0 where it is not asked for. */
  readonly time: number;
  /** By how much what was minimised, loss or cost, may exceed the least possible; 0 when proven least. */
  readonly gap: number;
}

/** A cost that can't be reached, and the least that can. */
export interface Unreachable {
  readonly leastCost: number;
}

/**
 * Makes the settings of all layers that a budget is shared out among.
 *
 * @param before cost of the whole model as it is, in the unit of the measure
 */
export function prepareBudget(
  options: readonly LayerOptions[],
  totals: Totals,
  before: number,
  settings: LadderSettings,
): PreparedBudget {
  return { totals, before, ladders: laddersOf(options, settings) };
}

/** What was made of the same options lately, the last first: who tries one goal after the other waits for it once. */
const lately = new WeakMap<
  readonly LayerOptions[],
  { readonly settings: LadderSettings; readonly ladders: PreparedBudget['ladders'] }[]
>();
const MOST_LATELY = 6;

function laddersOf(options: readonly LayerOptions[], settings: LadderSettings): PreparedBudget['ladders'] {
  const known = lately.get(options) ?? [];
  lately.set(options, known);
  const at = known.findIndex(({ settings: { measure, sensitivity, block, time } }) => {
    return (
      measure === settings.measure &&
      sensitivity === settings.sensitivity &&
      block === settings.block &&
      time === settings.time
    );
  });
  if (at >= 0) {
    known.unshift(...known.splice(at, 1));
  } else {
    const last = Math.max(1, options.length - 1);
    const shared: SharedSettings = new Map();
    const ladders = options.map((option, i) => ladder(option, i / last, settings, shared));
    known.unshift({ settings, ladders });
    known.splice(MOST_LATELY);
  }
  return known[0]!.ladders;
}

/**
 * Chooses method and ranks for all layers at once: the least loss within a cost, or the least cost within a loss.
 * A loss can always be kept to, by leaving everything as it is.
 *
 * @param price of a unit of time, in the unit of the loss: what it adds to it is made small, too
 */
export function planBudget(
  { totals, before, ladders }: PreparedBudget,
  goal: BudgetGoal,
  price = 0,
): BudgetPlan | Unreachable {
  const open = ladders.filter((each) => each !== undefined);
  // What is not up for choice: other constants, nodes without weights, layers that can only stay.
  const fixed = open.reduce((rest, { dense }) => rest - dense, before);
  const groups = open.map(({ rungs, timed }) => (price > 0 ? timed : rungs));
  const priced =
    price > 0
      ? groups.map((group) => group.map(({ cost, loss, time }) => ({ cost, loss: loss + price * time })))
      : groups;
  const solution =
    goal.kind === 'cost' ? solveBudget(priced, goal.most - fixed) : solveLoss(priced, Math.max(0, goal.most));
  if (!solution) {
    const cheapest = groups.map((rungs) => Math.min(...rungs.map(({ cost }) => cost)));
    return { leastCost: cheapest.reduce((sum, cost) => sum + cost, fixed) };
  }
  const rungs = groups.map((group, i) => group[solution.choice[i]!]!);
  const chosen = new Map(open.map((each, i) => [each, rungs[i]!.pick]));
  const picks = ladders.map((each) => each && chosen.get(each));
  return {
    picks,
    cost: fixed + solution.cost,
    after: afterwards(totals, picks),
    loss: rungs.reduce((sum, { loss }) => sum + loss, 0),
    time: rungs.reduce((sum, { time }) => sum + time, 0),
    gap: solution.gap,
  };
}

function afterwards(totals: Totals, picks: readonly (Pick | undefined)[]): Totals {
  let { parameters, macs } = totals;
  for (const pick of picks) {
    if (!pick) continue;
    const { candidate } = pick.choice;
    const cost = candidate.cost(pick.ranks);
    parameters += cost.parameters - candidate.dense.parameters;
    if (macs !== null && cost.macs !== null && candidate.dense.macs !== null)
      macs += cost.macs - candidate.dense.macs;
  }
  return { parameters, macs };
}
