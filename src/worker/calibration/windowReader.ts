import type { ByteSource } from '../../core/onnx/byteSource';

const SMALLEST = 64 * 1024;
/** The most that is read at once, but for a range that is itself longer. */
export const LARGEST_WINDOW = 4 * 1024 * 1024;

/**
 * Reads ranges of a file in rising order through a window: neighbouring ranges cost one read together, far ones
 * one small read each. The result is valid until the next call.
 */
export function windowReader(source: ByteSource): (offset: number, length: number) => Uint8Array {
  let low = 0;
  let bytes: Uint8Array = new Uint8Array(0);
  return (offset, length) => {
    const high = low + bytes.length;
    if (offset < low || offset + length > high) {
      const readsOn = offset >= low && offset - high <= bytes.length;
      const wanted = readsOn ? Math.min(LARGEST_WINDOW, Math.max(SMALLEST, 2 * bytes.length)) : SMALLEST;
      const rest = Math.max(0, source.size - offset);
      bytes = source.read(offset, Math.max(length, Math.min(wanted, rest)));
      low = offset;
    }
    return bytes.subarray(offset - low, offset - low + length);
  };
}
