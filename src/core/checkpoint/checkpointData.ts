import { counted } from '../counted';
import type { ByteSource } from '../onnx/byteSource';
import { elementCount, isFactorableType } from '../onnx/elements';
import { ModelError } from '../onnx/modelError';
import { decodeFloats } from '../onnx/tensorData';
import type { CheckpointTensor } from './checkpoint';
import { float8Values } from './float8';
import { shorten } from './json';
import type { TensorType } from './tensorType';

/** Strides of 0 make much of little: beyond this many elements a tensor must stand in the file in full. */
const MAX_REPEATED = 1 << 24;

/** Whether {@link readCheckpointFloats} can decode elements of this type. */
export function isReadableFloat({ element }: TensorType): boolean {
  return element !== null && (isFactorableType(element) || float8Values(element) !== undefined);
}

/**
 * The elements of a floating-point tensor, row by row: double precision where the tensor is, single for all
 * others. Throws {@link ModelError} for types that hold no plain floats and for tensors that fit no memory.
 */
export function readCheckpointFloats(
  source: ByteSource,
  tensor: CheckpointTensor,
): Float32Array | Float64Array {
  const label = `${source.name}: the tensor ${JSON.stringify(shorten(tensor.name))}`;
  if (!isReadableFloat(tensor.type)) {
    throw new ModelError(
      'unsupported-type',
      `${label} holds ${tensor.type.name}, not floating-point numbers that can be computed with.`,
    );
  }
  const { where, strides, dims } = tensor;
  const count = elementCount(dims);
  if (strides && count > MAX_REPEATED && count * tensor.type.bits > where.length * 8) {
    throw new ModelError(
      'too-large',
      `${label} makes ${counted(count, 'element')} of ${counted(where.length, 'byte')}, more than are read here.`,
    );
  }
  try {
    const values = decode(tensor.type, source.read(where.offset, where.length));
    return strides ? gather(values, dims, strides) : values;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ModelError('too-large', `${label} fits no memory: ${error.message}.`);
  }
}

function decode({ element }: TensorType, bytes: Uint8Array): Float32Array | Float64Array {
  const table = float8Values(element!);
  if (!table) return decodeFloats(element!, bytes);
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) values[i] = table[bytes[i]!]!;
  return values;
}

/** The elements at `Σ indexᵈ · strideᵈ` in row-major order of the indices. There is at least one. */
function gather(
  from: Float32Array | Float64Array,
  dims: readonly number[],
  strides: readonly number[],
): Float32Array | Float64Array {
  const count = elementCount(dims);
  const to = from instanceof Float64Array ? new Float64Array(count) : new Float32Array(count);
  const index = dims.map(() => 0);
  let position = 0;
  for (let i = 0; i < count; i++) {
    to[i] = from[position]!;
    // Count up like an odometer: a dimension that is full starts anew and moves the one before it.
    for (let d = dims.length - 1; d >= 0; d--) {
      position += strides[d]!;
      if (++index[d]! < dims[d]!) break;
      position -= dims[d]! * strides[d]!;
      index[d] = 0;
    }
  }
  return to;
}
