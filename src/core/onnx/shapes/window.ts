import { type Call, require } from './call';
import { add, ceilDiv, type Dim, floorDiv, lowerBound, mul, sub } from './dim';

/** A sliding window: kernel, strides, dilations and padding per spatial axis, checked and with defaults filled in. */
export interface Window {
  readonly kernel: readonly Dim[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Begins, then ends; null where auto_pad decides. */
  readonly pads: readonly number[] | null;
  readonly autoPad: string;
}

/** The window of a convolution or pooling node over `axes` spatial axes. */
export function windowOf(call: Call, axes: number, kernelFallback?: readonly Dim[]): Window {
  require(axes >= 0 && axes <= 32);
  const positive = (name: string): readonly number[] | undefined => {
    const list = call.ints(name);
    require(!list || (list.length === axes && list.every((x) => x > 0)));
    return list;
  };
  const ones = new Array<number>(axes).fill(1);
  const kernel = positive('kernel_shape') ?? kernelFallback;
  require(kernel?.length === axes);
  const autoPad = call.text('auto_pad', 'NOTSET') || 'NOTSET';
  require(['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'].includes(autoPad));
  const pads = call.ints('pads');
  require(!pads || pads.length === 2 * axes);
  const none = new Array<number>(2 * axes).fill(0);
  return {
    kernel,
    strides: positive('strides') ?? ones,
    dilations: positive('dilations') ?? ones,
    pads: autoPad === 'NOTSET' ? (pads ?? none) : autoPad === 'VALID' ? none : null,
    autoPad,
  };
}

/** What the window covers along one axis: dilation·(kernel − 1) + 1. */
function extent(window: Window, axis: number): Dim {
  return add(mul(sub(window.kernel[axis]!, 1), window.dilations[axis]!), 1);
}

/** Spatial sizes after the window has slid over `sizes`. */
export function slide(window: Window, sizes: readonly Dim[], ceilMode = false): readonly Dim[] {
  const axes = sizes.length;
  return sizes.map((size, axis) => {
    const stride = window.strides[axis]!;
    if (window.pads === null) return ceilDiv(size, stride);
    const [begin, end] = [window.pads[axis]!, window.pads[axes + axis]!];
    const padded = add(size, begin + end);
    const room = sub(padded, extent(window, axis));
    if (typeof room === 'number') require(room >= 0);
    if (!ceilMode) return add(floorDiv(room, stride), 1);
    const steps = ceilDiv(room, stride);
    // A window that would begin in the padding at the end does not count.
    if (typeof room !== 'number') {
      const neverLate = lowerBound(sub(extent(window, axis), end + stride)) >= 0;
      return neverLate ? add(steps, 1) : null;
    }
    const isLate = lowerBound(sub(mul(steps, stride), add(size, begin))) >= 0;
    return isLate ? steps : add(steps, 1);
  });
}

/** Spatial sizes of a transposed convolution, the inverse of {@link slide}. */
export function unslide(
  window: Window,
  sizes: readonly Dim[],
  outputPadding: readonly number[],
): readonly Dim[] {
  const axes = sizes.length;
  return sizes.map((size, axis) => {
    const stride = window.strides[axis]!;
    if (window.pads === null) return mul(size, stride);
    const [begin, end] = [window.pads[axis]!, window.pads[axes + axis]!];
    const covered = add(add(mul(sub(size, 1), stride), outputPadding[axis]!), extent(window, axis));
    const result = sub(covered, begin + end);
    if (typeof result === 'number') require(result >= 0);
    return result;
  });
}
