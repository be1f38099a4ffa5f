import { constantName } from '../onnx/constants';
import { type DataFile, externalTensorField, relocatedTensorField } from '../onnx/dataFile';
import { Element, elementCount } from '../onnx/elements';
import type { Graph, Model, Node, Span, Tensor } from '../onnx/model';
import { freshNames } from '../onnx/names';
import { encodeNode, encodeValueInfo } from '../onnx/proto';
import { type Edit, field, type Piece, pieceLength, type Segment, splice, tensorField } from '../onnx/splice';
import { encodeFloats, locateTensor, type OpenExternal, type TensorLocation } from '../onnx/tensorData';
import { type Value, type ValueTable, valueTable } from '../onnx/values';
import { biasShape, withBias } from './biasedNode';
import type { Layer } from './layer';
import type { Candidate, NodeContext, Ranks } from './method';

/** A layer with what takes its place, ready to be written. */
export interface FactoredLayer {
  readonly layer: Layer;
  readonly candidate: Pick<Candidate, 'shapes' | 'nodes'>;
  readonly ranks: Ranks;
  /** In the order they are applied, little-endian elements of the weight's own type. */
  readonly factors: readonly Piece[];
  /**
   * The bias that takes the place of the layer's own, one element per output (of all groups) in the same type; also
   * where it had none. With a normalisation to fold there always is one.
   */
  readonly bias?: Uint8Array;
}

/** The new file, and the names of the nodes in it that take the place of each layer, by the layer's name. */
export interface Rewritten {
  readonly segments: readonly Segment[];
  readonly nodes: ReadonlyMap<string, readonly string[]>;
  /** Elements of biases that stand in nodes of their own, where there were none before, by the layer's name. */
  readonly summands: ReadonlyMap<string, number>;
}

/** Field numbers of GraphProto. */
const NODE = 1;
const INITIALIZER = 5;
const INPUT = 11;

/**
 * The file with layers replaced by their factors: each node by a chain, each weight by initializers in the graph that
 * held it, and everything that only the old weight needed (Constant, Identity, Transpose on the way to it, a folded
 * normalisation) gone. What is not replaced keeps its bytes, except that with a data file every payload worth
 * it moves there: factors, what was in data files before and, with `spill`, what was inline.
 */
