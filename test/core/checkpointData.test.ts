import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCheckpoint } from '../../src/core/checkpoint/checkpoint';
import { isReadableFloat, readCheckpointFloats } from '../../src/core/checkpoint/checkpointData';
import { float8Values } from '../../src/core/checkpoint/float8';
import {
  concat,
  fileOf,
  type Pickled,
  random,
  safetensorsFile,
  torchFile,
  torchTensor,
} from '../support/checkpointFiles';

/** Independent of float8.ts: an integer of fraction bits, with the implicit one, times a power of two. */
function float8(bits: number, fractionBits: number, bias: number): number {
  const digits = bits.toString(2).padStart(8, '0');
  const exponent = Number.parseInt(digits.slice(1, 8 - fractionBits), 2);
  const fraction = Number.parseInt((exponent > 0 ? '1' : '0') + digits.slice(8 - fractionBits), 2);
  return (digits[0] === '1' ? -1 : 1) * fraction * 2 ** (Math.max(exponent, 1) - bias - fractionBits);
}

const nothing = Number.NaN;
const formats: readonly [
  string,
  number,
  number,
  number,
  ReadonlyMap<number, number>,
  readonly [number, number][],
][] = [
  [
    'float8e4m3fn',
    17,
    3,
    7,
    new Map([
      [0x7f, nothing],
      [0xff, nothing],
    ]),
    [
      [0x7e, 448],
      [0x01, 2 ** -9],
      [0x08, 2 ** -6],
      [0x38, 1],
    ],
  ],
  [
    'float8e4m3fnuz',
    18,
    3,
    8,
    new Map([[0x80, nothing]]),
    [
      [0x7f, 240],
      [0x01, 2 ** -10],
      [0x40, 1],
    ],
  ],
  [
    'float8e5m2',
    19,
    2,
    15,
    new Map([
      [0x7c, Number.POSITIVE_INFINITY],
      [0xfc, Number.NEGATIVE_INFINITY],
      ...[0x7d, 0x7e, 0x7f, 0xfd, 0xfe, 0xff].map((bits) => [bits, nothing] as const),
    ]),
    [
      [0x7b, 57344],
      [0x01, 2 ** -16],
      [0x04, 2 ** -14],
      [0x3c, 1],
    ],
  ],
  [
    'float8e5m2fnuz',
    20,
    2,
    16,
    new Map([[0x80, nothing]]),
    [
      [0x7f, 57344],
      [0x01, 2 ** -17],
      [0x40, 1],
    ],
  ],
];
for (const [name, element, fractionBits, bias, special, anchors] of formats) {
  test(`${name}: all 256 patterns`, () => {
    const values = float8Values(element)!;
    for (let bits = 0; bits < 256; bits++) {
      const expected = special.has(bits) ? special.get(bits)! : float8(bits, fractionBits, bias);
      assert.ok(
        Object.is(values[bits], expected),
        `0x${bits.toString(16)}: ${values[bits]}, not ${expected}`,
      );
    }
    for (const [bits, value] of anchors) assert.equal(values[bits], value);
  });
}

test('float8e8m0: powers of two from 2^-127 to 2^127, and NaN', () => {
  const values = float8Values(24)!;
  for (let bits = 0; bits < 255; bits++) assert.equal(Math.log2(values[bits]!), bits - 127);
  assert.ok(Number.isNaN(values[255]));
});

/** Every type: its name in safetensors, as a storage class, as a dtype, and bytes an element. */
const TYPES: readonly [string, string | undefined, string | undefined, number][] = [
  ['F64', 'DoubleStorage', 'float64', 8],
  ['F32', 'FloatStorage', 'float32', 4],
  ['F16', 'HalfStorage', 'float16', 2],
  ['BF16', 'BFloat16Storage', 'bfloat16', 2],
  ['F8_E4M3', undefined, 'float8_e4m3fn', 1],
  ['F8_E5M2', undefined, 'float8_e5m2', 1],
  ['F8_E4M3FNUZ', undefined, 'float8_e4m3fnuz', 1],
  ['F8_E5M2FNUZ', undefined, 'float8_e5m2fnuz', 1],
  ['F8_E8M0', undefined, 'float8_e8m0fnu', 1],
  ['C64', 'ComplexFloatStorage', 'complex64', 8],
  ['I64', 'LongStorage', 'int64', 8],
  ['I32', 'IntStorage', 'int32', 4],
  ['I16', 'ShortStorage', 'int16', 2],
  ['I8', 'CharStorage', 'int8', 1],
  ['U64', undefined, 'uint64', 8],
  ['U32', undefined, 'uint32', 4],
  ['U16', undefined, 'uint16', 2],
  ['U8', 'ByteStorage', 'uint8', 1],
  ['BOOL', 'BoolStorage', 'bool', 1],
];

