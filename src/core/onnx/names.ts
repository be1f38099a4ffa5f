import type { Graph, Model, Node } from './model';

/** Every graph of a model with the graphs nested in its nodes, outermost first. */
export function* allGraphs(graph: Graph): Generator<Graph> {
  yield graph;
  for (const node of graph.nodes) for (const inner of nestedGraphs(node)) yield* allGraphs(inner);
}

/** The bodies a control-flow node carries. */
export function nestedGraphs(node: Node): readonly Graph[] {
  const found: Graph[] = [];
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === 'graph') found.push(attribute.value);
    if (attribute.kind === 'graphs') found.push(...attribute.value);
  }
  return found;
}

/** What a node reads, from inside its bodies as well; with names of the bodies' own. */
export function namesRead(node: Node): readonly string[] {
  const inner = nestedGraphs(node).flatMap((graph) => [
    ...graph.nodes.flatMap(namesRead),
    ...graph.outputs.map(({ name }) => name),
  ]);
  return [...node.inputs, ...inner];
}

/** Hands out names that nothing in the model has, in any scope. */
export function freshNames(model: Model): (wanted: string) => string {
  const taken = new Set<string>();
  for (const g of allGraphs(model.graph)) {
    for (const info of [...g.inputs, ...g.outputs, ...g.valueInfo]) taken.add(info.name);
    for (const tensor of g.initializers) taken.add(tensor.name);
    for (const name of g.sparseInitializers) taken.add(name);
    for (const node of g.nodes)
      for (const name of [node.name, ...node.inputs, ...node.outputs]) taken.add(name);
  }
  return (wanted) => {
    let name = wanted;
    for (let i = 1; taken.has(name); i++) name = `${wanted}_${i}`;
    taken.add(name);
    return name;
  };
}
