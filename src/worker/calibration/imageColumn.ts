import { decodeImage } from './decodeImage';
import type { Image } from './image';
import type { ImageFitting } from './preprocessing';
import { resample, scalingFor } from './resample';
import type { SampleColumn } from './sampleColumn';

/** What pictures are made into. */
export interface ImageShape {
  readonly width: number;
  readonly height: number;
  /** 1, 3 or 4. */
  readonly channels: number;
  /** Where the channels stand: in front of, or behind the pixels. */
  readonly channelsFirst: boolean;
}

/** uint8: what preprocessing multiplies by 1/255. */
const UINT8 = 2;

/** Samples that were read are kept up to this many bytes: decoding is slow, and data is read more than once. */
const KEPT_BYTES = 256 * 1024 * 1024;

/**
 * Pictures as samples, decoded when they are first read: whole numbers from 0 to 255, as picture libraries give them,
 * in `shape`, a shape of as many elements.
 */
export function imageColumn(
  label: string,
  paths: readonly string[],
  target: ImageShape,
  fitting: ImageFitting,
  shape: readonly number[],
): SampleColumn {
  const length = target.width * target.height * target.channels;
  const kept = new Map<number, Uint8Array>();
  return {
    label,
    count: paths.length,
    shape,
    type: UINT8,
    read(indices, out) {
      for (const [k, index] of indices.entries()) {
        const sample = kept.get(index) ?? pixelsOf(decodeImage(paths[index]!), target, fitting);
        if ((kept.size + 1) * length <= KEPT_BYTES) kept.set(index, sample);
        out.set(sample, k * length);
      }
    },
  };
}

/** A picture in its final size, channels and layout. */
function pixelsOf(
  image: Image,
  { width, height, channels, channelsFirst }: ImageShape,
  { fit, channels: order }: ImageFitting,
): Uint8Array {
  const pixels = width * height;
  const scaled = resample(image, scalingFor(image, width, height, fit));
  const mixed = mixChannels(image, scaled, pixels, channels);
  const out = new Uint8ClampedArray(pixels * channels);
  for (let c = 0; c < channels; c++) {
    // Transparency stays the last.
    const from = order === 'bgr' && c < 3 && channels >= 3 ? 2 - c : c;
    const start = channelsFirst ? c * pixels : c;
    const step = channelsFirst ? 1 : channels;
    // A clamped array rounds.
    for (let p = 0; p < pixels; p++) out[start + p * step] = mixed[p * channels + from]!;
  }
  return new Uint8Array(out.buffer);
}

/**
 * Pixels with the wanted number of channels, from 0 to 255: grey is repeated, colour becomes grey by ITU-R BT.601
 * (as Pillow does), transparency is dropped, or opaque where it is wanted and missing.
 */
function mixChannels(
  { channels, white }: Image,
  pixels: Float32Array,
  count: number,
  wanted: number,
): Float32Array {
  const scale = 255 / white;
  const out = new Float32Array(count * wanted);
  const colour = channels >= 3;
  for (let p = 0; p < count; p++) {
    const at = p * channels;
    const [r, g, b] = colour
      ? [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!]
      : [pixels[at]!, pixels[at]!, pixels[at]!];
    if (wanted === 1) {
      out[p] = scale * (colour ? 0.299 * r + 0.587 * g + 0.114 * b : r);
      continue;
    }
    out[p * wanted] = scale * r;
    out[p * wanted + 1] = scale * g;
    out[p * wanted + 2] = scale * b;
    if (wanted === 4) out[p * 4 + 3] = channels % 2 === 0 ? scale * pixels[at + channels - 1]! : 255;
  }
  return out;
}
