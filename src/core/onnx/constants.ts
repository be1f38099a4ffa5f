import { Element, elementCount, isFactorableType } from './elements';
import type { ElementType, Graph, Node, Tensor } from './model';
import type { Value, ValueTable } from './values';

/** One step from a stored tensor to the constant a node sees. */
export type ConstantStep =
  /** Axis i of the result is axis `permutation[i]` of what comes in. */
  | { readonly kind: 'transpose'; readonly permutation: readonly number[]; readonly dims: readonly number[] }
  /** Other dimensions, the same elements in the same order. */
  | { readonly kind: 'reshape'; readonly dims: readonly number[] }
  /** Rounded to another element type. */
  | { readonly kind: 'cast'; readonly type: ElementType; readonly dims: readonly number[] };

/** Where the elements of a constant come from. */
export type ConstantSource =
  | { readonly kind: 'tensor'; readonly tensor: Tensor; readonly dims: readonly number[] }
  /** ConstantOfShape: one element throughout, that of `tensor`; zeros without one. */
  | { readonly kind: 'fill'; readonly tensor: Tensor | undefined; readonly dims: readonly number[] };

/** A constant a node multiplies with, traced back to where it is stored. */
export interface Constant {
  readonly source: ConstantSource;
  /** From the stored tensor to the effective constant, in this order. */
  readonly steps: readonly ConstantStep[];
  /** Of the effective constant. */
  readonly dims: readonly number[];
  readonly type: ElementType;
  /** The values on the way, the consumer's input first; the last is the initializer, or what a node makes. */
  readonly values: readonly Value[];
}

/** Why a value is not such a constant. */
export type NotConstant =
  | 'computed'
  /** An initializer the caller may override. */
  | 'overridable'
  | 'sparse'
  /** Integers and a scale (DequantizeLinear). */
  | 'quantised';

/** The concrete shape of a value: null for dimensions that are not known, undefined when nothing is. */
export type SizeLookup = (name: string) => readonly (number | null)[] | undefined;

/** Longest chain that is followed; longer ones exist only in files made to annoy. */
const MAX_CHAIN = 64;

/**
 * Traces what `graph` calls `name` through Identity, Cast, Transpose, Reshape, Squeeze, Unsqueeze and Flatten to an
 * initializer, a Constant or a ConstantOfShape. `sizes` tells what reshapes lead to.
 */
export function resolveConstant(
  values: ValueTable,
  graph: Graph,
  name: string,
  sizes: SizeLookup,
  chain = 0,
): Constant | NotConstant {
  const value = values.find(graph, name);
  if (!value) return 'computed';
  const { source } = value;
  switch (source.kind) {
    case 'sparse':
      return 'sparse';
    case 'input':
      return source.initializer ? 'overridable' : 'computed';
    case 'initializer':
      return stored(source.tensor, value);
    case 'node':
      return chain < MAX_CHAIN ? made(values, value, source.node, sizes, chain) : 'computed';
  }
}

/**
 * The default of a constant that the caller may override, as it is stored: what a node reads when nobody does.
 * For names of which {@link resolveConstant} says so.
 */
export function defaultOf(values: ValueTable, graph: Graph, name: string): Constant | undefined {
  let value = values.find(graph, name);
  for (let chain = 0; value?.source.kind === 'node' && chain < MAX_CHAIN; chain++) {
    value = values.find(value.graph, value.source.node.inputs[0] ?? '');
  }
  const tensor = value?.source.kind === 'input' ? value.source.initializer : undefined;
  return value && tensor ? stored(tensor, value) : undefined;
}

/** The first element type on the way to a constant that can't be computed with; undefined where all can. */
export function foreignType({ source, steps, type }: Constant): ElementType | undefined {
  const casts = steps.flatMap((step) => (step.kind === 'cast' ? [step.type] : []));
  const first = source.kind === 'fill' ? (source.tensor?.type ?? Element.float) : source.tensor.type;
  return [first, ...casts, type].find((t) => !isFactorableType(t));
}

