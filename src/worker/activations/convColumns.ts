import { type ConvGeometry, geometryOf } from '../../core/compress/conv/geometry';
import type { ConvForm } from '../../core/compress/layer';
import { product } from '../../core/compress/method';
import type { Node } from '../../core/onnx/model';
import type { ColumnSource, LayerColumns } from './columns';

/**
 * The columns of a convolution (im2col), one per image and output position. Rows of p are in the order of the stored
 * weight, `[channel in the group, …kernel]`, zeros of the padding included. A transposed convolution is seen from its
 * output, too: p holds the inputs that reach a position, and zeros where the stride leaves gaps; its weight
 * `[channel, output, …kernel]` has to have its first two axes swapped to be W.
 */
export function convColumns(
  form: ConvForm,
  node: Node,
  xDims: readonly number[],
  yDims: readonly number[],
): LayerColumns {
  const [images = 0, channels = 0, ...size] = xDims;
  const positions = product(yDims.slice(2));
  return {
    groups: form.groups,
    count: images * positions,
    p: patches(
      form,
      tables(form, geometryOf(node, form.kernel.length), size, yDims.slice(2)),
      channels,
      size,
    ),
    y: outputs(form, positions),
    scale: 1,
  };
}

function outputs({ outChannels, groups }: ConvForm, positions: number): ColumnSource {
  const own = outChannels / groups;
  return {
    channels: own,
    step: positions,
    taps: 1,
    locate: (group, columns) => (_, bases) => {
      for (let j = 0; j < bases.length; j++) {
        const image = Math.floor(columns[j]! / positions);
        bases[j] = (image * (outChannels - 1) + group * own) * positions + columns[j]!;
      }
    },
  };
}

/** Along one axis: which element of the input is under an element of the kernel, when the output's is given. */
interface AxisTable {
  readonly kernel: number;
  readonly out: number;
  /** Kernel × out: offset in a channel, or MISSING. */
  readonly offsets: Int32Array;
}

/** No element: the kernel's stands over the padding or a gap. */
const MISSING = -1;

function patches(
  { groupChannels, kernel }: ConvForm,
  axes: readonly AxisTable[],
  channels: number,
  size: readonly number[],
): ColumnSource {
  const step = product(size);
  const positions = product(axes.map(({ out }) => out));
  return {
    channels: groupChannels,
    step,
    taps: product(kernel),
    locate(group, columns) {
      const starts = new Int32Array(columns.length);
      const coordinates = axes.map(() => new Int32Array(columns.length));
      for (let j = 0; j < columns.length; j++) {
        const image = Math.floor(columns[j]! / positions);
        starts[j] = (image * channels + group * groupChannels) * step;
        let rest = columns[j]! - image * positions;
        for (let a = axes.length - 1; a >= 0; a--) {
          const { out } = axes[a]!;
          const above = Math.floor(rest / out);
          coordinates[a]![j] = rest - above * out;
          rest = above;
        }
      }
      return (tap, bases) => {
        bases.set(starts);
        let rest = tap;
        for (let a = axes.length - 1; a >= 0; a--) {
          const { kernel: extent, out, offsets } = axes[a]!;
          const row = (rest % extent) * out;
          rest = Math.floor(rest / extent);
          const along = coordinates[a]!;
          for (let j = 0; j < bases.length; j++) {
            const base = bases[j]!;
            const offset = offsets[row + along[j]!]!;
            bases[j] = base === MISSING || offset === MISSING ? MISSING : base + offset;
          }
        }
      };
    },
  };
}

function tables(
  { kernel, isTransposed }: ConvForm,
  geometry: ConvGeometry,
  size: readonly number[],
  outSize: readonly number[],
): readonly AxisTable[] {
  return kernel.map((extent, a) => {
    const [input, out] = [size[a]!, outSize[a]!];
    const [stride, dilation] = [geometry.strides[a]!, geometry.dilations[a]!];
    const begin = paddingBefore(geometry, a, extent, input, out);
    const step = product(size.slice(a + 1));
    const offsets = new Int32Array(extent * out).fill(MISSING);
    for (let k = 0; k < extent; k++) {
      for (let o = 0; o < out; o++) {
        const at = isTransposed ? (o + begin - k * dilation) / stride : o * stride - begin + k * dilation;
        if (Number.isInteger(at) && at >= 0 && at < input) offsets[k * out + o] = at * step;
      }
    }
    return { kernel: extent, out, offsets };
  });
}

/** SAME_* pads as much as the output size asks for, the odd one behind or in front (ONNX, Conv, `auto_pad`). */
function paddingBefore(
  { autoPad, pads, strides, dilations }: ConvGeometry,
  axis: number,
  kernel: number,
  input: number,
  out: number,
): number {
  if (autoPad === 'VALID') return 0;
  if (autoPad === 'NOTSET') return pads[axis]!;
  const needed = Math.max(0, (out - 1) * strides[axis]! + (kernel - 1) * dilations[axis]! + 1 - input);
  return autoPad === 'SAME_LOWER' ? Math.ceil(needed / 2) : Math.floor(needed / 2);
}
