import { groupOfLayer, type LayerGroup, type LayerTable, type PlacedLayer, sameTensors } from './layerGroup';
import type { MatchedBy } from './modelComparison';

/** Layers of both models that belong together; one side is a single layer, or missing. */
export interface LayerMatch {
  readonly before: LayerGroup | undefined;
  readonly after: LayerGroup | undefined;
  readonly by: MatchedBy | null;
}

/**
 * Which layers of two models belong together: by the tensors between which they stand, which our own rewrite keeps the names
 * of; else by the name of the node, by that of the weight, and at last by operator and shape in order.
 * In the order of the first model; what only the second has stands behind what it follows there.
 */
export function matchLayers(before: LayerTable, after: LayerTable): readonly LayerMatch[] {
  const matches: LayerMatch[] = [];
  const left = new Set(before.layers);
  const right = new Set(after.layers);
  const take = (a: LayerGroup, b: LayerGroup, by: MatchedBy) => {
    // A layer belongs to one match only; nodes without one may be anybody's.
    if (!a.layers.every((each) => left.has(each)) || !b.layers.every((each) => right.has(each))) return;
    for (const each of a.layers) left.delete(each);
    for (const each of b.layers) right.delete(each);
    matches.push({ before: a, after: b, by });
  };
  for (const each of [...left]) {
    const found = sameTensors(before, each, after);
    if (found) take(groupOfLayer(each), found, 'tensors');
  }
  for (const each of [...right]) {
    const found = sameTensors(after, each, before);
    if (found) take(found, groupOfLayer(each), 'tensors');
  }
  const byKey = (by: MatchedBy, key: (placed: PlacedLayer) => string) => {
    const waiting = new Map<string, PlacedLayer[]>();
    // The last first, so that taking one is taking the end.
    for (const each of [...right].reverse()) {
      const same = waiting.get(key(each));
      if (same) same.push(each);
      else waiting.set(key(each), [each]);
    }
    for (const each of [...left]) {
      const partner = waiting.get(key(each))?.pop();
      if (partner) take(groupOfLayer(each), groupOfLayer(partner), by);
    }
  };
  byKey('name', ({ layer }) => layer.name);
  byKey('weight', ({ info }) => info.weight);
  byKey('shape', ({ info }) => `${info.op} ${info.weightShape.join()}`);

  for (const each of left) matches.push({ before: groupOfLayer(each), after: undefined, by: null });
  const added = [...right].map((each) => ({ before: undefined, after: groupOfLayer(each), by: null }));
  return inOrder(matches, added);
}

/** Matches by their place in the first model, each addition behind the nearest match that stands before it in the second. */
function inOrder(matches: readonly LayerMatch[], added: readonly LayerMatch[]): readonly LayerMatch[] {
  const first = (group: LayerGroup | undefined) => group?.layers[0]?.index ?? 0;
  const ordered = [...matches].sort((a, b) => first(a.before) - first(b.before));
  const anchors = ordered
    .filter(({ after }) => after && after.layers.length > 0)
    .map((match) => ({ match, index: first(match.after) }))
    .sort((a, b) => a.index - b.index);
  const start: LayerMatch[] = [];
  const behind = new Map<LayerMatch, LayerMatch[]>();
  let next = 0;
  for (const addition of added) {
    while (next < anchors.length && anchors[next]!.index < first(addition.after)) next++;
    const anchor = anchors[next - 1]?.match;
    if (!anchor) start.push(addition);
    else if (behind.has(anchor)) behind.get(anchor)!.push(addition);
    else behind.set(anchor, [addition]);
  }
  return [...start, ...ordered.flatMap((match) => [match, ...(behind.get(match) ?? [])])];
}
