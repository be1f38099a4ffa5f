/** One way to treat one group: what it costs and what it loses, both finite and at least 0, in the caller's units. */
export interface Option {
  readonly cost: number;
  readonly loss: number;
}

/** An option that no other of its group beats, and where it stood there. */
export interface Item extends Option {
  readonly index: number;
}

/** The optimum of the linear relaxation, rounded down to whole options. */
export interface Relaxation {
  /** Of every group the position of its item; all of them are optimal at the multiplier. */
  readonly at: readonly number[];
  readonly cost: number;
  readonly loss: number;
  /** Loss that one unit of cost is worth at the optimum: the Lagrange multiplier of the limit. */
  readonly multiplier: number;
  /** The steps along the hulls of all groups by descending gain, those of one group in their order. */
  readonly steps: readonly HullStep[];
}

/** A step along a lower convex hull, from one item of a group to the next costlier one. */
export interface HullStep {
  readonly group: number;
  readonly from: number;
  readonly to: number;
  /** By how much the loss falls per unit of cost. */
  readonly gain: number;
}

/**
 * The options of a group by ascending cost without those that another one matches or beats in both, so that the loss
 * descends strictly (integer dominance; Sinha & Zoltners 1979). Of equal options the first stays.
 *
 * Throws RangeError for a cost or loss that is negative or not finite.
 */
export function undominated(group: readonly Option[]): readonly Item[] {
  const items = group.map(({ cost, loss }, index): Item => {
    if (!(cost >= 0 && cost < Infinity && loss >= 0 && loss < Infinity))
      throw new RangeError(`Option ${index} has cost ${cost} and loss ${loss}.`);
    return { cost, loss, index };
  });
  items.sort((a, b) => a.cost - b.cost || a.loss - b.loss || a.index - b.index);
  let least = Infinity;
  return items.filter(({ loss }) => {
    const stays = loss < least;
    if (stays) least = loss;
    return stays;
  });
}

/**
 * Solves the linear relaxation of the multiple-choice knapsack: from the cheapest items on, the steps along the lower
 * convex hulls are taken in the order of what they gain per cost until one does not fit; that one's gain is the
 * multiplier (Sinha & Zoltners 1979; Kellerer, Pferschy & Pisinger 2004, chapter 11). Undefined when even the
 * cheapest items cost more than the limit.
 *
 * @param groups each {@link undominated} and not empty
 */
export function relax(groups: readonly (readonly Item[])[], limit: number): Relaxation | undefined {
  const at = groups.map(() => 0);
  let cost = 0;
  let loss = 0;
  for (const [first] of groups) {
    cost += first!.cost;
    loss += first!.loss;
  }
  if (cost > limit) return undefined;
  const steps = groups.flatMap(hullSteps).sort((a, b) => b.gain - a.gain);
  for (const { group, from, to, gain } of steps) {
    const more = groups[group]![to]!.cost - groups[group]![from]!.cost;
    if (cost + more > limit) return { at, cost, loss, multiplier: gain, steps };
    at[group] = to;
    cost += more;
    loss += groups[group]![to]!.loss - groups[group]![from]!.loss;
  }
  return { at, cost, loss, multiplier: 0, steps };
}

/** The lower convex hull of a group's items, as its steps. */
function hullSteps(items: readonly Item[], group: number): readonly HullStep[] {
  const steps: HullStep[] = [];
  for (let to = 1; to < items.length; to++) {
    let from = to - 1;
    let gain = gainOf(items[from]!, items[to]!);
    // Gains descend along a hull. They are compared as the quotients they are, so that they do so after rounding too.
    for (let last = steps.at(-1); last && last.gain <= gain; last = steps.at(-1)) {
      steps.pop();
      from = last.from;
      gain = gainOf(items[from]!, items[to]!);
    }
    steps.push({ group, from, to, gain });
  }
  return steps;
}

/** Loss saved per unit of cost by taking `to` in place of `from`. */
function gainOf(from: Option, to: Option): number {
  return (from.loss - to.loss) / (to.cost - from.cost);
}
