import { counted } from '../../core/counted';
import { formatNumber } from '../../core/format';
import { concat } from '../concat';
import { inflate } from '../platform/inflate';

/** The parts of a PNG file that make its pixels (PNG, third edition, section 11). */
export interface PngChunks {
  readonly width: number;
  readonly height: number;
  /** Bits of one number of a pixel. */
  readonly depth: number;
  readonly colorType: number;
  readonly isInterlaced: boolean;
  /** The file without everything else: no profile, text or animation. */
  readonly stripped: Uint8Array;
}

const HEADER = 8 + 25;
const CHANNELS = new Map([
  [0, 1],
  [2, 3],
  [3, 1],
  [4, 2],
  [6, 4],
]);

/** Width and height from the first chunk, which has to be the header. Throws plain errors. */
export function pngSize(bytes: Uint8Array): { readonly width: number; readonly height: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER || view.getUint32(8) !== 13 || view.getUint32(12) !== 0x49484452) {
    throw new Error('its header is missing');
  }
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width === 0 || height === 0) throw new Error('it has no pixels');
  return { width, height };
}

/**
 * Takes a PNG file apart, and makes sure that what is compressed in it is just as long as size and depth say: a
 * decoder that believes either then allocates no more than that. Throws plain errors.
 */
export function pngChunks(bytes: Uint8Array): PngChunks {
  const { width, height } = pngSize(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [depth, colorType, , , interlace] = bytes.subarray(24, 29) as unknown as number[];
  const isInterlaced = interlace === 1;
  const channels = CHANNELS.get(colorType!);
  if (channels === undefined || ![1, 2, 4, 8, 16].includes(depth!)) throw new Error('its header is damaged');
  const kept: Uint8Array[] = [bytes.subarray(0, HEADER)];
  const data: Uint8Array[] = [];
  let at = HEADER;
  for (;;) {
    if (at + 12 > bytes.length) throw new Error('it is cut off');
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > bytes.length) throw new Error('it is cut off');
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (type === 'IDAT') data.push(bytes.subarray(at + 8, at + 8 + length));
    if (['PLTE', 'IDAT', 'IEND'].includes(type)) kept.push(bytes.subarray(at, end));
    if (type === 'IHDR') throw new Error('it has two headers');
    if (type === 'IEND') break;
    at = end;
  }
  const expected = rawLength(width, height, channels * depth!, isInterlaced);
  const raw = inflate(concat(data), expected + 1);
  if (raw.length !== expected)
    throw new Error(`it holds ${counted(raw.length, 'byte')} of pixels instead of ${formatNumber(expected)}`);
  return {
    width,
    height,
    depth: depth!,
    colorType: colorType!,
    isInterlaced,
    stripped: concat(kept),
  };
}

/** Bytes of the rows, each with its filter; the seven passes of Adam7 have rows of their own (section 8.1). */
function rawLength(width: number, height: number, bits: number, interlaced: boolean): number {
  const rows = (w: number, h: number) => (w > 0 ? h * (1 + Math.ceil((w * bits) / 8)) : 0);
  if (!interlaced) return rows(width, height);
  const passes = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ] as const;
  return passes.reduce(
    (sum, [x, y, dx, dy]) => sum + rows(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)),
    0,
  );
}
