import type { HullStep, Item, Relaxation } from './relaxation';
import { restBound, stepsAround } from './restBound';

/** The best solution that was found. */
export interface Closed {
  /** Of every group the position of its item. */
  readonly at: readonly number[];
  /** No solution's loss is further below this one's; 0 when it is proven to be the best (up to rounding). */
  readonly gap: number;
}

/** Solutions that differ from the relaxation's in the groups looked at so far. */
interface State {
  readonly cost: number;
  readonly loss: number;
  /** The last group that differs, its item, and the state without it. */
  readonly change?: { readonly group: number; readonly to: number; readonly from: State };
}

/** Losses closer than this, relatively, count as equal. */
const ROUNDING = 1e-12;

/**
 * From the optimum of the relaxation to that of whole options, by dynamic programming over an expanding core: groups
 * are opened one after another, those first whose next step along the hull is nearest to the multiplier; of all
 * combinations of opened groups only the undominated ones stay, and of these the ones whose bound is below the best
 * solution so far (Pisinger 1995). Every combination is a whole solution, over the limit or not, as the other groups
 * keep the relaxation's items: good ones appear early.
 *
 * @param work how many combinations to look at; beyond, the best so far is returned with its gap
 */
export function closeGap(
  groups: readonly (readonly Item[])[],
  relaxation: Relaxation,
  limit: number,
  work: number,
): Closed {
  const { at, multiplier } = relaxation;
  const start: State = { cost: relaxation.cost, loss: relaxation.loss };
  const least = start.loss - multiplier * (limit - start.cost);
  let best = filled(groups, at, start, limit);
  let ceiling = 0;
  const improve = (state: State) => {
    best = state;
    ceiling = state.loss - ROUNDING * Math.max(state.loss, start.loss);
  };
  improve(best);
  const order = opening(groups, relaxation);
  const opened = new Set<number>();
  let steps = stepsAround(relaxation);
  let bound = restBound(groups, steps);
  let unused = Infinity;

  let states: readonly State[] = [start];
  for (let k = 0; k < order.length && states.length > 0; k++) {
    const group = order[k]!;
    const items = groups[group]!;
    const base = items[at[group]!]!;
    // Reduced cost: what an item adds to the bound even if everything else is at its best.
    const changes = items.flatMap((item, to) => {
      const change = { to, cost: item.cost - base.cost, loss: item.loss - base.loss };
      return item !== base && least + change.loss + multiplier * change.cost < ceiling ? [change] : [];
    });
    const more = states.length * (changes.length + 1);
    work -= more;
    if (work < 0) {
      const lowest = states.reduce(
        (low, { cost, loss }) => Math.min(low, loss + bound(limit - cost)),
        best.loss,
      );
      return { at: positions(at, best), gap: best.loss - Math.min(best.loss, Math.max(0, least, lowest)) };
    }
    opened.add(group);
    // A new bound takes about as long as using one on as many combinations as there are steps.
    unused += more;
    if (unused >= steps.up.length + steps.down.length) {
      const isClosed = ({ group }: HullStep) => !opened.has(group);
      steps = { up: steps.up.filter(isClosed), down: steps.down.filter(isClosed) };
      bound = restBound(groups, steps);
      unused = 0;
    }
    const isOpen = (cost: number, loss: number) => loss + bound(limit - cost) < ceiling;
    const lists = changes.map((step) => {
      const list: State[] = [];
      for (const from of states) {
        const cost = from.cost + step.cost;
        const loss = from.loss + step.loss;
        if (!isOpen(cost, loss)) continue;
        const state: State = { cost, loss, change: { group, to: step.to, from } };
        list.push(state);
        if (cost <= limit && loss < ceiling) improve(state);
      }
      return list;
    });
    states = merged([states, ...lists].map((list) => list.filter(({ cost, loss }) => isOpen(cost, loss))));
  }
  return { at: positions(at, best), gap: 0 };
}

/** The groups in the order in which they are opened. */
function opening(groups: readonly (readonly Item[])[], { multiplier, steps }: Relaxation) {
  const distances = new Float64Array(groups.length).fill(Infinity);
  for (const { group, gain } of steps)
    distances[group] = Math.min(distances[group]!, Math.abs(gain - multiplier));
  return [...groups.keys()].sort((a, b) => distances[a]! - distances[b]! || a - b);
}

/** Spends what the relaxation left, one group at a time on whatever gains most. */
function filled(
  groups: readonly (readonly Item[])[],
  at: readonly number[],
  start: State,
  limit: number,
): State {
  let state = start;
  const open = new Set(groups.keys());
  for (;;) {
    let found: State | undefined;
    let opened = 0;
    for (const group of open) {
      const items = groups[group]!;
      const base = items[at[group]!]!;
      // Losses descend: the costliest item that fits gains most.
      let to = items.length - 1;
      while (to > at[group]! && state.cost + items[to]!.cost - base.cost > limit) to--;
      const loss = state.loss + items[to]!.loss - base.loss;
      if (to === at[group] || loss >= (found?.loss ?? state.loss)) continue;
      found = { cost: state.cost + items[to]!.cost - base.cost, loss, change: { group, to, from: state } };
      opened = group;
    }
    if (!found) return state;
    state = found;
    open.delete(opened);
  }
}

/** Lists by ascending cost as one, without states that another one matches or beats in both. */
function merged(lists: readonly (readonly State[])[]): readonly State[] {
  if (lists.length < 2) return lists[0] ?? [];
  const half = lists.length >> 1;
  const [a, b] = [merged(lists.slice(0, half)), merged(lists.slice(half))];
  const out: State[] = [];
  let least = Infinity;
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const isFirst = j >= b.length || (i < a.length && comesFirst(a[i]!, b[j]!));
    const state = isFirst ? a[i++]! : b[j++]!;
    if (state.loss >= least) continue;
    least = state.loss;
    out.push(state);
  }
  return out;
}

function comesFirst(a: State, b: State): boolean {
  return a.cost < b.cost || (a.cost === b.cost && a.loss <= b.loss);
}

function positions(at: readonly number[], state: State): readonly number[] {
  const result = [...at];
  for (let { change } = state; change; change = change.from.change) result[change.group] = change.to;
  return result;
}