function stored(tensor: Tensor, value: Value): Constant {
  return {
    source: { kind: 'tensor', tensor, dims: tensor.dims },
    steps: [],
    dims: tensor.dims,
    type: tensor.type,
    values: [value],
  };
}

function made(
  values: ValueTable,
  value: Value,
  node: Node,
  sizes: SizeLookup,
  chain: number,
): Constant | NotConstant {
  if (node.domain !== '') return 'computed';
  const { graph } = value;
  const inner = () => {
    const found = resolveConstant(values, graph, node.inputs[0] ?? '', sizes, chain + 1);
    return typeof found === 'string' ? found : { ...found, values: [value, ...found.values] };
  };
  switch (node.opType) {
    case 'Constant': {
      const attribute = node.attributes.get('value');
      return attribute?.kind === 'tensor' ? stored(attribute.value, value) : 'computed';
    }
    case 'ConstantOfShape':
      return filled(value, node, sizes);
    case 'Identity':
      return inner();
    case 'Transpose':
      return transposed(inner(), node);
    case 'Cast':
      return cast(inner(), node);
    case 'Reshape':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Flatten':
      return reshaped(inner(), sizes(value.name));
    case 'DequantizeLinear': {
      const quantised = inner();
      return quantised === 'computed' ? 'computed' : 'quantised';
    }
    default:
      return 'computed';
  }
}

function filled(value: Value, node: Node, sizes: SizeLookup): Constant | NotConstant {
  const dims = concrete(sizes(value.name));
  if (!dims) return 'computed';
  const attribute = node.attributes.get('value');
  const tensor = attribute?.kind === 'tensor' ? attribute.value : undefined;
  return {
    source: { kind: 'fill', tensor, dims },
    steps: [],
    dims,
    type: tensor?.type ?? Element.float,
    values: [value],
  };
}

function transposed(inner: Constant | NotConstant, node: Node): Constant | NotConstant {
  if (typeof inner === 'string') return inner;
  const order = inner.dims.length;
  const attribute = node.attributes.get('perm');
  const permutation = attribute?.kind === 'ints' ? attribute.value : inner.dims.map((_, i) => order - 1 - i);
  const isPermutation =
    permutation.length === order && [...permutation].sort((a, b) => a - b).every((axis, i) => axis === i);
  if (!isPermutation) return 'computed';
  const dims = permutation.map((axis) => inner.dims[axis]!);
  return { ...inner, steps: [...inner.steps, { kind: 'transpose', permutation, dims }], dims };
}

function reshaped(inner: Constant | NotConstant, shape: ReturnType<SizeLookup>): Constant | NotConstant {
  if (typeof inner === 'string') return inner;
  const dims = concrete(shape);
  if (!dims || elementCount(dims) !== elementCount(inner.dims)) return 'computed';
  return { ...inner, steps: [...inner.steps, { kind: 'reshape', dims }], dims };
}

function cast(inner: Constant | NotConstant, node: Node): Constant | NotConstant {
  if (typeof inner === 'string') return inner;
  const to = node.attributes.get('to');
  if (to?.kind !== 'int') return 'computed';
  return {
    ...inner,
    steps: [...inner.steps, { kind: 'cast', type: to.value, dims: inner.dims }],
    type: to.value,
  };
}

function concrete(shape: ReturnType<SizeLookup>): readonly number[] | undefined {
  const dims = shape?.filter((d) => d !== null);
  return dims && dims.length === shape?.length ? dims : undefined;
}

/** The name of the tensor that holds a constant, or of the value that a node makes. */
export function constantName({ values }: Constant): string {
  return values.at(-1)!.name;
}

/** An attribute of a node as integers, or `fallback`. */
export function intsAttribute(node: Node, name: string, fallback: readonly number[]): readonly number[] {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'ints' ? attribute.value : fallback;
}

/** An attribute of a node as an integer, or `fallback`. */
export function intAttribute(node: Node, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' ? attribute.value : fallback;
}
