import { crc32, deflateSync } from 'node:zlib';
import { concat, latin1 } from './checkpointFiles';

/** A PNG file in words. */
export interface PngSpec {
  readonly width: number;
  readonly height: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA. */
  readonly colorType: 0 | 2 | 3 | 4 | 6;
  readonly depth?: 1 | 2 | 4 | 8 | 16;
  /** The numbers of all pixels, channels together. */
  readonly values: ArrayLike<number>;
  readonly palette?: readonly number[];
  readonly interlaced?: boolean;
  /** Chunks in front of the pixels: type and content. */
  readonly extra?: readonly (readonly [string, Uint8Array])[];
}

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;

/** Adam7's passes: first column and row, and the steps between them. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** The bytes of a PNG file: rows without a filter, but every other one with "up". */
export function pngFile(spec: PngSpec): Uint8Array {
  const { width, height, colorType, depth = 8, values, palette, interlaced = false, extra = [] } = spec;
  const channels = CHANNELS[colorType];
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([depth, colorType, 0, 0, interlaced ? 1 : 0], 8);
  const rows: number[] = [];
  for (const [x0, y0, dx, dy] of interlaced ? PASSES : [[0, 0, 1, 1] as const]) {
    let previous: number[] | undefined;
    for (let y = y0; y < height; y += dy) {
      const row: number[] = [];
      for (let x = x0; x < width; x += dx) {
        for (let c = 0; c < channels; c++) row.push(values[(y * width + x) * channels + c]!);
      }
      if (row.length === 0) break;
      const bytes = packed(row, depth);
      const up = previous !== undefined && y % 2 === 1;
      rows.push(up ? 2 : 0, ...bytes.map((byte, i) => (up ? (byte - previous![i]!) & 255 : byte)));
      previous = bytes;
    }
  }
  return concat(
    [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    pngChunk('IHDR', header),
    ...extra.map(([type, content]) => pngChunk(type, content)),
    palette ? pngChunk('PLTE', Uint8Array.from(palette)) : [],
    pngChunk('IDAT', deflateSync(Uint8Array.from(rows))),
    pngChunk('IEND', new Uint8Array(0)),
  );
}

/** Numbers as bytes: the highest bits first, 16 bits with the high byte first. */
function packed(row: readonly number[], depth: number): number[] {
  if (depth === 16) return row.flatMap((value) => [value >> 8, value & 255]);
  if (depth === 8) return [...row];
  const bytes = new Array<number>(Math.ceil((row.length * depth) / 8)).fill(0);
  for (const [i, value] of row.entries()) {
    const bit = i * depth;
    bytes[bit >> 3]! |= value << (8 - depth - (bit & 7));
  }
  return bytes;
}

/** One chunk: length, type, content, checksum. */
export function pngChunk(type: string, content: Uint8Array): Uint8Array {
  const named = concat(latin1(type), content);
  const numbers = new DataView(new ArrayBuffer(8));
  numbers.setUint32(0, content.length);
  numbers.setUint32(4, crc32(named));
  const bytes = new Uint8Array(numbers.buffer);
  return concat(bytes.subarray(0, 4), named, bytes.subarray(4));
}
