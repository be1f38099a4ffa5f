import { elementBytes } from './elements';
import type { Graph, Model, Node } from './model';
import { add, bindDim, ceilDiv, type Dim, max, mul, productOf } from './shapes/dim';
import type { Fact } from './shapes/fact';
import type { Body, ShapeTable } from './shapes/inferShapes';

/** The memory that intermediate values need while a model runs. */
export interface Activations {
  /** The most bytes that are needed at once; null while the size of a value is unknown. */
  readonly peak: number | null;
  /** The node of the main graph during which that is; undefined if nothing is computed. */
  readonly at: Node | undefined;
  /** What the peak is not known for: values without a size, nodes whose bodies could not be looked into. */
  readonly unknown: readonly string[];
}

/** Bytes that a node moves: what arithmetic intensity (MACs per byte) divides by. */
export interface Traffic {
  readonly read: Dim;
  readonly written: Dim;
}

/**
 * The peak of live bytes when nodes run in the order of the file, one after the other: a value lives from the node
 * that computes it to the last that reads it, outputs of the graph to the end, and no node works in place. Not
 * counted: inputs of the graph, initializers, and what is computed from constants alone, which runtimes do once when
 * they load a model. While a body runs, its own values add to those around the node; an If runs its dearer branch.
 * `bind` gives sizes to symbols that are still free.
 *
 * `instead` says what others need that will take the place of a node: the most bytes of their inputs and outputs that are
 * there at once, null for unknown. An input that is read again later counts beside that, so that the peak may come out too
 * high, never too low.
 */
export function peakActivations(
  model: Model,
  shapes: ShapeTable,
  bind: ReadonlyMap<string, number> = new Map(),
  instead: ReadonlyMap<Node, number | null> = new Map(),
): Activations {
  const run: Run = { bind, instead, unknown: [] };
  const main: Frame = {
    nodes: model.graph.nodes,
    shapes,
    outputs: new Set(model.graph.outputs.map((output) => output.name)),
    ownsOutputs: true,
    constants: new Set(constantNames(model.graph)),
    prefix: '',
  };
  const { peak, at } = peakOf(run, main);
  return { peak: run.unknown.length > 0 ? null : peak, at, unknown: run.unknown };
}

/**
 * The bytes that a node reads and writes, weights included and every value once. What picks elements (Gather, Slice)
 * reads as much as it writes, what asks for a shape reads nothing. A loop moves the bytes of its body in every
 * iteration, an If those of its dearer branch.
 */
export function nodeTraffic(node: Node, shapes: ShapeTable): Traffic {
  const bodies = shapes.bodies(node);
  if (bodies.length > 0) return bodyTraffic(node, bodies);
  if (hasGraph(node)) return { read: null, written: null };
  const written = sum(namesOf(node.outputs), shapes);
  const names = namesOf(node.inputs);
  if (node.domain === '' && SHAPE_ONLY.has(node.opType)) return { read: 0, written };
  if (node.domain === '' && PICKS.has(node.opType)) {
    return { read: add(written, sum(names.slice(1), shapes)), written };
  }
  return { read: sum(names, shapes), written };
}

const SHAPE_ONLY = new Set(['Shape', 'Size']);
const PICKS = new Set(['Gather', 'GatherElements', 'GatherND', 'Slice']);

function bodyTraffic(node: Node, bodies: readonly Body[]): Traffic {
  let total: Traffic = { read: 0, written: 0 };
  for (const { nodes, shapes, trips } of bodies) {
    let body: Traffic = { read: 0, written: 0 };
    for (const inner of nodes) {
      const one = nodeTraffic(inner, shapes);
      body = { read: add(body.read, one.read), written: add(body.written, one.written) };
    }
    const join = node.opType === 'If' ? max : add;
    total = {
      read: join(total.read, mul(body.read, trips)),
      written: join(total.written, mul(body.written, trips)),
    };
  }
  return total;
}

function namesOf(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name) => name !== ''))];
}

function sum(names: readonly string[], shapes: ShapeTable): Dim {
  return names.map((name) => factBytes(shapes.fact(name))).reduce<Dim>(add, 0);
}

/** The bytes of a value; null for strings, maps, and what is not known. Sub-byte elements are packed. */
function factBytes(fact: Fact | undefined): Dim {
  if (!fact || fact.kind === 'map') return null;
  if (fact.kind !== 'tensor') {
    return mul(factBytes(fact.element), fact.kind === 'optional' ? 1 : (fact.length ?? null));
  }
  const bits = elementBytes(fact.type, 8);
  if (bits === 0 || fact.shape === null) return null;
  const count = productOf(fact.shape);
  return bits >= 8 ? mul(count, bits / 8) : ceilDiv(mul(count, bits), 8);
}

