/**
 * Random access to the bytes of one file: the port through which the core reads. `worker/fileSource.ts`
 * implements it with positioned reads, {@link memorySource} over bytes that are already there.
 */
export interface ByteSource {
  /** For messages: the file's path or name. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`. The caller may keep the result, but not write to it.
   * A source that has to copy them does so into `space`, of that length, where the caller gives it.
   * Throws when the range is not inside the file or reading fails.
   */
  read(offset: number, length: number, space?: Uint8Array): Uint8Array;
}

/** A {@link ByteSource} over bytes in memory. */
export function memorySource(name: string, content: Uint8Array): ByteSource {
  // A Node Buffer's slice() is a view, a Uint8Array's a copy: from here on it is the latter.
  const bytes = new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  return {
    name,
    size: bytes.length,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.length) {
        throw new RangeError(
          `${name}: bytes ${offset}…${offset + length} are outside the ${bytes.length} there are.`,
        );
      }
      return bytes.subarray(offset, offset + length);
    },
  };
}