/** The value of one element, by formulas of this file; undefined for what is no plain float. */
function decoded(type: string, view: DataView, i: number): number | undefined {
  switch (type) {
    case 'F64':
      return view.getFloat64(8 * i, true);
    case 'F32':
      return view.getFloat32(4 * i, true);
    case 'BF16': {
      const wide = new DataView(new ArrayBuffer(4));
      wide.setUint16(2, view.getUint16(2 * i, true), true);
      return wide.getFloat32(0, true);
    }
    case 'F16': {
      const bits = view.getUint16(2 * i, true);
      const sign = bits >> 15 ? -1 : 1;
      const exponent = (bits >> 10) & 31;
      const fraction = bits & 1023;
      if (exponent === 31) return fraction ? nothing : sign * Number.POSITIVE_INFINITY;
      return sign * (exponent ? 1024 + fraction : fraction) * 2 ** (Math.max(exponent, 1) - 25);
    }
    case 'F8_E8M0':
      return float8Values(24)![view.getUint8(i)];
    default: {
      const format = formats.find(
        ([name]) => name === `float8${type.slice(3).toLowerCase()}${type === 'F8_E4M3' ? 'fn' : ''}`,
      );
      if (!format) return undefined;
      const bits = view.getUint8(i);
      return format[4].has(bits) ? format[4].get(bits) : float8(bits, format[2], format[3]);
    }
  }
}

const next = random(7);
const below = (limit: number) => Math.floor(next() * limit);
const rowMajor = (dims: readonly number[]) =>
  dims.map((_, d) => dims.slice(d + 1).reduce((product, n) => product * n, 1));

interface Written {
  readonly name: string;
  readonly type: (typeof TYPES)[number];
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

function someTensors(): readonly Written[] {
  return Array.from({ length: 1 + below(12) }, (_, i) => {
    const type = TYPES[below(TYPES.length)]!;
    const dims = Array.from({ length: below(6) }, () => (next() < 0.05 ? 0 : 1 + below(4)));
    const count = dims.reduce((product, n) => product * n, 1);
    const bytes = Uint8Array.from({ length: count * type[3] }, () => below(256));
    return { name: `t${i}.${'é"\\\n '[below(5)]}`, type, dims, bytes };
  });
}

function checkEqual(bytes: Uint8Array, written: readonly Written[]): void {
  const { source, tensors } = readCheckpoint(fileOf(bytes));
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  assert.equal(byName.size, written.length);
  for (const { name, type, dims, bytes: expected } of written) {
    const tensor = byName.get(name)!;
    assert.deepEqual(tensor.dims, dims);
    assert.deepEqual(new Uint8Array(source.read(tensor.where.offset, tensor.where.length)), expected);
    const view = new DataView(expected.buffer);
    const isFloat = decoded(type[0], new DataView(new ArrayBuffer(8)), 0) !== undefined;
    assert.equal(isReadableFloat(tensor.type), isFloat, type[0]);
    if (!isFloat) continue;
    const values = readCheckpointFloats(source, tensor);
    assert.equal(values instanceof Float64Array, type[0] === 'F64');
    const count = expected.length / type[3];
    assert.deepEqual(
      [...values],
      Array.from({ length: count }, (_, i) => decoded(type[0], view, i)),
    );
  }
}

test('random tensors of every type are read back from safetensors as they were written', () => {
  for (let round = 0; round < 150; round++) {
    const written = someTensors();
    let end = 0;
    const header: Record<string, unknown> = {};
    for (const { name, type, dims, bytes } of written) {
      header[name] = { dtype: type[0], shape: dims, data_offsets: [end, end + bytes.length] };
      end += bytes.length;
    }
    checkEqual(safetensorsFile(JSON.stringify(header), concat(...written.map((t) => t.bytes))), written);
  }
});

test('random tensors of every type are read back from PyTorch files as they were written', () => {
  for (let round = 0; round < 150; round++) {
    const written = someTensors();
    const storages: Record<string, Uint8Array> = {};
    const entries: [Pickled, Pickled][] = written.map(({ name, type, dims, bytes }, i) => {
      const [, storageClass, dtype, size] = type;
      const offset = below(3);
      const key = String(i);
      // A tensor may stand anywhere in its storage.
      storages[key] = concat(new Uint8Array(offset * size), bytes, new Uint8Array(below(2) * size));
      const typed = storageClass !== undefined && next() < 0.7;
      const { length } = storages[key];
      return [
        name,
        torchTensor({
          key,
          storage: typed ? `torch.${storageClass}` : 'torch.storage.UntypedStorage',
          count: typed ? length / size : length,
          ...(!typed && { dtype: `torch.${dtype}` }),
          offset,
          dims,
          strides: rowMajor(dims),
        }),
      ];
    });
    checkEqual(torchFile({ dict: entries }, storages, { zip64: round % 2 === 1 }), written);
  }
});

test('random strides: every element is the one that they point at', () => {
  for (let round = 0; round < 200; round++) {
    const dims = Array.from({ length: 1 + below(4) }, () => 1 + below(4));
    const strides = dims.map(() => below(7));
    const offset = below(5);
    const reach = dims.reduce((sum, n, d) => sum + (n - 1) * strides[d]!, offset) + 1;
    const double = round % 2 === 1;
    const from = double ? new Float64Array(reach) : new Float32Array(reach);
    for (let i = 0; i < reach; i++) from[i] = i + 0.5;
    const storage = double ? 'torch.DoubleStorage' : 'torch.FloatStorage';
    const w = torchTensor({ key: '0', storage, count: reach, offset, dims, strides });
    const file = torchFile({ dict: [['w', w]] }, { '0': new Uint8Array(from.buffer) });
    const { source, tensors } = readCheckpoint(fileOf(file));
    const expected: number[] = [];
    const visit = (d: number, at: number): void => {
      if (d === dims.length) expected.push(from[at]!);
      else for (let i = 0; i < dims[d]!; i++) visit(d + 1, at + i * strides[d]!);
    };
    visit(0, offset);
    assert.deepEqual([...readCheckpointFloats(source, tensors[0]!)], expected, `${dims} by ${strides}`);
  }
});
