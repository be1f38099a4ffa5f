import { createHash } from 'node:crypto';
import { openFile } from './fileSource';

const BLOCK = 1024 * 1024;

/** SHA-256 over the bytes of files, one behind the other, in hexadecimal. Between blocks it listens to the signal. */
export async function hashFiles(paths: readonly string[], signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const block = new Uint8Array(BLOCK);
  for (const path of paths) {
    const file = openFile(path);
    try {
      for (let at = 0; at < file.size; at += BLOCK) {
        signal?.throwIfAborted();
        const length = Math.min(BLOCK, file.size - at);
        hash.update(file.read(at, length, block.subarray(0, length)));
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      file.close();
    }
  }
  return hash.digest('hex');
}
