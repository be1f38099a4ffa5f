import { readFileSync } from 'node:fs';
import { ModelError } from '../core/onnx/modelError';

/** An array from a .npy file (NumPy enhancement proposal 1), its elements as numbers. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

type ElementReader = readonly [
  size: number,
  get: (view: DataView, offset: number, little: boolean) => number,
];

const READERS = new Map<string, ElementReader>([
  ['f4', [4, (v, o, le) => v.getFloat32(o, le)]],
  ['f8', [8, (v, o, le) => v.getFloat64(o, le)]],
  ['u1', [1, (v, o) => v.getUint8(o)]],
  ['i1', [1, (v, o) => v.getInt8(o)]],
  ['b1', [1, (v, o) => v.getUint8(o)]],
  ['u2', [2, (v, o, le) => v.getUint16(o, le)]],
  ['i2', [2, (v, o, le) => v.getInt16(o, le)]],
  ['u4', [4, (v, o, le) => v.getUint32(o, le)]],
  ['i4', [4, (v, o, le) => v.getInt32(o, le)]],
  ['i8', [8, (v, o, le) => Number(v.getBigInt64(o, le))]],
  ['u8', [8, (v, o, le) => Number(v.getBigUint64(o, le))]],
]);

/** Reads a .npy file of numbers in C order. Throws {@link ModelError} naming the file for anything else. */
export function readNpy(path: string): NpyArray {
  const refuse = (why: string) => new ModelError('unreadable', `${path} can't be used as input: ${why}.`);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte)) throw refuse('it is not a .npy file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[6]! >= 2;
  const start = wide ? 12 : 10;
  const end = start + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, end));
  const descr = /'descr':\s*'([<>|=]?)(\w\d)'/.exec(header);
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  const reader = READERS.get(descr?.[2] ?? '');
  if (!descr || !reader || shapeText === undefined)
    throw refuse(`its header is not understood: ${header.trim()}`);
  if (/'fortran_order':\s*True/.test(header)) throw refuse('it is in Fortran order; save it in C order');
  const shape = shapeText
    .split(',')
    .map((s) => s.trim())
    .filter(Boolean)
    .map(Number);
  const count = shape.reduce((a, b) => a * b, 1);
  const [size, get] = reader;
  if (end + count * size > bytes.length)
    throw refuse(`it should hold ${count} elements, but ends before the last`);
  const little = descr[1] !== '>';
  return { shape, data: Float64Array.from({ length: count }, (_, i) => get(view, end + i * size, little)) };
}
