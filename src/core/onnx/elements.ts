import type { ElementType } from './model';

interface ElementInfo {
  /** As ONNX spells it, in lower case. */
  readonly name: string;
  /** Size of one element; below 8 for packed sub-byte types, 0 where elements have no fixed size. */
  readonly bits: number;
  readonly isFloat: boolean;
}

/** TensorProto.DataType by number (onnx.proto3, IR version 11), with the size of one element. */
const TYPES: ReadonlyMap<ElementType, ElementInfo> = new Map(
  (
    [
      [1, 'float', 32, true],
      [2, 'uint8', 8, false],
      [3, 'int8', 8, false],
      [4, 'uint16', 16, false],
      [5, 'int16', 16, false],
      [6, 'int32', 32, false],
      [7, 'int64', 64, false],
      [8, 'string', 0, false],
      [9, 'bool', 8, false],
      [10, 'float16', 16, true],
      [11, 'double', 64, true],
      [12, 'uint32', 32, false],
      [13, 'uint64', 64, false],
      [14, 'complex64', 64, true],
      [15, 'complex128', 128, true],
      [16, 'bfloat16', 16, true],
      [17, 'float8e4m3fn', 8, true],
      [18, 'float8e4m3fnuz', 8, true],
      [19, 'float8e5m2', 8, true],
      [20, 'float8e5m2fnuz', 8, true],
      [21, 'uint4', 4, false],
      [22, 'int4', 4, false],
      [23, 'float4e2m1', 4, true],
      [24, 'float8e8m0', 8, true],
      [25, 'uint2', 2, false],
      [26, 'int2', 2, false],
    ] as const
  ).map(([number, name, bits, isFloat]) => [number, { name, bits, isFloat }]),
);

/** The element types this code computes with, by name. */
export const Element = {
  float: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  double: 11,
  bfloat16: 16,
} as const;

/** The ONNX name of an element type ("float", "int64"), or "type 99" for a number ONNX does not know. */
export function elementName(type: ElementType): string {
  return TYPES.get(type)?.name ?? `type ${type}`;
}

/** Whether the elements are floating-point numbers: what counts as a parameter. */
export function isFloatType(type: ElementType): boolean {
  return TYPES.get(type)?.isFloat ?? false;
}

/** Whether weights of this type can be decoded, factored and written back. */
export function isFactorableType(type: ElementType): boolean {
  return (
    type === Element.float || type === Element.double || type === Element.float16 || type === Element.bfloat16
  );
}

/** Number of elements of a tensor with these dimensions: 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, d) => product * d, 1);
}

/** Bytes that `count` elements take in raw_data: sub-byte types are packed. 0 for strings and unknown types. */
export function elementBytes(type: ElementType, count: number): number {
  return Math.ceil(((TYPES.get(type)?.bits ?? 0) * count) / 8);
}
