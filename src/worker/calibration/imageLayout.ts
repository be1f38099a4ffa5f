import type { DeclaredDim } from '../../core/onnx/model';

/** Where an input has the axes of a picture. */
export interface ImageLayout {
  /** Axis of the samples; null where the input is one picture. */
  readonly batch: number | null;
  /** null: grey, without an axis of its own. */
  readonly channel: number | null;
  readonly height: number;
  readonly width: number;
  /** 1, 3 or 4. */
  readonly channels: number;
  /** The input does not say how many channels it has; 3 are taken. */
  readonly assumed: boolean;
}

/** 1 grey, 3 colours, 4 with transparency. */
const isChannels = (dim: DeclaredDim | undefined) => dim === 1 || dim === 3 || dim === 4;

/**
 * Finds the axes of pictures in the declared shape of an input: N C H W or N H W C, by which of the two axes has
 * 1, 3 or 4 entries (N C H W if both or if neither has a size); C H W, H W C and N H W among shapes of three.
 * undefined where it takes no pictures.
 */
export function imageLayout(
  shape: readonly DeclaredDim[] | null,
  wanted: 'auto' | 'nchw' | 'nhwc' = 'auto',
): ImageLayout | undefined {
  if (shape?.length === 4) {
    const last = wanted === 'nhwc' || (wanted === 'auto' && isChannels(shape[3]) && !isChannels(shape[1]));
    const channel = last ? 3 : 1;
    const [height, width] = last ? [1, 2] : [2, 3];
    return layout(shape, { batch: 0, channel, height, width });
  }
  if (shape?.length !== 3) return undefined;
  if (wanted !== 'nhwc' && isChannels(shape[0])) {
    return layout(shape, { batch: null, channel: 0, height: 1, width: 2 });
  }
  if (wanted !== 'nchw' && isChannels(shape[2])) {
    return layout(shape, { batch: null, channel: 2, height: 0, width: 1 });
  }
  return { batch: 0, channel: null, height: 1, width: 2, channels: 1, assumed: false };
}

function layout(
  shape: readonly DeclaredDim[],
  axes: { batch: number | null; channel: number; height: number; width: number },
): ImageLayout | undefined {
  const dim = shape[axes.channel];
  if (typeof dim === 'number')
    return isChannels(dim) ? { ...axes, channels: dim, assumed: false } : undefined;
  return { ...axes, channels: 3, assumed: true };
}
