import { type Checkpoint, readCheckpoint } from '../core/checkpoint/checkpoint';
import { readCheckpointFloats } from '../core/checkpoint/checkpointData';
import type { CheckpointLayer } from '../core/compress/checkpointLayers';
import { Element, isFactorableType } from '../core/onnx/elements';
import { openFile } from './fileSource';
import { statSync } from './platform/files';
import type { WeightFile } from './runTask';

/** A scanned checkpoint with its file held open. Close it. */
export interface OpenCheckpoint extends WeightFile<CheckpointLayer> {
  readonly checkpoint: Checkpoint;
  close(): void;
}

/** Opens and scans a safetensors or PyTorch file. Throws ModelErrors. */
export function openCheckpoint(path: string): OpenCheckpoint {
  const file = openFile(path);
  try {
    return {
      path,
      version: `${file.size}:${statSync(path).mtimeMs}`,
      checkpoint: readCheckpoint(file),
      weightOf({ tensor }) {
        const { type, dims, where, strides } = tensor;
        const recipe = (storedType: number) => ({ storedType, storedDims: dims, isFill: false, steps: [] });
        if (type.element !== null && isFactorableType(type.element) && !strides) {
          const weight = { kind: 'file', path, ...where } as const;
          return { weight, recipe: recipe(type.element), type: type.element };
        }
        // Strided tensors and 8-bit floats are decoded here; only their spectra are wanted, so floats will do.
        const values = readCheckpointFloats(file, tensor);
        const decoded = values instanceof Float64Array ? Element.double : Element.float;
        return { weight: { kind: 'values', values }, recipe: recipe(decoded), type: decoded };
      },
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}
