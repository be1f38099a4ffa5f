import { decode } from 'jpeg-js';
import { counted } from '../../core/counted';
import type { Image } from './image';
import { jpegHeader } from './jpegHeader';

/** A block of 64 pixels takes a bit at least, which makes 512 pixels a byte; this is twice as many. */
const MOST_PIXELS_A_BYTE = 1024;
/** Progressive files have some ten. Each costs a pass over the whole picture. */
const MOST_SCANS = 200;

/**
 * Decodes a JPEG file, baseline or progressive, grey, RGB or CMYK, to RGB (jpeg-js), and turns it as its EXIF
 * orientation says, as viewers do. Colours stored at half the resolution are repeated, not interpolated, and colour
 * profiles are ignored. Throws plain errors.
 */
export function decodeJpeg(bytes: Uint8Array): Image {
  const { width, height, orientation, scans } = jpegHeader(bytes);
  if (width * height > MOST_PIXELS_A_BYTE * bytes.length) {
    throw new Error(`${counted(bytes.length, 'byte')} can't hold ${width} × ${height} pixels`);
  }
  if (scans > MOST_SCANS) throw new Error(`it has ${counted(scans, 'scan')}`);
  const { data } = decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxMemoryUsageInMB: 1536,
  });
  if (data.length !== width * height * 3) throw new Error('it has several frames');
  return turned({ width, height, channels: 3, data, white: 255 }, orientation);
}

/** Undoes an EXIF orientation: from 5 on the axes are swapped. */
function turned(image: Image, orientation: number): Image {
  if (orientation === 1) return image;
  const { width: w, height: h, channels, data } = image;
  const swapped = orientation >= 5;
  const [width, height] = swapped ? [h, w] : [w, h];
  const out = new Uint8Array(data.length);
  // Where the pixel (x, y) of the upright picture stands in the file's.
  const mirrorX = [2, 3, 7, 8].includes(orientation);
  const mirrorY = [3, 4, 6, 7].includes(orientation);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [a, b] = swapped ? [y, x] : [x, y];
      const from = ((mirrorY ? h - 1 - b : b) * w + (mirrorX ? w - 1 - a : a)) * channels;
      const to = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) out[to + c] = data[from + c]!;
    }
  }
  return { ...image, width, height, data: out };
}
