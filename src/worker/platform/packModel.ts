import type { PartData } from '../../core/onnx/parts/writePart';

/** What goes to ONNX Runtime along with a model's path. */
export interface PackedModel {
  /** The model, where it is not to be read from its file. */
  readonly bytes?: Uint8Array;
  /** Its data files by the names it has for them, where they can't be read from their folder. */
  readonly dataFiles?: ReadonlyMap<string, Uint8Array>;
  /** Ranges of files that are further data files. */
  readonly data: readonly PartData[];
}

/** A model as it is sent to ONNX Runtime: here without files, as those can be read there too. */
export function packModel(
  _path: string,
  _externalFiles: readonly string[],
  bytes: Uint8Array | undefined,
  data: readonly PartData[],
): PackedModel {
  return bytes ? { bytes, data } : { data };
}
