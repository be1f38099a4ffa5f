import type { ConvForm, MatMulForm } from '../../src/core/compress/layer';

/** A convolution of one image of `size` in each spatial axis; strides divide it. */
export function convForm(
  out: number,
  channels: number,
  kernel: readonly number[],
  { size = 14, stride = 1, ...more }: Partial<ConvForm> & { size?: number; stride?: number } = {},
): ConvForm {
  return {
    kind: 'conv',
    isTransposed: false,
    outChannels: out,
    groupChannels: channels,
    groups: 1,
    kernel,
    calls: [{ batch: 1, inputSize: kernel.map(() => size), outputSize: kernel.map(() => size / stride) }],
    ...more,
  };
}

/** x · W for one vector x, W being inner × outer. */
export function matmulForm(inner: number, outer: number, more: Partial<MatMulForm> = {}): MatMulForm {
  return {
    kind: 'matmul',
    side: 'right',
    isTransposed: false,
    lead: [],
    inner,
    outer,
    vectors: 1,
    isFused: false,
    inputOrder: 2,
    ...more,
  };
}
