import type { Model, Node, Tensor } from '../onnx/model';
import { countUses, freshNames } from '../onnx/names';
import { encodeNode, encodeValueInfo } from '../onnx/proto';
import { type Edit, field, type Segment, splice, tensorField } from '../onnx/splice';
import type { Layer } from './layer';
import type { Candidate } from './method';

/** A layer with its factors, ready to be written. */
export interface FactoredLayer {
  readonly layer: Layer;
  readonly candidate: Candidate;
  readonly rank: number;
  /** One per fold, little-endian elements of the weight's own type. */
  readonly factors: readonly [Uint8Array, Uint8Array];
}

/** The new file, and which tensors of it hold the factors of each layer. */
export interface Rewritten {
  readonly segments: readonly Segment[];
  readonly weights: ReadonlyMap<string, readonly string[]>;
}

/** Field numbers of GraphProto. */
const NODE = 1;
const INITIALIZER = 5;
const INPUT = 11;

/**
 * The file with layers replaced by their factors: each node by two, each weight by two initializers, and
 * everything that only the old weight needed (Constant, Identity, Transpose on the way to it) gone. What is not
 * replaced keeps its bytes.
 */
export function rewriteModel(model: Model, factored: readonly FactoredLayer[]): Rewritten {
  const { graph } = model;
  const fresh = freshNames(model);
  const uses = countUses(graph);
  const edits: Edit[] = [];
  const edit = (span: { start: number; end: number }, replacement: readonly Uint8Array[]) =>
    edits.push({ container: graph.container, span: { start: span.start, end: span.end }, replacement });

  const weights = graph.initializers.length > 0 ? endOf(graph.initializers) : graph.container.end;
  const inputs = endOf(graph.inputs) || graph.container.end;
  const removedTensors = new Set<Tensor>();
  const removedNodes = new Set<Node>();
  const written = new Map<string, readonly string[]>();

  for (const { layer, candidate, rank, factors } of factored) {
    const { node, weight } = layer;
    const folds = candidate.folds(rank);
    const names = folds.map((_, i) => fresh(`${weight.tensor.name || node.outputs[0]}_factor${i + 1}`)) as [
      string,
      string,
    ];
    edit(
      node.span,
      candidate.nodes(node, names, fresh).flatMap((n) => field(NODE, encodeNode(n))),
    );
    folds.forEach((fold, i) => {
      edit(
        { start: weights, end: weights },
        tensorField(INITIALIZER, names[i]!, weight.tensor.type, fold.shape, factors[i]!),
      );
      // Before IR version 4 every initializer had to be declared as a graph input.
      if (model.irVersion < 4) {
        edit(
          { start: inputs, end: inputs },
          field(INPUT, encodeValueInfo(names[i]!, weight.tensor.type, fold.shape)),
        );
      }
    });
    written.set(layer.name, names);
    release(layer, uses, removedNodes, removedTensors);
  }

  const initializers = new Map(graph.initializers.map((t) => [t.name, t]));
  for (const node of removedNodes) edit(node.span, []);
  for (const tensor of removedTensors) {
    if (initializers.get(tensor.name) !== tensor) continue; // It went with its Constant node.
    edit(tensor.span, []);
    const declared = graph.inputs.find((input) => input.name === tensor.name);
    if (declared) edit(declared.span, []);
  }
  return { segments: splice(model, edits), weights: written };
}

/** Gives up one use of a layer's weight, and of each link towards it that nothing else needs. */
function release(layer: Layer, uses: Map<string, number>, nodes: Set<Node>, tensors: Set<Tensor>): void {
  const drop = (name: string) => {
    const left = (uses.get(name) ?? 0) - 1;
    uses.set(name, left);
    return left <= 0;
  };
  let name = layer.node.inputs[layer.weightInput]!;
  for (const link of layer.weight.chain) {
    if (!drop(name)) return;
    nodes.add(link);
    name = link.inputs[0] ?? '';
  }
  // A Constant node at the end of the chain holds its tensor itself; an initializer is read by name.
  if (name === '' || drop(name)) tensors.add(layer.weight.tensor);
}

function endOf(items: readonly { readonly span: { readonly end: number } }[]): number {
  return items.reduce((end, item) => Math.max(end, item.span.end), 0);
}
