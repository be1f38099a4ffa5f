import type { Checkpoint, CheckpointTensor } from '../checkpoint/checkpoint';
import { isReadableFloat } from '../checkpoint/checkpointData';
import { counted } from '../counted';
import { elementCount } from '../onnx/elements';
import type { Form, FormedLayer, NoForm } from './layer';

/** A weight of a checkpoint. Without a graph it has no MACs, and how it is used follows from its order alone. */
export interface CheckpointLayer extends FormedLayer {
  readonly tensor: CheckpointTensor;
}

/**
 * The weights of a checkpoint that a layer multiplies with, by PyTorch's conventions: matrices are `[out, in]`,
 * convolutions `[out, in, …kernel]`. Vectors (biases, normalisations) count towards the layer they belong to.
 */
export function checkpointLayers({ tensors }: Checkpoint): readonly CheckpointLayer[] {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return tensors
    .filter(({ type, dims }) => type.isFloat && dims.length >= 2 && elementCount(dims) > 0)
    .map((tensor) => {
      const stem = tensor.name.replace(/\.weight$/, '');
      const bias = stem === tensor.name ? undefined : byName.get(`${stem}.bias`);
      const biasCount = bias && bias.dims.length === 1 ? elementCount(bias.dims) : 0;
      return { name: stem, tensor, parameters: elementCount(tensor.dims) + biasCount, form: formOf(tensor) };
    });
}

function formOf({ type, dims, sharedWith }: CheckpointTensor): Form | NoForm {
  const none = (reason: string): NoForm => ({ kind: 'none', reason });
  if (sharedWith !== undefined) return none(`It is the same weight as "${sharedWith}".`);
  if (!isReadableFloat(type)) return none(`Its weight holds ${type.name}, which is not decoded.`);
  const [outer = 0, inner = 0, ...kernel] = dims;
  if (kernel.length === 0) {
    return {
      kind: 'matmul',
      side: 'right',
      isTransposed: true,
      lead: [],
      inner,
      outer,
      vectors: null,
      isFused: false,
      inputOrder: null,
    };
  }
  if (kernel.length > 3)
    return none(`It has ${counted(dims.length, 'dimension')}, more than a convolution's weight.`);
  if (inner === 1 && outer > 1)
    return none('Depthwise, or with one input channel: there is nothing to share.');
  const call = { batch: null, inputSize: null, outputSize: null };
  return {
    kind: 'conv',
    isTransposed: false,
    outChannels: outer,
    groupChannels: inner,
    groups: 1,
    kernel,
    calls: [call],
  };
}