export function rewriteModel(model: Model, factored: readonly FactoredLayer[], data?: DataTarget): Rewritten {
  const fresh = freshNames(model);
  const values = valueTable(model);
  const removed: Removed = { nodes: new Map(), tensors: new Map() };
  const edits: Edit[] = [];
  const written = new Map<string, readonly string[]>();
  const summands = new Map<string, number>();

  const addTensor = (graph: Graph, name: string, type: number, dims: readonly number[], raw: Piece) => {
    const end = endOf(graph.initializers) || graph.container.end;
    const isOutside = data && pieceLength(raw) >= SMALLEST_OUTSIDE;
    const replacement = isOutside
      ? externalTensorField(
          INITIALIZER,
          name,
          type,
          dims,
          data.file.location,
          data.file.add(raw instanceof Uint8Array ? { kind: 'bytes', bytes: raw } : raw),
        )
      : tensorField(INITIALIZER, name, type, dims, raw);
    edits.push(edit(graph, { start: end, end }, replacement));
    // Before IR version 4 every initializer of the main graph had to be declared as an input too.
    if (model.irVersion >= 4 || graph !== model.graph) return;
    const inputs = endOf(graph.inputs) || graph.container.end;
    edits.push(edit(graph, { start: inputs, end: inputs }, field(INPUT, encodeValueInfo(name, type, dims))));
  };

  const contextOf = ({ graph, weight }: Layer): NodeContext => ({
    fresh,
    opset: model.opsets.get('') ?? 1,
    ints(wanted, numbers) {
      const name = fresh(wanted);
      addTensor(graph, name, Element.int64, [numbers.length], encodeInt64(numbers));
      return name;
    },
    scalar(wanted, number) {
      const name = fresh(wanted);
      addTensor(graph, name, weight.type, [], encodeFloats(weight.type, Float64Array.of(number)));
      return name;
    },
  });

  for (const { layer, candidate, ranks, factors, bias: biasBytes } of factored) {
    const { weight } = layer;
    const home = weight.values.at(-1)!.graph;
    const stem = constantName(weight);
    const names = candidate.shapes(ranks).map((shape, i, { length }) => {
      const name = fresh(length === 1 ? `${stem}_refitted` : `${stem}_factor${i + 1}`);
      addTensor(home, name, weight.type, shape, factors[i]!);
      return name;
    });
    const biasDims = biasBytes && biasShape(layer);
    const bias = biasDims && fresh(`${stem}_${layer.norm ? 'folded_' : ''}bias`);
    if (bias !== undefined) addTensor(layer.graph, bias, weight.type, biasDims!, biasBytes!);
    const uses = [layer, ...layer.twins];
    for (const use of uses) {
      const context = contextOf(use);
      const biased = bias === undefined ? { node: use.node } : withBias(use, bias, context);
      const nodes = candidate.nodes(biased.node, names, ranks, context);
      edits.push(
        edit(
          use.graph,
          use.node.span,
          [...nodes, ...(biased.after ? [biased.after] : [])].flatMap((n) => field(NODE, encodeNode(n))),
        ),
      );
      const isNew = biased.after !== undefined && !use.sum;
      if (isNew && use === layer) summands.set(layer.name, elementCount(biasDims!));
      written.set(
        use.name,
        [...nodes, ...(isNew ? [biased.after] : [])].map((n) => n.name || n.outputs[0]!),
      );
      removed.nodes.set(use.node, use.graph);
    }
    if (bias !== undefined && layer.norm) removed.nodes.set(layer.norm.node, layer.graph);
    if (bias !== undefined && layer.sum) removed.nodes.set(layer.sum, layer.graph);
  }

  const replaced = new Set(factored.flatMap(({ layer }) => [layer, ...layer.twins].map(({ node }) => node)));
  for (const { layer, bias } of factored) {
    for (const use of [layer, ...layer.twins]) {
      release(values, use.graph, use.node.inputs[use.weightInput]!, removed);
      if (bias && use.node.inputs[2]) release(values, use.graph, use.node.inputs[2], removed);
    }
    for (const name of (bias && layer.norm?.node.inputs.slice(1)) ?? [])
      if (name) release(values, layer.graph, name, removed);
    for (const name of (bias && layer.sum?.inputs) ?? [])
      if (name !== layer.node.outputs[0]) release(values, layer.graph, name, removed);
  }
  for (const [node, graph] of removed.nodes) if (!replaced.has(node)) edits.push(edit(graph, node.span, []));
  for (const [tensor, graph] of removed.tensors) {
    edits.push(edit(graph, tensor.span, []));
    const declared = graph.inputs.find((input) => input.name === tensor.name);
    if (declared) edits.push(edit(graph, declared.span, []));
  }
  if (data) {
    for (const graph of values.graphs) {
      for (const tensor of graph.initializers) {
        const location = removed.tensors.has(tensor) ? undefined : outsideLocation(model, tensor, data);
        if (!location) continue;
        const { source, offset, length } = location;
        const range = data.file.add({ kind: 'copy', source, start: offset, end: offset + length });
        edits.push(
          edit(
            graph,
            tensor.span,
            relocatedTensorField(model, tensor, INITIALIZER, data.file.location, range),
          ),
        );
      }
    }
  }
  return { segments: splice(model, edits), nodes: written, summands };
}

/** Where the payloads of the new model go. */
export interface DataTarget {
  readonly file: DataFile;
  /** Move inline payloads too: the model would be larger than a protocol-buffer message may be. */
  readonly spill: boolean;
  readonly openExternal: OpenExternal;
}

/** Smaller payloads stay in the model, as ONNX's own tools have it. */
const SMALLEST_OUTSIDE = 1024;

/** Where a payload that shall move stands now; undefined for one that stays. */
function outsideLocation(
  model: Model,
  tensor: Tensor,
  { spill, openExternal }: DataTarget,
): TensorLocation | undefined {
  const isInline = tensor.data.kind === 'raw';
  if (tensor.data.kind !== 'external' && !(spill && isInline)) return undefined;
  const location = locateTensor(model, tensor, openExternal);
  return location && (!isInline || location.length >= SMALLEST_OUTSIDE) ? location : undefined;
}

function encodeInt64(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  for (const [i, value] of values.entries()) view.setBigInt64(8 * i, BigInt(value), true);
  return new Uint8Array(view.buffer);
}

function edit(graph: Graph, span: Span, replacement: readonly Piece[]): Edit {
  return { container: graph.container, span: { start: span.start, end: span.end }, replacement };
}

interface Removed {
  readonly nodes: Map<Node, Graph>;
  readonly tensors: Map<Tensor, Graph>;
}

/** Removes what makes a value, and what only that needed, if nothing that stays reads it. */
function release(values: ValueTable, graph: Graph, name: string, removed: Removed): void {
  const value: Value | undefined = values.find(graph, name);
  if (!value || value.isKept || !value.uses.every((use) => removed.nodes.has(use.node))) return;
  const { source } = value;
  if (source.kind === 'initializer') removed.tensors.set(source.tensor, value.graph);
  if (source.kind !== 'node' || source.node.outputs.filter(Boolean).length > 1) return;
  removed.nodes.set(source.node, value.graph);
  for (const input of source.node.inputs) if (input) release(values, value.graph, input, removed);
}

function endOf(items: readonly { readonly span: Span }[]): number {
  return items.reduce((end, item) => Math.max(end, item.span.end), 0);
}
