import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw, inflateSync, crc32 as zlibCrc32 } from 'node:zlib';

/** What is unpacked arrives in pieces of about this size. */
const CHUNK = 1024 * 1024;

/** What does not unpack. */
export class DamagedDeflate extends Error {}

/** Unpacks zlib data (RFC 1950). Throws plain errors where it is damaged, and where it gives more than `atMost` bytes. */
export function inflate(packed: Uint8Array, atMost: number): Uint8Array {
  return inflateSync(packed, { maxOutputLength: atMost });
}

/**
 * Unpacks a raw deflate stream (RFC 1951) block by block; between them it listens to the signal. Throws
 * {@link DamagedDeflate}, what `onChunk` throws, and the signal's reason.
 */
export async function inflateRaw(
  blocks: Iterable<Uint8Array>,
  onChunk: (chunk: Uint8Array) => void,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await pipeline(
      Readable.from(blocks),
      createInflateRaw({ chunkSize: CHUNK }),
      async (chunks: AsyncIterable<Uint8Array>) => {
        for await (const chunk of chunks) onChunk(chunk);
      },
      ...(signal ? [{ signal }] : []),
    );
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code?.startsWith('Z_') ? new DamagedDeflate(message) : error;
  }
}

/** The CRC-32 of zip archives over pieces: that of the pieces before, and one more. */
export function crc32(piece: Uint8Array, before: number): number {
  return zlibCrc32(piece, before);
}
