import { unzlibSync } from 'fflate';

/** What does not unpack. */
export class DamagedDeflate extends Error {}

/** Unpacks zlib data (RFC 1950), `atMost` bytes of it. Throws plain errors where it is damaged. */
export function inflate(packed: Uint8Array, atMost: number): Uint8Array {
  return unzlibSync(packed, { out: new Uint8Array(atMost) });
}

interface Unpacking {
  readonly readable: {
    getReader(): {
      read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array }>;
      cancel(): Promise<void>;
    };
  };
  readonly writable: {
    getWriter(): {
      write(piece: Uint8Array): Promise<void>;
      close(): Promise<void>;
      abort(reason: unknown): Promise<void>;
    };
  };
}
declare const DecompressionStream: new (format: 'deflate-raw') => Unpacking;

/** As in Node, by the browser's own stream. */
export async function inflateRaw(
  blocks: Iterable<Uint8Array>,
  onChunk: (chunk: Uint8Array) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { readable, writable } = new DecompressionStream('deflate-raw');
  const [writer, reader] = [writable.getWriter(), readable.getReader()];
  // What the stream itself throws differs from browser to browser, so it is told by where it comes from.
  const damaged = (error: Error) => {
    throw new DamagedDeflate(error.message);
  };
  const read = () => reader.read().catch(damaged);
  const writing = (async () => {
    for (const block of blocks) {
      signal?.throwIfAborted();
      await writer.write(block).catch(damaged);
    }
    await writer.close().catch(damaged);
  })();
  // What goes wrong while it is fed ends the reading too; here it would be told of without anybody listening.
  let cause: unknown;
  const fed = writing.catch((error: unknown) => {
    if (!(error instanceof DamagedDeflate)) cause = error;
    return writer.abort(error).catch(() => {});
  });
  try {
    for (let { done, value } = await read(); !done && value; { done, value } = await read()) {
      signal?.throwIfAborted();
      onChunk(value);
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    await fed;
    throw cause ?? error;
  }
  await writing;
}

/** The table of CRC-32 (RFC 1952, section 8). */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let c = byte;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

export function crc32(piece: Uint8Array, before: number): number {
  let c = ~before;
  for (const byte of piece) c = TABLE[(c ^ byte) & 255]! ^ (c >>> 8);
  return ~c >>> 0;
}
