import type { ByteSource } from '../onnx/byteSource';
import { ModelError } from '../onnx/modelError';
import { readPytorch } from './pytorch';
import { readSafetensors } from './safetensors';
import type { TensorType } from './tensorType';

/** A tensor of a checkpoint. Its elements stay in the file until somebody asks (`checkpointData.ts`). */
export interface CheckpointTensor {
  /** Unique in the checkpoint; nested dictionaries are joined by dots. */
  readonly name: string;
  readonly type: TensorType;
  readonly dims: readonly number[];
  /**
   * The bytes of the file that hold the elements, little-endian. Row by row where there are no `strides`;
   * otherwise from the first to the last element the strides reach.
   */
  readonly where: { readonly offset: number; readonly length: number };
  /** In elements, one per dimension; only where the elements do not stand row by row. */
  readonly strides?: readonly number[];
  /** The first tensor that stands in the same bytes: tied weights, which count once. */
  readonly sharedWith?: string;
}

/** A part of a checkpoint that is not among its tensors, with the reason as a whole sentence. */
export interface CheckpointRemainder {
  readonly name: string;
  readonly reason: string;
}

/** A file of named tensors without a graph, scanned but not loaded. It is only ever read. */
export interface Checkpoint {
  readonly source: ByteSource;
  readonly format: 'safetensors' | 'pytorch';
  /** In the order of the file. */
  readonly tensors: readonly CheckpointTensor[];
  /** What the file says of itself: safetensors' `__metadata__`, the numbers and texts beside a state dict. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Optimiser state, tensors on no device, classes unknown here. */
  readonly skipped: readonly CheckpointRemainder[];
}

/**
 * Reads which tensors a safetensors or PyTorch file holds, and where. The format is recognised by its content.
 * The cost follows the number of tensors, not of bytes. Throws {@link ModelError} for anything else.
 */
export function readCheckpoint(source: ByteSource): Checkpoint {
  if (source.size === 0) throw new ModelError('empty', `${source.name} is empty: it holds no checkpoint.`);
  const start = source.read(0, Math.min(source.size, 512));
  // A safetensors file has a length in front and then an object; a zip entry never has a '{' in its ninth byte.
  if (start[8] !== 0x7b) {
    if (begins(start, 'PK\x03\x04')) return readPytorch(source);
    for (const { what, found } of OTHERS) {
      if (found(start)) throw new ModelError('unsupported-format', `${source.name} ${what}`);
    }
    if (!/\.safetensors$/i.test(source.name)) {
      throw new ModelError(
        'not-a-checkpoint',
        `${source.name} is neither a safetensors file nor a PyTorch checkpoint.`,
      );
    }
  }
  return readSafetensors(source);
}

/** Files that stand under the same names and are told apart by how they begin. */
const OTHERS: readonly { readonly what: string; readonly found: (start: Uint8Array) => boolean }[] = [
  {
    what: 'is a Git LFS pointer, not the checkpoint itself. "git lfs pull" fetches it.',
    found: (start) => begins(start, 'version https://git-lfs.github.com/spec/'),
  },
  {
    what: 'is an empty zip archive: it holds no checkpoint.',
    found: (start) => begins(start, 'PK\x05\x06'),
  },
  {
    // The pickle of torch's magic number, 0x1950a86a20f9469cfc6c, with protocol 2 or later.
    what: 'is a PyTorch file in the format from before version 1.6, which is not read. Loading and saving it with a current PyTorch converts it.',
    found: (start) =>
      start[0] === 0x80 && begins(start.subarray(2), '\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19'),
  },
  {
    what: 'is a tar archive: a PyTorch file in the format from before version 0.2, which is not read. Loading and saving it with a current PyTorch converts it.',
    found: (start) => begins(start.subarray(257), 'ustar'),
  },
  {
    what: 'is a bare Python pickle, not a PyTorch checkpoint of version 1.6 or later.',
    found: (start) => start[0] === 0x80 && (start[1] ?? 0) >= 2 && (start[1] ?? 0) <= 5,
  },
  {
    what: 'is a GGUF file, which is not read.',
    found: (start) => begins(start, 'GGUF'),
  },
  {
    what: 'is an HDF5 file, which is not read.',
    found: (start) => begins(start, '\x89HDF\r\n'),
  },
];

/** Whether bytes start with these characters, one byte each. */
function begins(bytes: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text.charCodeAt(i)) return false;
  return true;
}
