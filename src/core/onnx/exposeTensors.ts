import { Element } from './elements';
import type { Graph, Model, Node, Span } from './model';
import { freshNames, namesRead, nestedGraphs } from './names';
import { encodeNode, encodeOutput } from './proto';
import type { ShapeTable } from './shapes/inferShapes';
import { type Edit, field, type Segment, splice } from './splice';

/** What of a tensor a model is to give out. */
export interface Wanted {
  readonly name: string;
  /** Its elements, or its sizes only: an int64 vector. */
  readonly what: 'values' | 'shape';
}

/** Where a wanted tensor is found once the model runs. */
export type Place =
  /** Among the outputs, under this name. */
  | { readonly kind: 'output'; readonly name: string }
  /** Among what the caller feeds. */
  | { readonly kind: 'input' }
  /** Nowhere, as a sentence. */
  | { readonly kind: 'refused'; readonly reason: string };

/** A model that gives out some of what it computes on the way. */
export interface Exposed {
  /** The file: that of the model but for what has changed. Data files are found where the model finds them. */
  readonly segments: readonly Segment[];
  /** One for each wanted tensor, in that order. */
  readonly places: readonly Place[];
}

/** Field numbers of GraphProto. */
const NODE = 1;
const OUTPUT = 12;

/**
 * The model with tensors of its main graph as further outputs. A type that runtimes don't hand out (bfloat16) is given
 * as float. With `only`, it gives out nothing else, and what is needed for other outputs alone is left away: a
 * model whose first layers are asked for runs no further than these. `shapes` are those of the model, for the types.
 */
export function exposeTensors(
  model: Model,
  shapes: ShapeTable,
  wanted: readonly Wanted[],
  options: { readonly only?: boolean } = {},
): Exposed {
  const { graph } = model;
  const fresh = freshNames(model);
  const kinds = tensorKinds(model);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const known = new Map<string, Place>();
  const added: { readonly output: Uint8Array; readonly node?: Uint8Array }[] = [];

  const placeOf = ({ name, what }: Wanted): Place => {
    const kind = kinds.get(name);
    if (kind?.kind !== 'computed') return unexposed(model, name, kind);
    const fact = shapes.fact(name);
    if (fact && fact.kind !== 'tensor')
      return refused(`"${name}" is a ${fact.kind}, not a tensor, so it has no values to collect.`);
    const type = fact?.type ?? 0;
    const step = what === 'shape' ? SHAPE : type === Element.bfloat16 ? CAST : undefined;
    if (!step) {
      if (!outputs.has(name)) added.push({ output: encodeOutput(name, type) });
      return { kind: 'output', name };
    }
    const output = fresh(`${name}_${step.suffix}`);
    const node = encodeNode({ ...step.node, name: output, inputs: [name], outputs: [output] });
    added.push({ node, output: encodeOutput(output, step.type) });
    return { kind: 'output', name: output };
  };
  const places = wanted.map((one) => {
    const key = `${one.what} ${one.name}`;
    const place = known.get(key) ?? placeOf(one);
    known.set(key, place);
    return place;
  });

  const edits: Edit[] = [];
  if (options.only) {
    const needed = new Set(wanted.filter((_, i) => places[i]!.kind === 'output').map(({ name }) => name));
    const values = wanted.flatMap(({ name, what }) => (what === 'values' ? [name] : []));
    const direct = new Set(values.filter((name) => outputs.has(name)));
    edits.push(...removals(model, needed, direct));
  }
  const nodes = added.flatMap(({ node }) => (node ? field(NODE, node) : []));
  const infos = added.flatMap(({ output }) => field(OUTPUT, output));
  if (nodes.length > 0) edits.push(insertion(graph, endOf(graph.nodes), nodes));
  if (infos.length > 0) edits.push(insertion(graph, endOf(graph.outputs), infos));
  return { segments: splice(model, edits), places };
}

const SHAPE = { suffix: 'shape', type: Element.int64, node: { opType: 'Shape' } } as const;
const CAST = {
  suffix: 'float',
  type: Element.float,
  node: {
    opType: 'Cast',
    attributes: new Map([['to', { kind: 'int', value: Element.float }]] as const),
  },
} as const;

/** What gives a name of the main graph its value; or the node inside of which only it exists. */
type TensorKind =
  | { readonly kind: 'computed' | 'input' | 'constant' }
  | { readonly kind: 'inner'; readonly node: Node };

function tensorKinds({ graph, irVersion }: Model): ReadonlyMap<string, TensorKind> {
  const kinds = new Map<string, TensorKind>();
  const inside = (around: Node, inner: Graph): void => {
    for (const node of inner.nodes) {
      for (const name of node.outputs) if (name) kinds.set(name, { kind: 'inner', node: around });
      for (const body of nestedGraphs(node)) inside(around, body);
    }
  };
  for (const node of graph.nodes) for (const body of nestedGraphs(node)) inside(node, body);
  const constants = [...graph.initializers.map(({ name }) => name), ...graph.sparseInitializers];
  for (const name of constants) kinds.set(name, { kind: 'constant' });
  for (const { name } of graph.inputs) {
    // Before IR version 4 every initializer had to be declared as an input too; since then it is a default.
    if (irVersion >= 4 || kinds.get(name)?.kind !== 'constant') kinds.set(name, { kind: 'input' });
  }
  for (const node of graph.nodes)
    for (const name of node.outputs) if (name) kinds.set(name, { kind: 'computed' });
  return kinds;
}

function unexposed(model: Model, name: string, kind: TensorKind | undefined): Place {
  switch (kind?.kind) {
    case 'input':
      return { kind: 'input' };
    case 'constant':
      return refused(`"${name}" is a constant, so it is the same for all data.`);
    case 'inner': {
      const { node } = kind;
      const label = node.name || node.outputs.find(Boolean) || node.opType;
      return refused(
        `"${name}" is computed inside the body of "${label}" (${node.opType}), out of which nothing but its outputs can be read.`,
      );
    }
    default:
      return refused(`${model.source.name} has no tensor "${name}".`);
  }
}

const refused = (reason: string): Place => ({ kind: 'refused', reason });

/** Edits that take away the outputs that are not in `kept`, and nodes and initializers that no tensor in `needed` depends on. */
export function removals(
  { graph, irVersion }: Model,
  needed: ReadonlySet<string>,
  kept: ReadonlySet<string>,
): readonly Edit[] {
  const live = new Set(needed);
  const dead: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (node.outputs.some((name) => live.has(name))) for (const name of namesRead(node)) live.add(name);
    else dead.push(node);
  }
  const unused = graph.initializers.filter(({ name }) => !live.has(name));
  const names = new Set(unused.map(({ name }) => name));
  const declared = graph.inputs.filter(({ name }) => names.has(name));
  // Since IR version 4 an initializer among the inputs is a default, and callers may feed that input.
  const overridable = new Set(irVersion >= 4 ? declared.map(({ name }) => name) : []);
  return [
    ...graph.outputs.filter(({ name }) => !kept.has(name)),
    ...dead,
    ...unused.filter(({ name }) => !overridable.has(name)),
    ...declared.filter(({ name }) => !overridable.has(name)),
  ].map(({ span }) => removal(graph, span));
}

function removal({ container }: Graph, { start, end }: Span): Edit {
  return { container, span: { start, end }, replacement: [] };
}

function insertion({ container }: Graph, end: number, replacement: readonly Uint8Array[]): Edit {
  const at = end || container.end;
  return { container, span: { start: at, end: at }, replacement };
}

function endOf(items: readonly { readonly span: Span }[]): number {
  return items.reduce((end, item) => Math.max(end, item.span.end), 0);
}
