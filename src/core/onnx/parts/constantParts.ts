import { elementBytes, elementCount } from '../elements';
import type { Model, Node, Tensor } from '../model';
import { allGraphs, namesRead, nestedGraphs } from '../names';

/** What has to stand in a file for some nodes to run. */
export interface Needs {
  /** The nodes, with those that make constants for them. */
  readonly nodes: ReadonlySet<Node>;
  /** Initializers of the main graph that they read. */
  readonly weights: ReadonlySet<Tensor>;
  /** Tensors they read that depend on the inputs, or are inputs. */
  readonly reads: ReadonlySet<string>;
}

/** What of a model is the same in every run, and so may stand in several files at once. */
export interface ConstantParts {
  /** Whether a tensor of the main graph depends on no input. */
  isConstant(name: string): boolean;
  needsOf(node: Node): Needs;
  /** Of a constant. */
  needsOfConstant(name: string): Needs;
}

/** Operators that give something else each time. */
const RANDOM = /^(Random|Bernoulli|Multinomial|Dropout)/;

/** @param nodes those of the main graph, in topological order */
export function constantParts({ graph }: Model, nodes: readonly Node[]): ConstantParts {
  const stored = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const sparse = new Set(graph.sparseInitializers);
  const makers = new Map<string, Node>();
  const varying = new Set(graph.inputs.map(({ name }) => name).filter((name) => !stored.has(name)));
  for (const node of nodes) {
    const isFixed = isRepeatable(node) && !namesRead(node).some((name) => varying.has(name));
    for (const name of node.outputs.filter(Boolean)) {
      if (isFixed) makers.set(name, node);
      else varying.add(name);
    }
  }
  const isConstant = (name: string) => stored.has(name) || sparse.has(name) || makers.has(name);

  function gather(names: readonly string[], first: readonly Node[]): Needs {
    const found = { nodes: new Set(first), weights: new Set<Tensor>(), reads: new Set<string>() };
    const open = [...names];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const tensor = stored.get(name);
      const maker = makers.get(name);
      if (tensor) found.weights.add(tensor);
      else if (varying.has(name)) found.reads.add(name);
      else if (maker && !found.nodes.has(maker)) {
        found.nodes.add(maker);
        open.push(...namesRead(maker));
      }
    }
    return found;
  }

  return {
    isConstant,
    needsOf: (node) => gather(namesRead(node), [node]),
    needsOfConstant: (name) => gather([name], []),
  };
}

/** Functions and operators of others may do anything. */
function isRepeatable(node: Node): boolean {
  if (node.domain !== '' || RANDOM.test(node.opType)) return false;
  if (node.inputs.length === 0 && nestedGraphs(node).length === 0 && node.opType !== 'Constant') return false;
  return nestedGraphs(node).every((graph) => graph.nodes.every(isRepeatable));
}

/** Bytes of a tensor's elements. */
export function tensorBytes({ type, dims }: Tensor): number {
  return elementBytes(type, elementCount(dims));
}

/** Bytes of a node in the file, with what its bodies have in data files. */
export function nodeBytes(node: Node): number {
  let bytes = node.span.end - node.span.start;
  for (const body of nestedGraphs(node)) {
    for (const { initializers } of allGraphs(body)) {
      for (const tensor of initializers) if (tensor.data.kind === 'external') bytes += tensorBytes(tensor);
    }
  }
  return bytes;
}
