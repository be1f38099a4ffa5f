import { type Constant, resolveConstant } from '../../onnx/constants';
import { elementBytes, elementCount, isFloatType } from '../../onnx/elements';
import type { Graph, Model, Node } from '../../onnx/model';
import { allGraphs } from '../../onnx/names';
import { type ValueTable, valueTable } from '../../onnx/values';
import type { LayerInfo } from '../analysis';
import type { AnalyzedModel } from '../analyzeModel';
import type { Layer } from '../layer';

/** A layer with what its analysis says of it. */
export interface PlacedLayer {
  /** Place in the order of the model. */
  readonly index: number;
  readonly layer: Layer;
  readonly info: LayerInfo;
}

/** A node in its graph. */
interface PlacedNode {
  readonly node: Node;
  readonly graph: Graph;
  /** Place in the file. */
  readonly index: number;
}

/** One of two models, with what matching asks of it. */
export interface ComparedModel {
  readonly model: Model;
  readonly analyzed: AnalyzedModel;
}

/** The tables that matching looks things up in. */
export interface LayerTable {
  readonly layers: readonly PlacedLayer[];
  /** The layer of a node. */
  readonly byNode: ReadonlyMap<Node, PlacedLayer>;
  /** The node that makes a value; null for names that several graphs use. */
  readonly makers: ReadonlyMap<string, PlacedNode | null>;
  /** Names of graph inputs and of what nodes make, in any graph. */
  readonly names: ReadonlySet<string>;
  readonly values: ValueTable;
}

export function layerTable({ model, analyzed }: ComparedModel): LayerTable {
  const layers = analyzed.layers.map((layer, index) => ({
    index,
    layer,
    info: analyzed.analysis.layers[index]!,
  }));
  const makers = new Map<string, PlacedNode | null>();
  const names = new Set<string>();
  let index = 0;
  for (const graph of allGraphs(model.graph)) {
    for (const { name } of graph.inputs) names.add(name);
    for (const node of graph.nodes) {
      for (const output of node.outputs) {
        if (output === '') continue;
        names.add(output);
        makers.set(output, makers.has(output) ? null : { node, graph, index });
      }
      index++;
    }
  }
  const values = valueTable(model);
  return { layers, byNode: new Map(layers.map((each) => [each.layer.node, each])), makers, names, values };
}

/** Nodes that do the work of one layer, in the order they are applied. */
export interface LayerGroup {
  readonly layers: readonly PlacedLayer[];
  /** Their weights, in this order. */
  readonly weights: readonly Constant[];
  readonly parameters: number;
  readonly macs: number | null;
  readonly bytes: number;
}

/** Shapes of the weights of a group. */
export function shapesOf({ weights }: Pick<LayerGroup, 'weights'>): readonly (readonly number[])[] {
  return weights.map(({ dims }) => dims);
}

/** Operators whose constants are summands or factors of single values, not weights. */
const ELEMENTWISE = new Set(['Add', 'Sub', 'Mul', 'Div']);

/** A layer by itself. */
export function groupOfLayer(placed: PlacedLayer): LayerGroup {
  return groupOfNodes([placed]);
}

/** What a table says of nodes: layers, and constants that other nodes among them read. */
export function groupOf(table: LayerTable, nodes: readonly PlacedNode[]): LayerGroup {
  const ordered = [...nodes].sort((a, b) => a.index - b.index);
  return groupOfNodes(ordered.map((each) => table.byNode.get(each.node) ?? { ...each, table }));
}

function groupOfNodes(
  parts: readonly (PlacedLayer | (PlacedNode & { readonly table: LayerTable }))[],
): LayerGroup {
  const layers: PlacedLayer[] = [];
  const weights: Constant[] = [];
  let parameters = 0;
  let bytes = 0;
  let macs: number | null = 0;
  for (const part of parts) {
    if ('layer' in part) {
      const { layer, info } = part;
      layers.push(part);
      weights.push(layer.weight);
      parameters += info.parameters;
      const bias = layer.bias ? elementCount(layer.bias.dims) : 0;
      bytes += elementBytes(layer.weight.type, info.parameters - bias);
      bytes += layer.bias ? elementBytes(layer.bias.type, bias) : 0;
      macs = macs === null || info.macs === null ? null : macs + info.macs;
      continue;
    }
    const { node, graph, table } = part;
    for (const name of node.inputs) {
      if (!name || table.values.find(graph, name)?.source.kind !== 'initializer') continue;
      const constant = resolveConstant(table.values, graph, name, () => undefined);
      if (typeof constant === 'string') continue;
      const { type, dims } = constant;
      if (!isFloatType(type) || dims.length === 0) continue;
      parameters += elementCount(dims);
      bytes += elementBytes(type, elementCount(dims));
      if (dims.length > 1 && !ELEMENTWISE.has(node.opType)) weights.push(constant);
    }
  }
  return { layers, weights, parameters, macs, bytes };
}

/** A replacement has a few nodes, even that of a ring with all its moves of data. */
const MOST_NODES = 64;

/**
 * The nodes of `other` that compute what `layer` computes: back from the tensor it gives to the tensors it takes, which both
 * models call the same. Undefined where the names don't lead there.
 */
export function sameTensors(
  own: LayerTable,
  { layer }: PlacedLayer,
  other: LayerTable,
): LayerGroup | undefined {
  const starts = [layer.node.outputs[0], layer.norm?.node.outputs[0]];
  const allowed = new Set([...layer.node.inputs, ...(layer.norm?.node.inputs ?? [])]);
  for (const start of starts) {
    const found = start ? backFrom(own, start, allowed, other) : undefined;
    if (!found) continue;
    const group = groupOf(other, found);
    if (group.layers.length > 0 || group.weights.length > 0) return group;
  }
  return undefined;
}

function backFrom(
  own: LayerTable,
  start: string,
  allowed: ReadonlySet<string>,
  other: LayerTable,
): readonly PlacedNode[] | undefined {
  const nodes = new Map<Node, PlacedNode>();
  let reached = 0;
  const queue = [start];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const maker = other.makers.get(name);
    if (maker === null) return undefined;
    if (maker === undefined) continue; // A constant, or an input of a graph: those are in `names`.
    if (nodes.has(maker.node)) continue;
    nodes.set(maker.node, maker);
    if (nodes.size > MOST_NODES) return undefined;
    for (const input of maker.node.inputs) {
      if (input === '' || input === start) continue;
      if (!own.names.has(input)) {
        if (other.names.has(input)) queue.push(input);
        continue;
      }
      if (!allowed.has(input)) return undefined;
      reached++;
    }
  }
  return nodes.size > 0 && reached > 0 ? [...nodes.values()] : undefined;
}
