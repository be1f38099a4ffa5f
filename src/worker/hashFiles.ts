import { createHash } from 'node:crypto';
import { openFile } from './fileSource';

const BLOCK = 8 * 1024 * 1024;

/** SHA-256 over the bytes of files, one behind the other, in hexadecimal. Between blocks it listens to the signal. */
export async function hashFiles(paths: readonly string[], signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    const file = openFile(path);
    try {
      for (let at = 0; at < file.size; at += BLOCK) {
        signal?.throwIfAborted();
        hash.update(file.read(at, Math.min(BLOCK, file.size - at)));
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      file.close();
    }
  }
  return hash.digest('hex');
}
