import { counted } from '../counted';
import { formatNumber } from '../format';
import type { ByteSource } from './byteSource';
import { Element, elementBytes, elementCount, elementName, isFactorableType } from './elements';
import { checkedRange } from './externalData';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './halfFloat';
import type { ElementType, Model, Tensor } from './model';
import { ModelError } from './modelError';
import { decodeTypedElements } from './proto';

/** Opens the file that an external tensor names, having checked that it lies inside the model's folder. */
export type OpenExternal = (location: string, tensor: string) => ByteSource;

/** What is needed of a model to read its tensors: the file they stand in. */
export type TensorFile = Pick<Model, 'source'>;

/** Where the raw little-endian elements of a tensor can be read: a file and a range of it. */
export interface TensorLocation {
  readonly source: ByteSource;
  readonly offset: number;
  readonly length: number;
}

/**
 * The byte range that holds a tensor's elements, or undefined where they stand in typed protobuf fields and
 * have to be decoded ({@link readFloats}). Throws {@link ModelError} where the range does not fit dims and type.
 */
export function locateTensor(
  model: TensorFile,
  tensor: Tensor,
  openExternal: OpenExternal,
): TensorLocation | undefined {
  const expected = elementBytes(tensor.type, elementCount(tensor.dims));
  const label = `${model.source.name}: the tensor "${tensor.name}" (${elementName(tensor.type)} ${tensor.dims.join(' × ') || 'scalar'})`;
  switch (tensor.data.kind) {
    case 'raw': {
      const { start, end } = tensor.data.span;
      if (end - start !== expected) {
        throw new ModelError(
          'data-length',
          `${label} needs ${counted(expected, 'byte')}, but has ${formatNumber(end - start)}.`,
        );
      }
      return { source: model.source, offset: start, length: expected };
    }
    case 'external': {
      const source = openExternal(tensor.data.location, tensor.name);
      const range = checkedRange(tensor.data, source.size, expected, label);
      return { source, ...range };
    }
    case 'typed':
      return undefined;
    case 'none':
      if (expected > 0) throw new ModelError('data-length', `${label} holds no data.`);
      return { source: model.source, offset: 0, length: 0 };
  }
}

/**
 * The elements of a floating-point tensor: double precision where the tensor is, single for all others.
 * Throws {@link ModelError} for types that hold no plain floats and for payloads that do not fit.
 */
export function readFloats(
  model: Model,
  tensor: Tensor,
  openExternal: OpenExternal,
): Float32Array | Float64Array {
  if (!isFactorableType(tensor.type)) {
    throw new ModelError(
      'unsupported-type',
      `${model.source.name}: the tensor "${tensor.name}" holds ${elementName(tensor.type)}, not floating-point numbers that can be computed with.`,
    );
  }
  const location = locateTensor(model, tensor, openExternal);
  if (location) return decodeFloats(tensor.type, location.source.read(location.offset, location.length));
  const values = typedNumbers(model, tensor);
  return tensor.type === Element.double ? Float64Array.from(values) : Float32Array.from(values);
}

/** The elements in the typed fields as numbers: 16-bit floats stand there as their bit patterns, in int32_data. */
function typedNumbers(model: TensorFile, tensor: Tensor): readonly number[] {
  const values = typedElements(model, tensor);
  switch (tensor.type) {
    case Element.float16:
      return values.map(fromFloat16);
    case Element.bfloat16:
      return values.map(fromBfloat16);
    default:
      return values;
  }
}

/**
 * The elements of a small tensor as numbers, whatever its type (int64 to 2^53, bool as 0 and 1), for shape
 * inference. undefined for types that are not numbers and for tensors of more than `limit` elements.
 */
export function readSmall(
  model: TensorFile,
  tensor: Tensor,
  openExternal: OpenExternal,
  limit = 4096,
): readonly number[] | undefined {
  const count = elementCount(tensor.dims);
  if (count > limit || tensor.data.kind === 'external') return undefined;
  const location = locateTensor(model, tensor, openExternal);
  if (!location) return typedNumbers(model, tensor);
  const bytes = location.source.read(location.offset, location.length);
  if (isFactorableType(tensor.type)) return Array.from(decodeFloats(tensor.type, bytes));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const get = INTEGER_READERS.get(tensor.type);
  return get ? Array.from({ length: count }, (_, i) => get(view, i)) : undefined;
}

const INTEGER_READERS = new Map<ElementType, (view: DataView, index: number) => number>([
  [2, (v, i) => v.getUint8(i)],
  [3, (v, i) => v.getInt8(i)],
  [4, (v, i) => v.getUint16(2 * i, true)],
  [5, (v, i) => v.getInt16(2 * i, true)],
  [6, (v, i) => v.getInt32(4 * i, true)],
  [7, (v, i) => Number(v.getBigInt64(8 * i, true))],
  [9, (v, i) => v.getUint8(i)],
  [12, (v, i) => v.getUint32(4 * i, true)],
  [13, (v, i) => Number(v.getBigUint64(8 * i, true))],
]);

function typedElements(model: TensorFile, tensor: Tensor): readonly number[] {
  if (tensor.data.kind !== 'typed') return [];
  const { start, end } = tensor.data.message;
  let values: readonly number[];
  try {
    values = decodeTypedElements(model.source.read(start, end - start));
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(
      'malformed',
      `${model.source.name}: the tensor "${tensor.name}" at byte ${start} does not decode (${(error as Error).message}).`,
    );
  }
  const count = elementCount(tensor.dims);
  if (values.length !== count) {
    throw new ModelError(
      'data-length',
      `${model.source.name}: the tensor "${tensor.name}" needs ${counted(count, 'element')}, but has ${formatNumber(values.length)}.`,
    );
  }
  return values;
}

/** Little-endian raw bytes as floats: double precision for double, single for float, float16 and bfloat16. */
export function decodeFloats(type: ElementType, bytes: Uint8Array): Float32Array | Float64Array {
  switch (type) {
    case Element.float:
      return new Float32Array(alignedBuffer(bytes));
    case Element.double:
      return new Float64Array(alignedBuffer(bytes));
    case Element.float16:
      return Float32Array.from(new Uint16Array(alignedBuffer(bytes)), fromFloat16);
    case Element.bfloat16:
      return Float32Array.from(new Uint16Array(alignedBuffer(bytes)), fromBfloat16);
    default:
      throw new Error(`decodeFloats was asked for ${elementName(type)}.`);
  }
}

/** Floats as little-endian raw bytes of `type`, rounded to nearest. */
export function encodeFloats(type: ElementType, values: Float32Array | Float64Array): Uint8Array {
  const encoded =
    type === Element.float
      ? new Float32Array(values)
      : type === Element.double
        ? new Float64Array(values)
        : Uint16Array.from(values, type === Element.float16 ? toFloat16 : toBfloat16);
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}

/** A buffer that starts at the first byte: payloads stand at any offset, typed arrays need an aligned one. */
function alignedBuffer(bytes: Uint8Array): ArrayBuffer {
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return (whole ? bytes.buffer : new Uint8Array(bytes).buffer) as ArrayBuffer;
}
