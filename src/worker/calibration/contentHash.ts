import { hashFiles } from '../hashFiles';
import { relative } from '../platform/paths';
import { sha256 } from '../platform/sha256';

/**
 * SHA-256, in hexadecimal, over the content of files, their paths inside `root`, and settings: the same data read in
 * the same way has the same key, wherever it stands. Files are read in blocks; between them it listens to the signal.
 */
export async function contentHash(
  root: string,
  paths: readonly string[],
  settings: unknown,
  signal?: AbortSignal,
): Promise<string> {
  const hash = sha256();
  hash.update(JSON.stringify(['calibration 1', settings]));
  for (const path of paths) {
    const name = relative(root, path).replaceAll('\\', '/');
    hash.update(JSON.stringify([name, await hashFiles([path], signal)]));
  }
  return hash.digest('hex');
}
