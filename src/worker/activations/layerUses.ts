import type { ConvForm, Layer, MatMulForm } from '../../core/compress/layer';
import type { Graph, Node } from '../../core/onnx/model';

/** One node that multiplies a layer's weight, and the tensors around it. */
export interface LayerUse {
  readonly node: Node;
  readonly form: ConvForm | MatMulForm;
  /** What the weight is multiplied with. */
  readonly x: string;
  /** What comes out, a normalisation that is folded into the layer, or the sum that is its bias, included. */
  readonly y: string;
}

/** Why a layer's activations can't be collected, as a sentence; its weights alone still can be factored. */
export interface Refusal {
  readonly kind: 'refused';
  readonly reason: string;
}

/**
 * The nodes that use a layer's weight, twins included, where each gives W · p + b with the same b for all data.
 * Refused as data are layers that aren't factored, tables of embeddings, nodes inside of bodies, fused activations and
 * summands, and biases that are computed.
 */
export function layerUses(layer: Layer, main: Graph): readonly LayerUse[] | Refusal {
  const uses: LayerUse[] = [];
  for (const use of [layer, ...layer.twins]) {
    const found = layerUse(use, layer, main);
    if ('reason' in found) return found;
    uses.push(found);
  }
  return uses;
}

/** A refusal with its sentence. */
export function refusal(reason: string): Refusal {
  return { kind: 'refused', reason };
}

function layerUse(
  { node, graph, weightInput, bias, norm, sum }: Layer,
  { form }: Layer,
  main: Graph,
): LayerUse | Refusal {
  if (form.kind === 'none') return refusal(form.reason);
  if (form.kind === 'embedding')
    return refusal('Rows of a table are looked up, not multiplied: there are no inputs to collect.');
  if (graph !== main) {
    return refusal(
      "It stands inside the body of a loop or a branch, out of which its inputs and outputs can't be read.",
    );
  }
  const activation = node.attributes.get('activation');
  if (activation?.kind === 'string' && activation.value)
    return refusal(
      `Its activation (${activation.value}) is fused into it, so what it computes before that can't be read.`,
    );
  const alpha = node.attributes.get('alpha');
  if (form.kind === 'matmul' && alpha?.kind === 'float' && alpha.value === 0)
    return refusal('Its product is scaled by 0, so its weight has no effect.');
  if (node.inputs[3])
    return refusal("A summand is fused into it, so what its weight contributes can't be told.");
  if (node.inputs[2] && !norm) {
    if (!bias) return refusal('Its bias is computed, so it may be another one for other data.');
    if (form.kind === 'matmul' && !isPerOutput(bias.dims, form))
      return refusal('Its summand is no bias: it differs from vector to vector.');
  }
  return {
    node,
    form,
    x: node.inputs[weightInput === 0 ? 1 : 0]!,
    y: (norm?.node ?? sum ?? node).outputs[0]!,
  };
}

/** Whether what Gemm adds is the same for every vector: those are rows of its output, or with W on the left columns. */
function isPerOutput(dims: readonly number[], { side }: MatMulForm): boolean {
  const [last = 1, before = 1] = [...dims].reverse();
  return (side === 'right' ? before : last) === 1;
}
