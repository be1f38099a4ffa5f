import type { LayerOptions, Totals } from '../makePlan';
import { LARGEST_BLOCK } from '../ranks/rankMultiple';
import { macsMeasure, parametersMeasure } from './measure';
import type { Ladder, Rung } from './options';
import { prepareBudget } from './planBudget';
import { relax, undominated } from './relaxation';
import { DEFAULT_SENSITIVITY, SENSITIVITIES } from './sensitivity';

/** One plan of many: what it costs and what it loses. */
export interface TradeOffPoint {
  /** Of the whole model, in the unit of the trade-off. */
  readonly cost: number;
  readonly parameters: number;
  readonly macs: number | null;
  /** √(Σ predicted ‖W − Ŵ‖² / Σ ‖W‖²) over all layers. */
  readonly weightError: number;
  /** Layers that are factored. */
  readonly factored: number;
}

/** What a model can cost and what it then loses. */
export interface TradeOff {
  readonly unit: 'parameters' | 'macs';
  /** Cost of the model as it is. */
  readonly before: number;
  /** By ascending cost, from the lowest ranks in every layer to the model as it is. */
  readonly points: readonly TradeOffPoint[];
}

export interface TradeOffSettings {
  readonly unit: 'parameters' | 'macs';
  /**
   * Ranks are multiples of it where layers are wide enough, 1 for none. Default: of 16, and of any where that loses a
   * tenth more (`planAligned`).
   */
  readonly multiple?: number | undefined;
  /** The most points; default 30. */
  readonly points?: number;
}

/** By what share the loss may be larger for the sake of alignment. */
const TOLERANCE = 0.1;

/**
 * The trade-off of a whole model between cost and error, from the relaxation that a budget is solved with: the steps along
 * the hulls of all layers, taken one after the other, lead from one plan to the next, each of the least loss for what it
 * costs (Sinha & Zoltners 1979). Of all these plans some, spread evenly over the cost, are the points. A budget in between
 * is met a little better, and a plan may prefer quicker settings of like loss. Takes milliseconds once ladders are made.
 * undefined where the cost is not known.
 */
export function tradeOff(
  options: readonly LayerOptions[],
  totals: Totals,
  { unit, multiple, points = 30 }: TradeOffSettings,
): TradeOff | undefined {
  const before = totals[unit];
  if (before === null) return undefined;
  const blocks = multiple === undefined ? [LARGEST_BLOCK, 1] : [multiple];
  const walks = blocks.map((block) => walkOf(options, totals, before, unit, block));
  const least = Math.min(...walks.map(({ states }) => states[0]!.cost));
  const chosen = new Map<number, Stop>();
  for (let i = 0; i < points; i++) {
    const limit = least + ((before - least) * i) / Math.max(1, points - 1);
    const stops = walks.map((walk) => lastWithin(walk, limit));
    const free = stops.at(-1);
    const aligned = stops.find(
      (stop) => stop && (!free || stop.state.loss <= (1 + TOLERANCE) * free.state.loss),
    );
    const stop = aligned ?? free;
    if (stop) chosen.set(stop.state.cost, stop);
  }
  const energies = options.map(({ choices }) => choices[0]?.known[0]?.total ?? 0);
  return {
    unit,
    before,
    points: [...chosen.values()]
      .sort((a, b) => a.state.cost - b.state.cost)
      .map((stop) => pointOf(stop, totals, energies)),
  };
}

/** All plans along the hulls of the layers, from the cheapest on. */
interface Walk {
  readonly ladders: readonly (Ladder | undefined)[];
  /** Of every layer with a ladder, in their order, the rung it begins on; and what each step changes. */
  readonly start: readonly number[];
  readonly steps: readonly { readonly group: number; readonly to: number }[];
  /** After 0, 1, … steps. */
  readonly states: readonly { readonly cost: number; readonly loss: number }[];
}

interface Stop {
  readonly walk: Walk;
  /** Steps taken. */
  readonly taken: number;
  readonly state: Walk['states'][number];
}

function walkOf(
  options: readonly LayerOptions[],
  totals: Totals,
  before: number,
  unit: 'parameters' | 'macs',
  block: number,
): Walk {
  const measure = unit === 'macs' ? macsMeasure : parametersMeasure;
  const sensitivity = SENSITIVITIES[DEFAULT_SENSITIVITY];
  const { ladders } = prepareBudget(options, totals, before, { measure, sensitivity, block });
  const open = ladders.filter((each) => each !== undefined);
  const fixed = open.reduce((rest, { dense }) => rest - dense, before);
  const groups = open.map(({ rungs }) => undominated(rungs));
  // Without a limit every step is taken; they come in the order in which a growing limit would take them.
  const { steps } = relax(groups, Infinity)!;
  let cost = groups.reduce((sum, [first]) => sum + first!.cost, fixed);
  let loss = groups.reduce((sum, [first]) => sum + first!.loss, 0);
  const states = [{ cost, loss }];
  for (const { group, from, to } of steps) {
    const items = groups[group]!;
    cost += items[to]!.cost - items[from]!.cost;
    loss += items[to]!.loss - items[from]!.loss;
    states.push({ cost, loss });
  }
  return {
    ladders,
    start: groups.map(([first]) => first!.index),
    steps: steps.map(({ group, to }) => ({ group, to: groups[group]![to]!.index })),
    states,
  };
}

/** The last of the plans that cost no more than `limit`; undefined where even the first does. */
function lastWithin(walk: Walk, limit: number): Stop | undefined {
  const { states } = walk;
  // Sums of fractions may miss the whole by a rounding.
  const within = (cost: number) => cost <= limit * (1 + 1e-12);
  if (!within(states[0]!.cost)) return undefined;
  let low = 0;
  let high = states.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (within(states[middle]!.cost)) low = middle;
    else high = middle - 1;
  }
  return { walk, taken: low, state: states[low]! };
}

function pointOf({ walk, taken, state }: Stop, totals: Totals, energies: readonly number[]): TradeOffPoint {
  const at = [...walk.start];
  for (const { group, to } of walk.steps.slice(0, taken)) at[group] = to;
  let { parameters, macs } = totals;
  let discarded = 0;
  let factored = 0;
  let group = 0;
  for (const [i, ladder] of walk.ladders.entries()) {
    if (!ladder) continue;
    const { pick, error }: Rung = ladder.rungs[at[group++]!]!;
    if (!pick) continue;
    const { candidate } = pick.choice;
    const cost = candidate.cost(pick.ranks);
    parameters += cost.parameters - candidate.dense.parameters;
    if (macs !== null && cost.macs !== null && candidate.dense.macs !== null)
      macs += cost.macs - candidate.dense.macs;
    discarded += error * energies[i]!;
    factored++;
  }
  const total = energies.reduce((sum, each) => sum + each, 0);
  const weightError = total === 0 ? 0 : Math.sqrt(discarded / total);
  return { cost: state.cost, parameters, macs, weightError, factored };
}
