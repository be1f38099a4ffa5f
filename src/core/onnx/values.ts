import type { Graph, Model, Node, Tensor } from './model';
import { nestedGraphs } from './names';

/** One read of a value by a node. */
export interface Use {
  readonly node: Node;
  /** Index among the node's inputs. */
  readonly input: number;
  readonly graph: Graph;
}

/** What gives a value its content. */
export type Source =
  /** A graph input, fed by the caller; `initializer` is its default, which the caller may override. */
  | { readonly kind: 'input'; readonly initializer?: Tensor }
  | { readonly kind: 'initializer'; readonly tensor: Tensor }
  /** A sparse initializer: known by name only. */
  | { readonly kind: 'sparse' }
  | { readonly kind: 'node'; readonly node: Node };

/** A value of one graph, with everything that reads it, in that graph and in the bodies inside it. */
export interface Value {
  readonly name: string;
  /** The graph that binds the name. */
  readonly graph: Graph;
  readonly source: Source;
  readonly uses: readonly Use[];
  /** It is an output of a graph, or quantization_annotation mentions it: it has to stay. */
  readonly isKept: boolean;
}

/** Every value of a model, by graph and name. */
export interface ValueTable {
  /** What `name` means inside `graph`, bindings of the graphs around it included. */
  find(graph: Graph, name: string): Value | undefined;
  /** Every graph, outermost first. */
  readonly graphs: readonly Graph[];
}

type OpenValue = { -readonly [K in keyof Value]: Value[K] } & { uses: Use[] };

/** Binds names to values with ONNX's scoping: a body sees the graphs around it, siblings don't see each other. */
export function valueTable(model: Model): ValueTable {
  const scopes = new Map<
    Graph,
    { readonly names: Map<string, OpenValue>; readonly outer: Graph | undefined }
  >();

  function find(graph: Graph, name: string): OpenValue | undefined {
    for (let g: Graph | undefined = graph; g; g = scopes.get(g)?.outer) {
      const value = scopes.get(g)?.names.get(name);
      if (value) return value;
    }
    return undefined;
  }

  function bind(graph: Graph, outer: Graph | undefined): void {
    const names = new Map<string, OpenValue>();
    scopes.set(graph, { names, outer });
    const add = (name: string, source: Source) => {
      if (name) names.set(name, { name, graph, source, uses: [], isKept: false });
    };
    for (const tensor of graph.initializers) add(tensor.name, { kind: 'initializer', tensor });
    for (const name of graph.sparseInitializers) add(name, { kind: 'sparse' });
    for (const { name } of graph.inputs) {
      const initial = names.get(name)?.source;
      if (initial?.kind !== 'initializer') add(name, { kind: 'input' });
      // Before IR version 4 every initializer had to be declared as an input too; since then it is a default.
      else if (model.irVersion >= 4) add(name, { kind: 'input', initializer: initial.tensor });
    }
    for (const node of graph.nodes) for (const output of node.outputs) add(output, { kind: 'node', node });
    for (const node of graph.nodes) for (const body of nestedGraphs(node)) bind(body, graph);
  }

  function read(graph: Graph): void {
    for (const node of graph.nodes) {
      for (const [input, name] of node.inputs.entries()) find(graph, name)?.uses.push({ node, input, graph });
    }
    for (const name of [...graph.outputs.map((o) => o.name), ...graph.annotated]) {
      const value = find(graph, name);
      if (value) value.isKept = true;
    }
  }

  bind(model.graph, undefined);
  const graphs = [...scopes.keys()];
  for (const graph of graphs) read(graph);
  return { find, graphs };
}
