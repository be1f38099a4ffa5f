import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../../src/core/onnx/halfFloat';
import { permuteAxes } from '../../src/core/tensor/permute';

test('every finite half survives the way to float and back', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = fromFloat16(bits);
    if (Number.isNaN(value)) continue;
    assert.equal(toFloat16(value), bits, `0x${bits.toString(16)} is ${value}`);
  }
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = fromBfloat16(bits);
    if (!Number.isNaN(value)) assert.equal(toBfloat16(value), bits);
  }
});

test('halves round to nearest, ties to even, and overflow to infinity', () => {
  const cases: [number, number][] = [
    [1 + 2 ** -11, 0x3c00], // a tie: down to even
    [1 + 3 * 2 ** -11, 0x3c02], // a tie: up to even
    [65519, 0x7bff],
    [65520, 0x7c00],
    [2 ** -25, 0], // a tie with zero
    [2 ** -25 * 1.01, 1],
    [-(2 ** -24), 0x8001],
    [0.99999, 0x3c00],
  ];
  for (const [value, bits] of cases) assert.equal(toFloat16(value), bits, String(value));
  assert.ok(Number.isNaN(fromFloat16(toFloat16(Number.NaN))));
  assert.ok(Number.isNaN(fromBfloat16(toBfloat16(Number.NaN))));
});

test('permuting axes and permuting back is the identity; each element goes where its index says', () => {
  const dims = [2, 3, 4, 5];
  const data = Float32Array.from({ length: 120 }, (_, i) => i);
  const permutation = [2, 0, 3, 1];
  const moved = permuteAxes(data, dims, permutation);
  const shape = permutation.map((axis) => dims[axis]!);
  // Element (k, i, l, j) of the result is element (i, j, k, l) of the data.
  const [k, i, l, j] = [3, 1, 4, 2];
  assert.equal(
    moved[((k * shape[1]! + i) * shape[2]! + l) * shape[3]! + j],
    data[((i * 3 + j) * 4 + k) * 5 + l],
  );
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  assert.deepEqual(permuteAxes(moved, shape, inverse), data);
});
