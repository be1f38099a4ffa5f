import { convertIndexedToRgb, decode } from 'fast-png';
import { counted } from '../../core/counted';
import type { Image } from './image';
import { pngChunks } from './pngChunks';

/**
 * Decodes a PNG file of any colour type, depth and interlacing (fast-png). Palettes become RGB, depths below 8 bits
 * are spread over 8; transparency of single colours, gamma and colour profiles are ignored. Throws plain errors, also
 * for interlaced pixels of less than 8 bits, which fast-png 8.0 gets wrong.
 */
export function decodePng(bytes: Uint8Array): Image {
  const { width, height, depth: bits, colorType, isInterlaced, stripped } = pngChunks(bytes);
  if (isInterlaced && bits < 8)
    throw new Error(`it is interlaced with ${counted(bits, 'bit')} a pixel; save it without`);
  const png = decode(stripped, { checkCrc: true });
  if (colorType === 3) return { width, height, channels: 3, data: convertIndexedToRgb(png), white: 255 };
  const { channels, depth, data } = png;
  if (depth >= 8) return { width, height, channels, data, white: depth === 16 ? 65535 : 255 };
  return { width, height, channels, data: unpacked(data, width, height, depth), white: 255 };
}

/** Grey pixels of 1, 2 or 4 bits, packed from the highest bit on, each row beginning a byte. */
function unpacked(data: ArrayLike<number>, width: number, height: number, depth: number): Uint8Array {
  const out = new Uint8Array(width * height);
  const rowBytes = Math.ceil((width * depth) / 8);
  const most = 2 ** depth - 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const byte = data[y * rowBytes + (bit >> 3)]!;
      out[y * width + x] = (((byte >> (8 - depth - (bit & 7))) & most) * 255) / most;
    }
  }
  return out;
}
