import { type Constant, foreignType, intAttribute, type SizeLookup } from '../onnx/constants';
import { elementCount, elementName } from '../onnx/elements';
import type { Node } from '../onnx/model';
import type { ConvCall, Form, MatMulForm, NoForm } from './layer';

const none = (reason: string): NoForm => ({ kind: 'none', reason });

/** How a node's weight can be factored, or why not. `trips` is how often the graph around the node runs. */
export function formOf(
  node: Node,
  weight: Constant,
  weightInput: number,
  sizes: SizeLookup,
  trips: number | null,
): Form | NoForm {
  const foreign = foreignType(weight);
  if (foreign !== undefined) {
    return none(`Its weight holds ${elementName(foreign)}; only floating-point weights can be factored.`);
  }
  if (elementCount(weight.dims) === 0) return none('Its weight has no elements.');
  switch (node.opType) {
    case 'Conv':
    case 'FusedConv':
      return convForm(node, weight.dims, sizes, trips);
    case 'ConvTranspose':
      return convTransposeForm(node, weight.dims, sizes, trips);
    case 'Gather':
      return embeddingForm(node, weight.dims, sizes, trips);
    default:
      return matmulForm(node, weight.dims, weightInput, sizes, trips);
  }
}

function convForm(
  node: Node,
  dims: readonly number[],
  sizes: SizeLookup,
  trips: number | null,
): Form | NoForm {
  const [outChannels = 0, groupChannels = 0, ...kernel] = dims;
  const groups = intAttribute(node, 'group', 1);
  if (kernel.length === 0 || groups < 1 || outChannels % groups !== 0) {
    return none(`A weight of ${dims.join(' × ')} with ${groups} groups is not a convolution's.`);
  }
  if (groups > 1 && groupChannels === 1) return none(DEPTHWISE);
  return {
    kind: 'conv',
    isTransposed: false,
    outChannels,
    groupChannels,
    groups,
    kernel,
    calls: [convCall(node, kernel.length, sizes, trips)],
  };
}

const DEPTHWISE = 'Depthwise: each group has one channel, so there is nothing to share between channels.';

function convTransposeForm(
  node: Node,
  dims: readonly number[],
  sizes: SizeLookup,
  trips: number | null,
): Form | NoForm {
  const [channels = 0, groupOut = 0, ...kernel] = dims;
  const groups = intAttribute(node, 'group', 1);
  if (kernel.length === 0 || groups < 1 || channels % groups !== 0) {
    return none(`A weight of ${dims.join(' × ')} with ${groups} groups is not a transposed convolution's.`);
  }
  if (groups > 1 && groups === channels) return none(DEPTHWISE);
  const autoPad = node.attributes.get('auto_pad');
  if (node.attributes.has('output_shape') || (autoPad?.kind === 'string' && /^SAME/.test(autoPad.value))) {
    return none('Its padding follows from the output size, which the factors would not share.');
  }
  return {
    kind: 'conv',
    isTransposed: true,
    outChannels: groupOut * groups,
    groupChannels: channels / groups,
    groups,
    kernel,
    calls: [convCall(node, kernel.length, sizes, trips)],
  };
}

function convCall(node: Node, order: number, sizes: SizeLookup, trips: number | null): ConvCall {
  const input = sizes(node.inputs[0] ?? '');
  const output = sizes(node.outputs[0] ?? '');
  const images = output?.[0] ?? null;
  return {
    batch: images === null || trips === null ? null : images * trips,
    inputSize: spatialSize(input, order),
    outputSize: spatialSize(output, order),
  };
}

function spatialSize(shape: readonly (number | null)[] | undefined, order: number): readonly number[] | null {
  const spatial = shape?.slice(2) ?? [];
  const known = spatial.filter((d) => d !== null);
  return known.length === order && spatial.length === order ? known : null;
}

function matmulForm(
  node: Node,
  dims: readonly number[],
  weightInput: number,
  sizes: SizeLookup,
  trips: number | null,
): MatMulForm | NoForm {
  const side = weightInput === 1 ? 'right' : 'left';
  if (dims.length < 2) return none('Its constant is a vector; only matrices are factored.');
  const own = side === 'right' ? 'transB' : 'transA';
  const isTransposed = intAttribute(node, own, 0) === 1;
  if (node.opType === 'FusedMatMul' && (side === 'left' || hasBatchTranspose(node))) {
    return none('This use of FusedMatMul is counted, but not factored.');
  }
  const lead = dims.slice(0, -2);
  const [first = 0, second = 0] = dims.slice(-2);
  // x · W sums over the rows of W, W · x over its columns, and a transposition swaps them.
  const [inner, outer] = (side === 'right') !== isTransposed ? [first, second] : [second, first];
  const output = concreteCount(sizes(node.outputs[0] ?? ''));
  const matrices = elementCount(lead);
  const vectors = output === null || trips === null ? null : (output * trips) / outer / matrices;
  // A batch that broadcasts would need each of its matrices more than once; that only changes the count.
  const input = sizes(node.inputs[side === 'right' ? 0 : 1] ?? '');
  return {
    kind: 'matmul',
    side,
    isTransposed,
    lead,
    inner,
    outer,
    vectors,
    isFused: node.domain !== '',
    inputOrder: input?.length ?? (node.opType === 'Gemm' ? 2 : null),
  };
}

function hasBatchTranspose(node: Node): boolean {
  return intAttribute(node, 'transBatchA', 0) === 1 || intAttribute(node, 'transBatchB', 0) === 1;
}

function embeddingForm(
  node: Node,
  dims: readonly number[],
  sizes: SizeLookup,
  trips: number | null,
): Form | NoForm {
  const [count = 0, width = 0] = dims;
  if (dims.length !== 2 || intAttribute(node, 'axis', 0) !== 0) {
    return none('Only tables whose rows are looked up are factored.');
  }
  const output = concreteCount(sizes(node.outputs[0] ?? ''));
  return {
    kind: 'embedding',
    count,
    width,
    lookups: output === null || trips === null ? null : (output * trips) / width,
  };
}

function concreteCount(shape: readonly (number | null)[] | undefined): number | null {
  const known = shape?.filter((d) => d !== null);
  return known && known.length === shape?.length ? elementCount(known) : null;
}
