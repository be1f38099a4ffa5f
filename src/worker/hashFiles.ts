import { openFile } from './fileSource';
import { pause } from './platform/pause';
import { sha256 } from './platform/sha256';

const BLOCK = 1024 * 1024;

/** SHA-256 over the bytes of files, one behind the other, in hexadecimal. Between blocks it listens to the signal. */
export async function hashFiles(paths: readonly string[], signal?: AbortSignal): Promise<string> {
  const hash = sha256();
  const block = new Uint8Array(BLOCK);
  for (const path of paths) {
    const file = openFile(path);
    try {
      for (let at = 0; at < file.size; at += BLOCK) {
        signal?.throwIfAborted();
        const length = Math.min(BLOCK, file.size - at);
        hash.update(file.read(at, length, block.subarray(0, length)));
        await pause();
      }
    } finally {
      file.close();
    }
  }
  return hash.digest('hex');
}
