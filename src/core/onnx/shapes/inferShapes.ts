import { Element } from '../elements';
import type {
  Attribute,
  DeclaredDim,
  DeclaredType,
  ElementType,
  Graph,
  Model,
  ModelFunction,
  Node,
  Tensor,
} from '../model';
import { type OpenExternal, readSmall } from '../tensorData';
import { type Call, createCall, Unfit } from './call';
import { type Dim, productOf, symbol, symbolsOf } from './dim';
import { constant, type Fact, filledFact, foldLimit, type TensorFact, tensor, UNKNOWN } from './fact';
import { RULES } from './rules';

/** What is known about the values of one graph. */
export interface ShapeTable {
  /** The type and shape of a tensor; undefined where nothing is known, or the value is no tensor. */
  get(name: string): ValueShape | undefined;
  /** The tensors of the graph about which anything is known, by name. */
  entries(): Iterable<readonly [string, ValueShape]>;
  /** All that is known about a value of the graph or of the graphs around it. */
  fact(name: string): Fact | undefined;
  /** The symbols that the graph's inputs bring in and nobody has bound. */
  readonly symbols: readonly string[];
  /** A node of this graph with what is known about its inputs. */
  call(node: Node): Call;
  /** What a node of this graph runs: its branches, its loop body, the function it calls. */
  bodies(node: Node): readonly Body[];
}

/** The type (0: unknown) and shape of a tensor; null where not even the order is known. */
export interface ValueShape {
  readonly type: ElementType;
  readonly shape: readonly Dim[] | null;
}

/** One graph that runs inside a node. */
export interface Body {
  readonly nodes: readonly Node[];
  /** What the nodes stand in; undefined for the body of a function. */
  readonly graph: Graph | undefined;
  /** The values it returns. */
  readonly outputs: readonly string[];
  readonly shapes: ShapeTable;
  /** How often it runs each time the node does; null: unknown. */
  readonly trips: Dim;
}

export interface ShapeOptions {
  /**
   * Sizes for symbols: for named dimensions (`batch`) and for unnamed ones of inputs (`x[2]`). An input that is a
   * single whole number or a bool (a sampling rate, a switch) may be given its value by its name, too: sizes and
   * branches may hang on it.
   */
  readonly bind: ReadonlyMap<string, number>;
  readonly openExternal: OpenExternal;
}

/** Functions and bodies may nest this deep. */
const MAX_DEPTH = 32;
/** Nodes of bodies and functions that are looked at in all: nested calls multiply. */
const MAX_INNER_NODES = 200_000;

/**
 * Infers what can be said about every value without running the model: a rule per operator, with small
 * integer constants computed and sizes kept as expressions where they depend on the input. Never throws for
 * odd graphs: what a rule cannot make sense of stays unknown.
 */
export function inferShapes(model: Model, options: ShapeOptions): ShapeTable {
  const functions = new Map(model.functions.map((f) => [`${f.domain}::${f.name}`, f]));
  const run: Run = { model, options, functions, innerNodes: 0, constants: new Map() };
  const symbols = new Set<string>();
  const inputs = new Map<string, Fact>();
  for (const input of model.graph.inputs) {
    if (input.kind !== 'tensor') {
      const fact = declaredFact(run, input);
      if (fact) inputs.set(input.name, fact);
      continue;
    }
    const shape = input.shape?.map((d, axis) => inputDim(run, d, `${input.name}[${axis}]`)) ?? null;
    inputs.set(input.name, boundValue(run, input.name, input.type, shape) ?? tensor(input.type, shape));
  }
  const stored = new Set(model.graph.initializers.map((t) => t.name));
  for (const [name, fact] of inputs) {
    // A default value has the sizes of the initializer.
    if (stored.has(name) || fact.kind !== 'tensor') continue;
    for (const d of fact.shape ?? []) for (const s of symbolsOf(d)) symbols.add(s);
  }
  const scope: Scope = { facts: inputs, outer: undefined, opsets: model.opsets, attributes: new Map() };
  return inferGraph(run, model.graph, scope, 0, [...symbols]).table;
}

/** One inference over one model. */
interface Run {
  readonly model: Model;
  readonly options: ShapeOptions;
  readonly functions: ReadonlyMap<string, ModelFunction>;
  /** Facts about tensors, so that none is read twice. */
  readonly constants: Map<Tensor, TensorFact>;
  innerNodes: number;
}

/** The values a node can see. */
interface Scope {
  readonly facts: Map<string, Fact>;
  readonly outer: Scope | undefined;
  readonly opsets: ReadonlyMap<string, number>;
  /** In the body of a function: the attributes of the call. */
  readonly attributes: ReadonlyMap<string, Attribute>;
}

