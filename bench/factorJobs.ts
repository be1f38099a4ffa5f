import type { ConvForm } from '../src/core/compress/layer';
import { channel } from '../src/core/compress/methods/channel';
import { Element } from '../src/core/onnx/elements';
import type { FactorJob } from '../src/worker/factorJob';
import type { BenchLayer } from './layers';

/** The job of a layer: all singular values of its output-channel unfolding, and the vectors of its rank. */
export function jobOf({ dims, offset, rank }: BenchLayer, file: string): FactorJob {
  const [outChannels = 0, groupChannels = 0, ...kernel] = dims;
  const form: ConvForm = {
    kind: 'conv',
    isTransposed: false,
    outChannels,
    groupChannels,
    groups: 1,
    kernel,
    calls: [],
  };
  const length = 4 * dims.reduce((a, b) => a * b, 1);
  return {
    weight: { kind: 'file', path: file, offset: 4 * offset, length },
    type: Element.float,
    recipe: { storedType: Element.float, storedDims: dims, isFill: false, steps: [] },
    task: { kind: 'factor', form, method: channel(form).method, ranks: [rank] },
  };
}
