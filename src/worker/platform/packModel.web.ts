import type { PartData } from '../../core/onnx/parts/writePart';
import { readFileSync } from './files';
import type { PackedModel } from './packModel';
import { dirname, join } from './paths';

/** A model as it is sent to ONNX Runtime: here with all its bytes, as workers share no files. */
export function packModel(
  path: string,
  externalFiles: readonly string[],
  bytes: Uint8Array | undefined,
  data: readonly PartData[],
): PackedModel {
  const beside = (file: string) => join(dirname(path), file);
  const ranges = data.map(({ name, file, offset, length }) => {
    const range = readFileSync(file).subarray(offset, offset + length);
    return [name, range] as const;
  });
  return {
    bytes: bytes ?? readFileSync(path),
    dataFiles: new Map([
      ...externalFiles.map((file) => [file, readFileSync(beside(file))] as const),
      ...ranges,
    ]),
    data: data.map(({ name, length }) => ({ name, file: beside(name), offset: 0, length })),
  };
}