function lookUp(scope: Scope, name: string): Fact | undefined {
  for (let s: Scope | undefined = scope; s; s = s.outer) {
    const fact = s.facts.get(name);
    if (fact) return fact;
  }
  return undefined;
}

function inputDim(run: Run, declared: DeclaredDim, unnamed: string): Dim {
  if (typeof declared === 'number') return Number.isSafeInteger(declared) ? declared : null;
  const name = declared ?? unnamed;
  const bound = run.options.bind.get(name);
  return bound !== undefined && Number.isSafeInteger(bound) && bound >= 0 ? bound : symbol(name);
}

/** An input of one element whose value is given; undefined for all others. */
function boundValue(
  run: Run,
  name: string,
  type: ElementType,
  shape: readonly Dim[] | null,
): TensorFact | undefined {
  const value = run.options.bind.get(name);
  const isWhole = type === Element.int64 || type === Element.int32 || type === Element.bool;
  if (value === undefined || !Number.isSafeInteger(value) || !isWhole || !shape) return undefined;
  return productOf(shape) === 1 ? constant(type, shape, [value]) : undefined;
}

/** A declared type as a fact; undefined for kinds that nothing is known about. */
function declaredFact(run: Run, declared: DeclaredType): Fact | undefined {
  const { kind, type } = declared;
  if (kind === 'other') return undefined;
  if (kind === 'tensor') return tensor(type, declaredShape(run, declared));
  const element = (declared.element && declaredFact(run, declared.element)) ?? UNKNOWN;
  if (kind === 'optional') return { kind, element };
  // The elements of a list may differ in what has a name only.
  const inside =
    element.kind === 'tensor' ? tensor(element.type, element.shape?.map(numberOnly) ?? null) : element;
  return kind === 'map' ? { kind, key: type, element: inside } : { kind, element: inside };
}

function numberOnly(dim: Dim): Dim {
  return typeof dim === 'number' ? dim : null;
}

function declaredShape(run: Run, declared: DeclaredType): readonly Dim[] | null {
  return declared.shape?.map((d) => (d === null ? null : inputDim(run, d, ''))) ?? null;
}

/** What the graph itself declares about its values. */
function declarations(run: Run, graph: Graph): Map<string, Fact> {
  const facts = new Map<string, Fact>();
  for (const info of [...graph.outputs, ...graph.valueInfo]) {
    const fact = declaredFact(run, info);
    if (fact) facts.set(info.name, fact);
  }
  return facts;
}

interface Inferred {
  readonly table: ShapeTable;
  readonly outputs: readonly Fact[];
}

function inferGraph(
  run: Run,
  graph: Graph,
  scope: Scope,
  depth: number,
  symbols: readonly string[],
): Inferred {
  for (const initializer of graph.initializers) {
    scope.facts.set(initializer.name, constantOf(run, initializer));
  }
  for (const { name, type, dims } of graph.sparseTensors ?? [])
    scope.facts.set(name, checked(tensor(type, dims)));
  const declared = declarations(run, graph);
  const table = inferNodes(run, graph.nodes, scope, declared, depth, symbols);
  return { table, outputs: graph.outputs.map((output) => lookUp(scope, output.name) ?? UNKNOWN) };
}

function inferNodes(
  run: Run,
  nodes: readonly Node[],
  scope: Scope,
  declared: ReadonlyMap<string, Fact>,
  depth: number,
  symbols: readonly string[],
): ShapeTable {
  const bodies = new Map<Node, readonly Body[]>();
  for (const node of nodes) {
    if (depth > 0 && ++run.innerNodes > MAX_INNER_NODES) break;
    const found: Body[] = [];
    const results = inferNode(run, node, scope, depth, found);
    // Once the limit is passed, bodies are incomplete: nobody must take their parts for the whole.
    if (found.length > 0 && run.innerNodes <= MAX_INNER_NODES) bodies.set(node, found);
    node.outputs.forEach((name, i) => {
      if (name === '') return;
      const known = declared.get(name);
      const fact = results[i] ?? UNKNOWN;
      scope.facts.set(name, known ? filledFact(fact, known) : fact);
    });
  }
  const get = (name: string): ValueShape | undefined => {
    const fact = scope.facts.get(name);
    if (fact?.kind !== 'tensor' || (fact.type === 0 && fact.shape === null)) return undefined;
    return { type: fact.type, shape: fact.shape };
  };
  return {
    get,
    *entries() {
      for (const name of scope.facts.keys()) {
        const value = get(name);
        if (value) yield [name, value] as const;
      }
    },
    fact: (name) => lookUp(scope, name),
    symbols,
    call: (node) => callOf(run, node, scope, NOWHERE),
    bodies: (node) => bodies.get(node) ?? [],
  };
}

