import type { Attribute, DeclaredType, ElementType, Graph, Node, Tensor } from '../model';
import { type Dim, isSymbolic } from './dim';
import { countOf, type Fact, foldLimit, type TensorFact, tensor, UNKNOWN } from './fact';

/** Thrown by a rule that cannot say anything, or finds the node wrong: its outputs stay unknown. */
export class Unfit extends Error {}

/** Leaves the rule: the node's outputs stay unknown. */
export function unfit(): never {
  throw new Unfit();
}

/** Ends the rule unless `condition` holds. */
export function require(condition: boolean): asserts condition {
  if (!condition) unfit();
}

/** A small tensor with its elements. */
export interface Small {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly values: readonly Dim[];
}

/** What the surroundings offer to the rules of nodes with bodies. */
export interface Surroundings {
  /** The outputs of `graph` for these inputs; it sees the values around the node. */
  runBody(graph: Graph, inputs: readonly Fact[]): readonly Fact[];
  /** How often the bodies of the node run: 1 where the rule does not say; null: unknown. */
  setTrips(trips: Dim): void;
  /** A declared type as a fact; undefined for kinds that nothing is known about. */
  declared(type: DeclaredType): Fact | undefined;
  /** A fact about a constant tensor, its elements read when asked for. */
  constantOf(tensor: Tensor): TensorFact;
}

/** One node as its rule sees it: inputs by position, attributes by name. Everything odd reads as absent. */
export interface Call extends Surroundings {
  readonly node: Node;
  /** Version of the operator set of the node's domain. */
  readonly opset: number;
  /** Number of inputs, absent ones in between included. */
  readonly arity: number;
  has(input: number): boolean;
  fact(input: number): Fact;
  input(input: number): TensorFact;
  type(input: number): ElementType;
  shape(input: number): readonly Dim[] | null;
  /** The elements of a small constant input. */
  small(input: number): Small | undefined;
  /** The elements of a small constant input, if all of them are numbers. */
  numbers(input: number): readonly number[] | undefined;
  attribute(name: string): Attribute | undefined;
  int(name: string, fallback: number): number;
  float(name: string, fallback: number): number;
  text(name: string, fallback: string): string;
  ints(name: string): readonly number[] | undefined;
}

/** How an operator's outputs follow from its inputs. One fact stands for a single output. */
export type Rule = (call: Call) => Fact | readonly Fact[];

/** Rules by operator: `Conv`, or `com.microsoft::FusedConv` outside the standard domain. */
export type RuleTable = ReadonlyMap<string, Rule>;

/** One rule for several operators. */
export function forAll(names: string, rule: Rule, domain = ''): [string, Rule][] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => [domain ? `${domain}::${name}` : name, rule]);
}

export function createCall(
  node: Node,
  opset: number,
  inputs: readonly (Fact | undefined)[],
  callerAttributes: ReadonlyMap<string, Attribute>,
  surroundings: Surroundings,
): Call {
  const input = (i: number): TensorFact => {
    const fact = inputs[i];
    return fact?.kind === 'tensor' ? fact : UNKNOWN;
  };
  const attribute = (name: string): Attribute | undefined => {
    const found = node.attributes.get(name);
    return found?.kind === 'reference' ? callerAttributes.get(found.value) : found;
  };
  const small = (i: number): Small | undefined => smallOf(input(i));
  return {
    ...surroundings,
    node,
    opset,
    arity: node.inputs.length,
    has: (i) => (node.inputs[i] ?? '') !== '',
    fact: (i) => inputs[i] ?? UNKNOWN,
    input,
    type: (i) => input(i).type,
    shape: (i) => input(i).shape,
    small,
    numbers(i) {
      const values = small(i)?.values;
      return values && areNumbers(values) ? values : undefined;
    },
    attribute,
    int(name, fallback) {
      const a = attribute(name);
      return a?.kind === 'int' ? a.value : fallback;
    },
    float(name, fallback) {
      const a = attribute(name);
      return a?.kind === 'float' ? a.value : fallback;
    },
    text(name, fallback) {
      const a = attribute(name);
      return a?.kind === 'string' ? a.value : fallback;
    },
    ints(name) {
      const a = attribute(name);
      return a?.kind === 'ints' ? a.value : undefined;
    },
  };
}

/** The elements of a fact, where it is a small constant. */
export function smallOf(fact: TensorFact): Small | undefined {
  const count = countOf(fact);
  if (!fact.values || count === undefined || count > foldLimit(fact.type)) return undefined;
  const values = fact.values();
  if (!values || values.length !== count || !areNumbers(fact.shape!)) return undefined;
  return { type: fact.type, shape: fact.shape, values };
}

/** Whether all of the sizes are numbers. */
export function areNumbers(dims: readonly Dim[]): dims is readonly number[] {
  return dims.every((d) => typeof d === 'number');
}

/** An axis counted from the front; negative ones count from the back. */
export function axisOf(axis: number, order: number): number {
  require(Number.isInteger(axis) && axis >= -order && axis < order);
  return axis < 0 ? axis + order : axis;
}

/** Axes counted from the front; naming one twice is wrong. */
export function axesOf(axes: readonly number[], order: number): readonly number[] {
  const found = axes.map((a) => axisOf(a, order));
  require(new Set(found).size === found.length);
  return found;
}

/** A copy of `dims` with one of them replaced. */
export function withDim(dims: readonly Dim[], axis: number, dim: Dim): readonly Dim[] {
  return dims.map((d, i) => (i === axis ? dim : d));
}

/** `order` unknown dimensions. */
export function unknownDims(order: number): readonly Dim[] {
  // Orders come from files: nobody has a tensor of a hundred dimensions.
  require(Number.isInteger(order) && order >= 0 && order <= 64);
  return new Array<Dim>(order).fill(null);
}

/** The number of elements of a one-dimensional input, which often is the order of the output. */
export function lengthOf(call: Call, input: number): number | undefined {
  const shape = call.shape(input);
  const length = shape?.length === 1 ? shape[0]! : undefined;
  return typeof length === 'number' ? length : undefined;
}

/** The output has the type and shape of an input. */
export function sameAs(input: number): Rule {
  return (call) => tensor(call.type(input), call.shape(input));
}

/** Two sizes that must be the same: the one that is known better. */
export function agreed(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') {
    require(a === b);
    return a;
  }
  if (typeof b === 'number' || a === null) return b;
  return isSymbolic(a) || typeof a === 'number' ? a : b;
}

/** The one element of a constant scalar input; null where it isn't known. */
export function scalarOf(call: Call, input: number): Dim {
  const shape = call.shape(input);
  require(
    !shape || shape.length === 0 || (shape.length === 1 && (shape[0] === 1 || typeof shape[0] !== 'number')),
  );
  return call.small(input)?.values[0] ?? null;
}
