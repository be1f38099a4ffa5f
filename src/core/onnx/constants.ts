import type { Graph, Model, Node, Tensor } from './model';

/** A constant that a node multiplies with, traced back to the tensor that holds it. */
export interface Constant {
  readonly tensor: Tensor;
  /** Axis i of the effective constant is axis `permutation[i]` of the stored tensor. */
  readonly permutation: readonly number[];
  /** Effective dimensions: those of the tensor, permuted. */
  readonly dims: readonly number[];
  /** The nodes between tensor and consumer, nearest to the consumer first: dead once nothing else reads them. */
  readonly chain: readonly Node[];
}

/** Why a value that is bound to a tensor still isn't a constant. */
export type NotConstant = 'computed' | 'overridable' | 'sparse';

/** Looks up constants in one graph. */
export interface ConstantTable {
  /** Traces a value through Identity and Transpose to an initializer or a Constant node. */
  resolve(name: string): Constant | NotConstant;
}

/** Longest chain that is followed; longer ones exist only in files made to annoy. */
const MAX_CHAIN = 64;

export function constantTable(model: Model, graph: Graph): ConstantTable {
  const initializers = new Map(graph.initializers.map((t) => [t.name, t]));
  const producers = new Map<string, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) producers.set(output, node);
  // Since IR version 4 an initializer that is also a graph input is a default the caller may override.
  const overridable = new Set(model.irVersion >= 4 ? graph.inputs.map((i) => i.name) : []);
  const sparse = new Set(graph.sparseInitializers);

  function trace(name: string, chain: readonly Node[]): Constant | NotConstant {
    if (sparse.has(name)) return 'sparse';
    const initializer = initializers.get(name);
    if (initializer) {
      if (overridable.has(name)) return 'overridable';
      return constantOf(initializer, chain);
    }
    const node = producers.get(name);
    if (node?.domain !== '' || chain.length === MAX_CHAIN) return 'computed';
    const extended = [...chain, node];
    switch (node.opType) {
      case 'Constant': {
        const value = node.attributes.get('value');
        return value?.kind === 'tensor' ? constantOf(value.value, extended) : 'computed';
      }
      case 'Identity':
        return trace(node.inputs[0] ?? '', extended);
      case 'Transpose':
        return transposed(trace(node.inputs[0] ?? '', extended), node);
      default:
        return 'computed';
    }
  }

  return { resolve: (name) => trace(name, []) };
}

function constantOf(tensor: Tensor, chain: readonly Node[]): Constant {
  return { tensor, permutation: tensor.dims.map((_, i) => i), dims: tensor.dims, chain };
}

function transposed(inner: Constant | NotConstant, node: Node): Constant | NotConstant {
  if (typeof inner === 'string') return inner;
  const order = inner.dims.length;
  const attribute = node.attributes.get('perm');
  const perm = attribute?.kind === 'ints' ? attribute.value : inner.dims.map((_, i) => order - 1 - i);
  const isPermutation =
    perm.length === order && [...perm].sort((a, b) => a - b).every((axis, i) => axis === i);
  if (!isPermutation) return 'computed';
  return {
    ...inner,
    permutation: perm.map((axis) => inner.permutation[axis]!),
    dims: perm.map((axis) => inner.dims[axis]!),
  };
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
