import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memorySource } from '../../src/core/onnx/byteSource';
import { elementCount, elementName } from '../../src/core/onnx/elements';
import { ModelError } from '../../src/core/onnx/modelError';
import { seededUniform } from '../../src/core/tensor/seeded';
import { openNpy } from '../../src/worker/calibration/npy';
import { readEntries, type StoredArray } from '../../src/worker/calibration/storedArray';
import { latin1 } from '../support/checkpointFiles';
import { npyBytes, npyFile } from '../support/npyFile';

const open = (bytes: Uint8Array) => openNpy(memorySource('x.npy', bytes));

function entries(array: StoredArray, axis: number, indices: readonly number[]): number[] {
  const size = elementCount(array.shape) / array.shape[axis]!;
  const out = new Float64Array(size * indices.length);
  readEntries(array, axis, indices, out);
  return [...out];
}

/** Entries along an axis by plain indexing of values in C order. */
function sliced(
  shape: readonly number[],
  values: readonly number[],
  axis: number,
  indices: readonly number[],
): number[] {
  const inner = elementCount(shape.slice(axis + 1));
  return indices.flatMap((index) => values.filter((_, i) => Math.floor(i / inner) % shape[axis]! === index));
}

describe('.npy files', () => {
  const types = ['u1', 'i1', 'u2', 'i2', 'u4', 'i4', 'u8', 'i8', 'f4', 'f8', 'b1'];
  const names = 'uint8 int8 uint16 int16 uint32 int32 uint64 int64 float double bool'.split(' ');
  const shape = [3, 4, 2];
  for (const [t, type] of types.entries()) {
    it(`hold ${names[t]} in both orders of bytes and axes`, () => {
      const values = Array.from({ length: 24 }, (_, i) =>
        type === 'b1' ? i % 2 : /^f/.test(type) ? i / 4 - 3 : /^i/.test(type) ? i - 12 : 3 * i,
      );
      for (const byteOrder of type.endsWith('1') ? ['|'] : ['<', '>']) {
        for (const fortran of [false, true]) {
          const array = open(npyFile(byteOrder + type, shape, values, { fortran }));
          assert.deepEqual(array.shape, shape);
          assert.equal(elementName(array.type), names[t]);
          for (const [axis, indices] of [
            [0, [0, 1, 2]],
            [0, [2]],
            [1, [0, 3]],
            [2, [1]],
          ] as const) {
            assert.deepEqual(entries(array, axis, indices), sliced(shape, values, axis, indices));
          }
        }
      }
    });
  }

  it('hold float16 by bit pattern', () => {
    const patterns = [0, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00];
    for (const order of ['<', '>']) {
      const array = open(npyFile(`${order}f2`, [6], patterns));
      assert.deepEqual(entries(array, 0, [0, 1, 2, 3, 4, 5]), [0, 1, -2, 65504, 2 ** -24, Infinity]);
    }
  });

  it('are read in parts, whatever is asked for', () => {
    // Above the largest window, so that it moves.
    const [n, rest] = [500, 3000];
    const values = Float32Array.from({ length: n * rest }, (_, i) => (i * 7919) % 65537);
    const uniform = seededUniform(5);
    for (const fortran of [false, true]) {
      const array = open(npyFile('<f4', [n, 50, 60], values, { fortran }));
      for (const share of [0.01, 0.3, 1]) {
        const indices = Array.from({ length: n }, (_, i) => i).filter(() => uniform() < share);
        const out = new Float64Array(indices.length * rest);
        readEntries(array, 0, indices, out);
        const wrong = out.findIndex(
          (value, i) => value !== values[indices[Math.floor(i / rest)]! * rest + (i % rest)],
        );
        assert.equal(wrong, -1, `${fortran} ${share}`);
      }
    }
  });

  it('read no more of the file than the samples that are asked for, and their neighbourhood', () => {
    const bytes = npyBytes(
      "{'descr': '|u1', 'fortran_order': False, 'shape': (100, 200000), }",
      new Uint8Array(20_000_000),
    );
    let read = 0;
    const source = memorySource('x.npy', bytes);
    const array = openNpy({
      ...source,
      read(offset, length) {
        read += length;
        return source.read(offset, length);
      },
    });
    entries(array, 0, [3, 90]);
    assert.ok(read < 600_000, `${read} bytes were read for two samples of 200,000.`);
  });

  it('have the versions 1 to 3, a scalar, and Python 2 sizes', () => {
    for (const version of [1, 2, 3] as const) {
      assert.deepEqual(entries(open(npyFile('<i4', [3], [1, 2, 3], { version })), 0, [1, 2]), [2, 3]);
    }
    assert.deepEqual(open(npyFile('<f8', [], [7])).shape, []);
    const old = npyBytes('{"descr": "|u1", "fortran_order": False, "shape": (2L, 1L)}', Uint8Array.of(8, 9));
    assert.deepEqual(entries(open(old), 0, [0, 1]), [8, 9]);
  });

  const header = (descr: string, shape: string, order = 'False') =>
    npyBytes(`{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`, new Uint8Array(16));
  const refused: readonly [string, Uint8Array, RegExp][] = [
    ['no .npy file', latin1('no npy file at all'), /not in \.npy format/],
    ['an empty file', new Uint8Array(0), /not in \.npy format/],
    [
      'a cut file',
      npyFile('<f4', [2, 3], [1, 2, 3, 4, 5, 6]).subarray(0, 150),
      /its shape \(2 × 3\) needs 24 bytes, but it has 22/,
    ],
    ['an unknown version', npyBytes('{}', new Uint8Array(0), 9), /version 9/],
    [
      'a header longer than the file',
      npyFile('<f4', [1], [1]).subarray(0, 60),
      /header should have 118 bytes/,
    ],
    ['records', header("[('a', '<f4')]", '(2,)'), /records/],
    ['objects', header("'|O'", '(2,)'), /Python objects/],
    ['text', header("'<U3'", '(1,)'), /"<U3"/],
    ['complex numbers', header("'<c8'", '(1,)'), /"<c8"/],
    ['a shape that is none', header("'<f4'", '(2, -1)'), /header is not understood/],
    ['a shape beyond counting', header("'<f4'", '(99999999999, 99999999999)'), /not one of an array/],
    ['an order that is none', header("'<f4'", '(2,)', '1'), /header is not understood/],
    [
      'more elements than bytes',
      header("'<f8'", '(1000000000,)'),
      /needs 8,000,000,000 bytes, but it has 16/,
    ],
  ];
  for (const [what, bytes, sentence] of refused) {
    it(`are refused: ${what}`, () => {
      assert.throws(
        () => open(bytes),
        (error: unknown) => {
          assert.ok(error instanceof ModelError, String(error));
          assert.equal(error.code, 'bad-data');
          assert.match(error.message, /^x\.npy can't be used as input: .*\.$/s);
          assert.match(error.message, sentence);
          return true;
        },
      );
    });
  }
});