interface Run {
  readonly bind: ReadonlyMap<string, number>;
  readonly instead: ReadonlyMap<Node, number | null>;
  readonly unknown: string[];
}

/** One list of nodes that runs. */
interface Frame {
  readonly nodes: readonly Node[];
  readonly shapes: ShapeTable;
  readonly outputs: ReadonlySet<string>;
  /** Whether the outputs take memory here: those of a branch are those of its node. */
  readonly ownsOutputs: boolean;
  /** Values that are no activations; grows by what is computed from them. */
  readonly constants: Set<string>;
  readonly prefix: string;
}

function peakOf(run: Run, frame: Frame): { readonly peak: number; readonly at: Node | undefined } {
  const { nodes, shapes, outputs, constants } = frame;
  const lastUse = new Map<string, number>();
  for (const [i, node] of nodes.entries()) for (const name of usesOf(node)) lastUse.set(name, i);
  const live = new Map<string, number>();
  let bytes = 0;
  let peak = 0;
  let at: Node | undefined;
  const free = (name: string): void => {
    bytes -= live.get(name) ?? 0;
    live.delete(name);
  };
  for (const [i, node] of nodes.entries()) {
    const made = namesOf(node.outputs);
    if (isConstant(node, constants)) {
      for (const name of made) constants.add(name);
      continue;
    }
    for (const name of made) {
      free(name);
      if (outputs.has(name) && !frame.ownsOutputs) continue;
      const size = bindDim(factBytes(shapes.fact(name)), run.bind);
      if (typeof size !== 'number') run.unknown.push(frame.prefix + name);
      else live.set(name, size);
      bytes += live.get(name) ?? 0;
    }
    const ends = new Set(
      [...made, ...usesOf(node)].filter((name) => !outputs.has(name) && (lastUse.get(name) ?? i) <= i),
    );
    const others = run.instead.get(node);
    if (others === null) run.unknown.push(frame.prefix + (node.name || made[0] || node.opType));
    const own = [...new Set([...made, ...ends])].reduce((sum, name) => sum + (live.get(name) ?? 0), 0);
    const needed = others == null ? bytes + innerPeak(run, frame, node) : bytes - own + others;
    if (needed > peak || at === undefined) {
      peak = needed;
      at = node;
    }
    for (const name of ends) free(name);
  }
  return { peak, at };
}

/** What the bodies of a node need on top of its inputs and outputs: they run one at a time. */
function innerPeak(run: Run, frame: Frame, node: Node): number {
  const bodies = frame.shapes.bodies(node);
  const label = frame.prefix + (node.name || node.outputs.find((o) => o !== '') || node.opType);
  if (bodies.length === 0 && hasGraph(node)) run.unknown.push(label);
  let peak = 0;
  for (const { nodes, graph, outputs, shapes } of bodies) {
    const inner = peakOf(run, {
      nodes,
      shapes,
      outputs: new Set(outputs),
      // A loop keeps what the last iteration returned until the next has returned its own.
      ownsOutputs: graph !== undefined && node.opType !== 'If',
      constants: new Set(graph ? [...frame.constants, ...constantNames(graph)] : []),
      prefix: `${label}/`,
    });
    peak = Math.max(peak, inner.peak);
  }
  return peak;
}

function constantNames(graph: Graph): readonly string[] {
  return [...graph.initializers.map((t) => t.name), ...graph.sparseInitializers];
}

/** Whether a node computes the same in every run. */
function isConstant(node: Node, constants: ReadonlySet<string>): boolean {
  if (hasGraph(node) || /^(Random|Bernoulli|Multinomial)/.test(node.opType)) return false;
  return node.inputs.every((name) => name === '' || constants.has(name));
}

function hasGraph(node: Node): boolean {
  return graphsOf(node).length > 0;
}

function graphsOf(node: Node): readonly Graph[] {
  const found: Graph[] = [];
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === 'graph') found.push(attribute.value);
    else if (attribute.kind === 'graphs') found.push(...attribute.value);
  }
  return found;
}

/** The values that a node reads, by its inputs or from inside its bodies. */
function usesOf(node: Node): readonly string[] {
  const graphs = graphsOf(node);
  if (graphs.length === 0) return node.inputs;
  const inside = graphs.flatMap((graph) => [
    ...graph.nodes.flatMap(usesOf),
    ...graph.outputs.map((output) => output.name),
  ]);
  return [...node.inputs, ...inside];
}
