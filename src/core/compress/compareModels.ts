import { formatShape } from '../format';
import { elementName } from '../onnx/elements';
import type { Graph, ValueInfo } from '../onnx/model';
import { allGraphs } from '../onnx/names';
import type { Problem } from './analysis';
import { type ComparedModel, type LayerGroup, layerTable, shapesOf } from './compare/layerGroup';
import { type LayerMatch, matchLayers } from './compare/matchLayers';
import type { ChangeKind, ComparedFigures, LayerChange, ModelComparison } from './compare/modelComparison';
import { type Recognised, recogniseMethods } from './compare/recogniseMethod';
import type { Form, Layer } from './layer';

/** A comparison with the layers behind its rows, for those who go on to read weights. */
export interface ComparedLayers {
  readonly comparison: ModelComparison;
  /** In the order of `comparison.layers`. */
  readonly rows: readonly ComparedRow[];
}

/** Two groups of layers that belong together. */
export interface ComparedRow extends LayerMatch {
  /** Where one of them is factored: the form of the whole, which its factors stand for. */
  readonly form?: Form;
}

/** Holds two models against each other by what their files say; no weight is read. */
export function compareModels(before: ComparedModel, after: ComparedModel): ComparedLayers {
  const matches = matchLayers(layerTable(before), layerTable(after));
  const forms = [formTable(before), formTable(after)] as const;
  const rows = matches.map((match) => comparedRow(match, forms));
  return {
    rows: rows.map(({ row }) => row),
    comparison: {
      before: figures(before),
      after: figures(after),
      layers: rows.map(({ change }) => change),
      problems: [
        ...interfaceProblems(before, after, 'inputs'),
        ...interfaceProblems(before, after, 'outputs'),
      ],
      weights: false,
    },
  };
}

type FormTable = (layer: Layer) => Form | undefined;

/** How layers could be factored; twins as the layer they are factored along with. */
function formTable({ analyzed }: ComparedModel): FormTable {
  const forms = new Map<Layer['node'], Form>();
  for (const { node, form, twins } of analyzed.layers) {
    if (form.kind === 'none') continue;
    for (const each of [node, ...twins.map((twin) => twin.node)]) forms.set(each, form);
  }
  return ({ node }) => forms.get(node);
}

function comparedRow(
  match: LayerMatch,
  [left, right]: readonly [FormTable, FormTable],
): { readonly row: ComparedRow; readonly change: LayerChange } {
  const { before, after, by } = match;
  const named = (
    before?.layers[0] && before.layers.length === 1 ? before : after?.layers.length === 1 ? after : before
  )!;
  const first = (named.layers[0] ?? before?.layers[0] ?? after?.layers[0])!;
  const { kind, found, form } = kindOf(before, after, left, right);
  const side = <T>(pick: (group: LayerGroup) => T, none: T) => ({
    before: before ? pick(before) : none,
    after: after ? pick(after) : none,
  });
  const change: LayerChange = {
    kind,
    name: first.info.name,
    op: first.info.op,
    matchedBy: by,
    layers: side((group) => group.layers.map(({ info }) => info.name), []),
    shapes: side(shapesOf, []),
    method: found?.method ?? null,
    ranks: found?.ranks ?? null,
    parameters: side<number | null>((group) => group.parameters, null),
    macs: side((group) => group.macs, null),
    bytes: side<number | null>((group) => group.bytes, null),
    weightError: null,
  };
  return { row: form ? { ...match, form } : match, change };
}

function kindOf(
  before: LayerGroup | undefined,
  after: LayerGroup | undefined,
  left: FormTable,
  right: FormTable,
): { readonly kind: ChangeKind; readonly found?: Recognised; readonly form?: Form } {
  if (!before) return { kind: 'added' };
  if (!after) return { kind: 'removed' };
  const [ours, theirs] = [shapesOf(before), shapesOf(after)];
  const isAlike = JSON.stringify(ours) === JSON.stringify(theirs);
  const [a, b] = [before.layers[0], after.layers[0]];
  if (before.layers.length === 1 && after.layers.length === 1 && isAlike && a && b) {
    const isSame = a.info.op === b.info.op && a.layer.weight.type === b.layer.weight.type;
    return { kind: isSame ? 'same' : 'changed' };
  }
  const forward = a && ours.length === 1 ? left(a.layer) : undefined;
  const found = forward && recogniseMethods(forward, theirs).next().value;
  if (found) return { kind: 'factored', found, form: forward };
  const backward = b && theirs.length === 1 ? right(b.layer) : undefined;
  const merged = backward && recogniseMethods(backward, ours).next().value;
  if (merged) return { kind: 'merged', found: merged, form: backward };
  if (theirs.length > ours.length) return { kind: 'factored' };
  return { kind: theirs.length < ours.length ? 'merged' : 'changed' };
}

function figures({ model, analyzed: { analysis } }: ComparedModel): ComparedFigures {
  let nodes = 0;
  for (const graph of allGraphs(model.graph)) nodes += graph.nodes.length;
  return {
    file: analysis.file,
    bytes: analysis.bytes,
    parameters: analysis.parameters.stored,
    macs: analysis.macs,
    activationBytes: analysis.activationBytes,
    opset: analysis.opset ?? 0,
    nodes,
    layers: analysis.layers.length,
  };
}

/** Inputs or outputs that are not the same: then the models can't take each other's place. */
function interfaceProblems(
  before: ComparedModel,
  after: ComparedModel,
  which: 'inputs' | 'outputs',
): readonly Problem[] {
  const word = which === 'inputs' ? 'input' : 'output';
  const problem = (message: string): Problem => ({ code: `other-${which}`, message });
  const [a, b] = [before, after].map(({ model }) => publicValues(model.graph, which)) as [
    ReadonlyMap<string, string>,
    ReadonlyMap<string, string>,
  ];
  return [
    ...[...a].flatMap(([name, type]) => {
      const other = b.get(name);
      if (other === undefined) return [problem(`Only the first model has the ${word} "${name}" (${type}).`)];
      return other === type
        ? []
        : [problem(`The ${word} "${name}" is ${type} in the first model and ${other} in the second.`)];
    }),
    ...[...b].flatMap(([name, type]) =>
      a.has(name) ? [] : [problem(`Only the second model has the ${word} "${name}" (${type}).`)],
    ),
  ];
}

function publicValues(graph: Graph, which: 'inputs' | 'outputs'): ReadonlyMap<string, string> {
  const stored = new Set(graph.initializers.map(({ name }) => name));
  const infos = graph[which].filter(({ name }) => which === 'outputs' || !stored.has(name));
  return new Map(infos.map((info) => [info.name, typeText(info)]));
}

/** The declared type of a value: "float, N × 3 × 224 × 224". */
function typeText({ kind, type, shape }: ValueInfo): string {
  return kind === 'tensor' ? `${elementName(type)}, ${formatShape(shape)}` : kind;
}
