import { fromBfloat16, fromFloat16 } from '../../core/onnx/halfFloat';
import type { ElementType } from '../../core/onnx/model';

type GetElement = (view: DataView, at: number, little: boolean) => number;

/** Size in bytes and reader of every element type (TensorProto.DataType) whose values are plain numbers. */
const ELEMENTS = new Map<ElementType, readonly [size: number, get: GetElement]>([
  [1, [4, (v, at, le) => v.getFloat32(at, le)]],
  [2, [1, (v, at) => v.getUint8(at)]],
  [3, [1, (v, at) => v.getInt8(at)]],
  [4, [2, (v, at, le) => v.getUint16(at, le)]],
  [5, [2, (v, at, le) => v.getInt16(at, le)]],
  [6, [4, (v, at, le) => v.getInt32(at, le)]],
  [7, [8, (v, at, le) => Number(v.getBigInt64(at, le))]],
  [9, [1, (v, at) => (v.getUint8(at) ? 1 : 0)]],
  [10, [2, (v, at, le) => fromFloat16(v.getUint16(at, le))]],
  [11, [8, (v, at, le) => v.getFloat64(at, le)]],
  [12, [4, (v, at, le) => v.getUint32(at, le)]],
  [13, [8, (v, at, le) => Number(v.getBigUint64(at, le))]],
  [16, [2, (v, at, le) => fromBfloat16(v.getUint16(at, le))]],
]);

/** Bytes of one element; undefined for types that are not read here (strings, complex, below 16-bit floats). */
export function elementSize(type: ElementType): number | undefined {
  return ELEMENTS.get(type)?.[0];
}

/**
 * Decodes whole elements of a type with an {@link elementSize} into `out` from index `at` on. 64-bit integers
 * beyond 2^53 become the nearest double.
 */
export function decodeElements(
  type: ElementType,
  bytes: Uint8Array,
  little: boolean,
  out: Float64Array,
  at: number,
): void {
  if (type === 2) {
    out.set(bytes, at);
    return;
  }
  const [size, get] = ELEMENTS.get(type)!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / size;
  for (let i = 0; i < count; i++) out[at + i] = get(view, i * size, little);
}
