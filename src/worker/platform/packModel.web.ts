import { readFileSync } from './files';
import type { PackedModel } from './packModel';
import { dirname, join } from './paths';

/** A model as it is sent to ONNX Runtime: here with all its bytes, as workers share no files. */
export function packModel(
  path: string,
  externalFiles: readonly string[],
  bytes: Uint8Array | undefined,
): PackedModel {
  const read = (file: string) => readFileSync(join(dirname(path), file));
  return {
    bytes: bytes ?? readFileSync(path),
    dataFiles: new Map(externalFiles.map((file) => [file, read(file)])),
  };
}
