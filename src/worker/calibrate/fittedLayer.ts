import { biasShape } from '../../core/compress/biasedNode';
import { denseNode } from '../../core/compress/denseNode';
import type { Layer } from '../../core/compress/layer';
import type { Candidate, Ranks } from '../../core/compress/method';
import type { FactoredLayer } from '../../core/compress/rewrite';
import type { Piece } from '../../core/onnx/splice';
import { encodeFloats } from '../../core/onnx/tensorData';

/** What data made of a weight: factors, or a single weight where it stays dense, and the bias that belongs to them. */
export interface Fitted {
  readonly factors: readonly Piece[];
  /** b̂ of y = Ŵ · p + b̂, before a factor on the product that the node may have. */
  readonly bias: Float64Array;
}

/** A layer with its fitted factors and bias, ready to be written. */
export function factoredLayer(
  layer: Layer,
  candidate: Candidate,
  ranks: Ranks,
  { factors, bias }: Fitted,
): FactoredLayer & { readonly candidate: Candidate } {
  return { layer, candidate, ranks, factors, bias: encodedBias(layer, bias) };
}

/** A layer with its fitted weight and bias. */
export function refittedLayer(layer: Layer, { factors, bias }: Fitted): FactoredLayer {
  return { layer, candidate: denseNode(layer), ranks: [], factors, bias: encodedBias(layer, bias) };
}

/**
 * Why a bias can't be written that belongs to fitted factors, as a sentence; undefined where it can. Without it the mean
 * of the outputs would be off.
 */
export function biasRefusal(layer: Layer): string | undefined {
  if (!biasShape(layer))
    return 'The number of axes of its input is not known, so no bias can be added to it.';
  const own = ({ node }: Layer) => node.inputs[2] ?? '';
  if (layer.twins.some((twin) => own(twin) !== own(layer)))
    return 'The layers that share its weight have different biases.';
  return undefined;
}

/** Gemm and its kin scale the product: what is added is outside of that. */
function encodedBias({ node, weight }: Layer, bias: Float64Array): Uint8Array {
  const alpha = node.attributes.get('alpha');
  const isScaled = node.opType !== 'MatMul' && alpha?.kind === 'float';
  const scaled = isScaled ? bias.map((value) => alpha.value * value) : bias;
  return encodeFloats(weight.type, scaled);
}
