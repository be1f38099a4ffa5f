import type { Image } from './image';

/** A picture scaled to `scaledWidth` × `scaledHeight`, of which `width` × `height` pixels from (`left`, `top`) are wanted. */
export interface Scaling {
  readonly scaledWidth: number;
  readonly scaledHeight: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The scaling that brings a picture to a size: see `ImageFitting.fit`. */
export function scalingFor(
  image: { readonly width: number; readonly height: number },
  width: number,
  height: number,
  fit: 'crop' | 'stretch',
): Scaling {
  if (fit === 'stretch') return { scaledWidth: width, scaledHeight: height, left: 0, top: 0, width, height };
  const scale = Math.max(width / image.width, height / image.height);
  const scaledWidth = Math.max(width, Math.round(image.width * scale));
  const scaledHeight = Math.max(height, Math.round(image.height * scale));
  const left = Math.floor((scaledWidth - width) / 2);
  const top = Math.floor((scaledHeight - height) / 2);
  return { scaledWidth, scaledHeight, left, top, width, height };
}

/**
 * Scales a picture with a triangle filter, which is bilinear interpolation where it grows and a weighted mean over
 * all pixels where it shrinks (as Pillow and torchvision do). Rows of pixels, channels together, not rounded.
 */
export function resample(image: Image, scaling: Scaling): Float32Array {
  const { scaledWidth, scaledHeight, left, top, width, height } = scaling;
  const { channels, data } = image;
  const columns = filterTaps(image.width, scaledWidth, left, width);
  const rows = filterTaps(image.height, scaledHeight, top, height);
  // Only rows that some output row takes.
  const firstRow = Math.min(...rows.map(({ start }) => start));
  const endRow = Math.max(...rows.map(({ start, weights }) => start + weights.length));
  const narrow = new Float32Array((endRow - firstRow) * width * channels);
  for (let y = firstRow; y < endRow; y++) {
    for (let x = 0; x < width; x++) {
      const { start, weights } = columns[x]!;
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        let from = (y * image.width + start) * channels + c;
        for (let t = 0; t < weights.length; t++, from += channels) sum += weights[t]! * data[from]!;
        narrow[((y - firstRow) * width + x) * channels + c] = sum;
      }
    }
  }
  const out = new Float32Array(height * width * channels);
  const row = width * channels;
  for (let y = 0; y < height; y++) {
    const { start, weights } = rows[y]!;
    for (let t = 0; t < weights.length; t++) {
      const weight = weights[t]!;
      const from = (start - firstRow + t) * row;
      for (let i = 0; i < row; i++) out[y * row + i]! += weight * narrow[from + i]!;
    }
  }
  return out;
}

/** What one output pixel takes: neighbouring input pixels from `start` on, by weight. */
interface Taps {
  readonly start: number;
  /** Their sum is 1. */
  readonly weights: Float64Array;
}

/** The taps of `count` output pixels from `first` on, of a line of `from` pixels that is scaled to `to`. */
function filterTaps(from: number, to: number, first: number, count: number): readonly Taps[] {
  const ratio = from / to;
  const reach = Math.max(1, ratio);
  return Array.from({ length: count }, (_, i) => {
    const centre = (first + i + 0.5) * ratio;
    const start = Math.max(0, Math.floor(centre - reach + 0.5));
    const end = Math.min(from, Math.floor(centre + reach + 0.5));
    const weights = Float64Array.from({ length: end - start }, (_, t) =>
      Math.max(0, 1 - Math.abs(start + t + 0.5 - centre) / reach),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    return { start, weights: weights.map((weight) => weight / sum) };
  });
}