const NOWHERE = { runBody: () => [], setTrips: () => undefined };

function callOf(run: Run, node: Node, scope: Scope, around: Pick<Call, 'runBody' | 'setTrips'>): Call {
  const inputs = node.inputs.map((name) => (name === '' ? undefined : lookUp(scope, name)));
  const opset = scope.opsets.get(node.domain) ?? run.model.opsets.get(node.domain) ?? 1;
  return createCall(node, opset, inputs, scope.attributes, {
    ...around,
    declared: (type) => declaredFact(run, type),
    constantOf: (t) => constantOf(run, t),
  });
}

/** The facts about a node's outputs; what it runs inside goes into `bodies`. */
function inferNode(run: Run, node: Node, scope: Scope, depth: number, bodies: Body[]): readonly Fact[] {
  const called = run.functions.get(`${node.domain}::${node.opType}`);
  const rule = called ? undefined : RULES.get(node.domain ? `${node.domain}::${node.opType}` : node.opType);
  if ((!rule && !called) || depth >= MAX_DEPTH) return [];
  // A loop runs its body several times before the facts about it are final: the last one counts.
  const byGraph = new Map<Graph, Body>();
  let trips: Dim = 1;
  const call = callOf(run, node, scope, {
    runBody(graph, inputs) {
      const inner: Scope = { ...scope, facts: new Map(), outer: scope };
      bindInputs(run, graph, inputs, inner);
      const { table, outputs } = inferGraph(run, graph, inner, depth + 1, []);
      const returned = graph.outputs.map((output) => output.name);
      byGraph.set(graph, { nodes: graph.nodes, graph, outputs: returned, shapes: table, trips: 1 });
      return outputs;
    },
    setTrips: (value) => {
      trips = value;
    },
  });
  try {
    if (called) return inferFunction(run, node, called, call, depth, bodies);
    const result = rule!(call);
    for (const body of byGraph.values()) bodies.push({ ...body, trips });
    return (Array.isArray(result) ? result : [result as Fact]).map(checked);
  } catch (error) {
    if (error instanceof Unfit) return [];
    throw error;
  }
}

/** Sizes that no tensor has come from wrong nodes: they are not passed on. */
function checked(fact: Fact): Fact {
  if (fact.kind !== 'tensor') return { ...fact, element: checked(fact.element) };
  const isWrong = (d: Dim) => typeof d === 'number' && !(Number.isSafeInteger(d) && d >= 0);
  if (!fact.shape?.some(isWrong)) return fact;
  return tensor(
    fact.type,
    fact.shape.map((d) => (isWrong(d) ? null : d)),
  );
}

/** Gives the inputs of a body their names; what the body declares about them fills the gaps. */
function bindInputs(run: Run, graph: Graph, inputs: readonly Fact[], scope: Scope): void {
  graph.inputs.forEach((input, i) => {
    const declared = declaredFact(run, input) ?? UNKNOWN;
    scope.facts.set(input.name, filledFact(inputs[i] ?? UNKNOWN, declared));
  });
}

function inferFunction(
  run: Run,
  node: Node,
  called: ModelFunction,
  call: Call,
  depth: number,
  bodies: Body[],
): readonly Fact[] {
  const attributes = new Map<string, Attribute>();
  for (const name of node.attributes.keys()) {
    const value = call.attribute(name);
    if (value) attributes.set(name, value);
  }
  const scope: Scope = { facts: new Map(), outer: undefined, opsets: called.opsets, attributes };
  called.inputs.forEach((name, i) => {
    if (call.has(i)) scope.facts.set(name, call.fact(i));
  });
  const shapes = inferNodes(run, called.nodes, scope, new Map(), depth + 1, []);
  bodies.push({ nodes: called.nodes, graph: undefined, outputs: called.outputs, shapes, trips: 1 });
  return called.outputs.map((name) => scope.facts.get(name) ?? UNKNOWN);
}

function constantOf(run: Run, stored: Tensor): TensorFact {
  const known = run.constants.get(stored);
  if (known) return known;
  let read: readonly number[] | undefined;
  let isRead = false;
  const fact: TensorFact = {
    kind: 'tensor',
    type: stored.type,
    shape: stored.dims,
    values() {
      if (!isRead) {
        isRead = true;
        try {
          read = readSmall(run.model, stored, run.options.openExternal, foldLimit(stored.type));
        } catch {
          // A payload that does not decode is an unknown value here; whoever needs it says what is wrong.
        }
      }
      return read;
    },
  };
  run.constants.set(stored, fact);
  return fact;
}
