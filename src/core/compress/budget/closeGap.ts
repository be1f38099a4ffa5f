import type { Item, Relaxation } from './relaxation';

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
  const { order, up, down } = opening(groups, relaxation);

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
    work -= states.length * (changes.length + 1);
    if (work < 0) {
      const bound = states.reduce(
        (low, state) => Math.min(low, boundOf(state, limit, up[k]!, down[k]!)),
        best.loss,
      );
      return { at: positions(at, best), gap: best.loss - Math.min(best.loss, Math.max(0, least, bound)) };
    }
    const isOpen = (state: State) => boundOf(state, limit, up[k + 1]!, down[k + 1]!) < ceiling;
    const lists = changes.map(({ to, cost, loss }) => {
      const list: State[] = [];
      for (const from of states) {
        const state: State = {
          cost: from.cost + cost,
          loss: from.loss + loss,
          change: { group, to, from },
        };
        if (state.loss < ceiling && state.cost <= limit) improve(state);
        if (isOpen(state)) list.push(state);
      }
      return list;
    });
    states = merged([states.filter(isOpen), ...lists]);
  }
  return { at: positions(at, best), gap: 0 };
}

/**
 * What no solution falls below that opens further groups from a state: room left buys at most the best gain among
 * them, and room that is missing costs at least their smallest loss.
 */
function boundOf({ cost, loss }: State, limit: number, up: number, down: number): number {
  const room = limit - cost;
  return room >= 0 ? loss - room * up : loss - room * down;
}

/**
 * The order in which groups are opened, and for the groups from the k-th on the most that a unit of cost gains (up)
 * and the least that saving one loses (down); one entry more than there are groups.
 */
function opening(groups: readonly (readonly Item[])[], { at, multiplier, slopes }: Relaxation) {
  const ends = groups.map((_, g) => {
    const up = slopes[g]!.find(({ from }) => from >= at[g]!)?.gain ?? 0;
    const down = slopes[g]!.findLast(({ to }) => to <= at[g]!)?.gain ?? Infinity;
    return { up, down, distance: Math.min(multiplier - up, down - multiplier) };
  });
  const order = groups.map((_, g) => g).sort((a, b) => ends[a]!.distance - ends[b]!.distance);
  const up = new Float64Array(groups.length + 1);
  const down = new Float64Array(groups.length + 1).fill(Infinity);
  for (let k = order.length - 1; k >= 0; k--) {
    up[k] = Math.max(up[k + 1]!, ends[order[k]!]!.up);
    down[k] = Math.min(down[k + 1]!, ends[order[k]!]!.down);
  }
  return { order, up, down };
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
