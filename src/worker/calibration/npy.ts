import { counted } from '../../core/counted';
import { formatNumber, formatShape } from '../../core/format';
import type { ByteSource } from '../../core/onnx/byteSource';
import { elementCount } from '../../core/onnx/elements';
import type { ElementType } from '../../core/onnx/model';
import { dataError } from './dataError';
import { elementSize } from './decodeElements';
import type { StoredArray } from './storedArray';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** A header says one type and one shape; longer ones describe records. */
const LONGEST_HEADER = 64 * 1024;

/** NumPy's type codes without the byte order. */
const TYPES = new Map<string, ElementType>([
  ['b1', 9],
  ['u1', 2],
  ['i1', 3],
  ['u2', 4],
  ['i2', 5],
  ['u4', 12],
  ['i4', 6],
  ['u8', 13],
  ['i8', 7],
  ['f2', 10],
  ['f4', 1],
  ['f8', 11],
]);

/**
 * The array of numbers that an .npy file holds, or a range of a file that is one (NumPy enhancement proposal 1,
 * versions 1 to 3): both orders of axes, both orders of bytes. Throws {@link ModelError} ('bad-data').
 */
export function openNpy(
  source: ByteSource,
  label = source.name,
  range: { readonly offset: number; readonly length: number } = { offset: 0, length: source.size },
): StoredArray {
  const refuse = (why: string) => dataError(label, why);
  if (range.length < 12) throw refuse('it is not in .npy format');
  const start = source.read(range.offset, 12);
  if (MAGIC.some((byte, i) => start[i] !== byte)) throw refuse('it is not in .npy format');
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const version = start[6]!;
  if (version < 1 || version > 3) throw refuse(`its .npy format has the unknown version ${version}`);
  const [headerStart, headerLength] =
    version === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const dataStart = headerStart + headerLength;
  if (headerLength > LONGEST_HEADER || dataStart > range.length) {
    throw refuse(
      `its header should have ${counted(headerLength, 'byte')}, but ${dataStart > range.length ? 'it ends before' : 'no header is as long'}`,
    );
  }
  const header = new TextDecoder('latin1').decode(source.read(range.offset + headerStart, headerLength));
  const { shape, type, little, fortran } = parseHeader(header, refuse);
  const needed = elementCount(shape) * elementSize(type)!;
  if (!Number.isSafeInteger(needed) || dataStart + needed > range.length) {
    throw refuse(
      `its shape (${formatShape(shape)}) needs ${counted(needed, 'byte')}, but it has ${formatNumber(range.length - dataStart)}`,
    );
  }
  const offset = range.offset + dataStart;
  return { label, shape, type, content: { kind: 'file', source, offset, little, fortran } };
}

/** Reads the Python dictionary that describes the array. */
function parseHeader(text: string, refuse: (why: string) => Error) {
  const descr = /['"]descr['"]\s*:\s*(?:['"]([^'"]*)['"]|\[)/.exec(text);
  const shapeText = /['"]shape['"]\s*:\s*\(([\dL,\s]*)\)/.exec(text)?.[1];
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text)?.[1];
  if (!descr || shapeText === undefined || order === undefined) {
    throw refuse(`its header is not understood: ${JSON.stringify(text.trim().slice(0, 200))}`);
  }
  if (descr[1] === undefined) throw refuse('its elements are records, not numbers');
  const [, byteOrder, code] = /^([<>|=]?)(.*)$/s.exec(descr[1])!;
  const type = TYPES.get(code!);
  if (type === undefined) {
    const what = code === 'O' ? 'Python objects' : `of the type ${JSON.stringify(descr[1].slice(0, 20))}`;
    throw refuse(`its elements are ${what}, not numbers`);
  }
  const dims = shapeText
    .split(',')
    .map((size) => size.trim())
    .filter(Boolean);
  const shape = dims.map((size) => (/^\d+L?$/.test(size) ? Number.parseInt(size, 10) : Number.NaN));
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(elementCount(shape))) {
    throw refuse(`its shape (${shapeText.slice(0, 100)}) is not one of an array`);
  }
  return { shape, type, little: byteOrder !== '>', fortran: order === 'True' };
}
