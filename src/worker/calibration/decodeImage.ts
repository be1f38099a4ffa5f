import { counted } from '../../core/counted';
import { openFile } from '../fileSource';
import { dataError } from './dataError';
import { decodeJpeg } from './decodeJpeg';
import { decodePng } from './decodePng';
import type { Image, ImageHeader } from './image';
import { jpegHeader } from './jpegHeader';
import { pngSize } from './pngChunks';

const LARGEST_FILE = 256 * 1024 * 1024;
/** Decoding takes up to 24 bytes a pixel for a moment. */
const MOST_PIXELS = 64_000_000;

/** Decodes a PNG or JPEG file, told apart by content. Throws {@link ModelError}s naming the file. */
export function decodeImage(path: string): Image {
  const { bytes, header } = readImage(path);
  return attempt(path, () => (header.format === 'PNG' ? decodePng(bytes) : decodeJpeg(bytes)));
}

/** The size of a picture once it is upright. Throws {@link ModelError}s naming the file. */
export function imageHeader(path: string): ImageHeader {
  return readImage(path).header;
}

function readImage(path: string): { readonly bytes: Uint8Array; readonly header: ImageHeader } {
  const file = openFile(path);
  let bytes: Uint8Array;
  try {
    if (file.size > LARGEST_FILE)
      throw dataError(path, `no picture of ${counted(file.size, 'byte')} is read`);
    bytes = file.read(0, file.size);
  } finally {
    file.close();
  }
  const header = attempt(path, () => headerOf(bytes));
  if (header.width * header.height > MOST_PIXELS) {
    throw dataError(path, `${header.width} × ${header.height} pixels are more than are read`);
  }
  return { bytes, header };
}

function headerOf(bytes: Uint8Array): ImageHeader {
  const begins = (...magic: number[]) => magic.every((byte, i) => bytes[i] === byte);
  if (begins(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return { format: 'PNG', ...pngSize(bytes) };
  if (begins(0xff, 0xd8)) {
    const { width, height, orientation } = jpegHeader(bytes);
    return { format: 'JPEG', ...(orientation < 5 ? { width, height } : { width: height, height: width }) };
  }
  throw new Error('it is neither PNG nor JPEG');
}

/** Whatever a decoder throws is said about the file. */
function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw dataError(path, `${(error as Error).message}`.replace(/[.\s]+$/, ''));
  }
}
