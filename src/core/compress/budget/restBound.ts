import type { HullStep, Item, Relaxation } from './relaxation';

/** Steps along hulls one after another: what they cost and gain together, up to each. */
interface Course {
  readonly cost: Float64Array;
  readonly loss: Float64Array;
  /** Gain per cost of each step, and of going on beyond the last. */
  readonly gain: Float64Array;
}

/** The steps of the hulls up and down from the items of a relaxation, those with the best terms first. */
export function stepsAround({ at, steps }: Relaxation) {
  return {
    up: steps.filter(({ group, from }) => from >= at[group]!),
    down: steps.filter(({ group, to }) => to <= at[group]!).toReversed(),
  };
}

/**
 * A lower bound of the change of loss when groups that stand at the relaxation's items change theirs so that the cost
 * rises by at most `room`, or where that is negative falls by as much: the linear relaxation of just these groups.
 *
 * @param steps {@link stepsAround} of at least these groups; further ones make the bound weaker, not wrong
 */
export function restBound(
  groups: readonly (readonly Item[])[],
  steps: ReturnType<typeof stepsAround>,
): (room: number) => number {
  const up = courseOf(groups, steps.up, 0);
  const down = courseOf(groups, steps.down, Infinity);
  return (room) => (room >= 0 ? -along(up, room) : along(down, -room));
}

function courseOf(groups: readonly (readonly Item[])[], steps: readonly HullStep[], beyond: number): Course {
  const cost = new Float64Array(steps.length + 1);
  const loss = new Float64Array(steps.length + 1);
  const gain = new Float64Array(steps.length + 1).fill(beyond);
  for (const [i, { group, from, to, gain: each }] of steps.entries()) {
    const step = groups[group]![to]!.cost - groups[group]![from]!.cost;
    cost[i + 1] = cost[i]! + step;
    loss[i + 1] = loss[i]! + step * each;
    gain[i] = each;
  }
  return { cost, loss, gain };
}

/** The loss that goes with a cost along a course, the last step taken in part. */
function along({ cost, loss, gain }: Course, amount: number): number {
  let low = 0;
  let high = cost.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (cost[middle]! <= amount) low = middle;
    else high = middle - 1;
  }
  const rest = amount - cost[low]!;
  return rest === 0 ? loss[low]! : loss[low]! + rest * gain[low]!;
}
