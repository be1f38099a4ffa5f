import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinalgError } from '../../src/core/tensor/linalg';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { tensor } from '../../src/core/tensor/tensor';
import { tensorRing } from '../../src/core/tensor/tensorRing';
import { scaleTensor } from '../../src/core/tensor/tensorScale';
import { tensorTrain } from '../../src/core/tensor/tensorTrain';
import { tucker2 } from '../../src/core/tensor/tucker2';
import { single } from './linalgCases';
import { randomTensor } from './tensorCases';

test('a tensor in range is handed back as it is, with its squared norm', () => {
  const x = tensor([2, 2], Float32Array.of(1, -2, 3, 0));
  const { x: same, scale, energy } = scaleTensor('Test', x);
  assert.equal(same, x);
  assert.deepEqual([scale, energy], [1, 14]);
  assert.deepEqual(scaleTensor('Test', tensor([0, 3], new Float64Array(0))).energy, 0);
});

test('the largest magnitude of another is brought to 1…2 by a power of two', () => {
  for (const [data, scale] of [
    [Float32Array.of(0, 2 ** 100), 2 ** -100],
    [Float32Array.of(-3 * 2 ** -120, 2 ** -140), 2 ** 119],
    [Float64Array.of(2 ** -1074, 0), 2 ** 1023],
    [Float64Array.of(1.5 * 2 ** 1023, 1), 2 ** -1023],
  ] as const) {
    const scaled = scaleTensor<Float32Array | Float64Array>('Test', tensor([2], data));
    assert.equal(scaled.scale, scale);
    assert.deepEqual(
      scaled.x.data,
      data.map((value) => value * scale),
    );
    assert.equal(scaled.energy, scaled.x.data[0]! ** 2 + scaled.x.data[1]! ** 2);
  }
});

test('NaN and infinity are refused, wherever they are', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (const at of [0, 1, 2]) {
      const data = Float32Array.of(1, 2, 3);
      data[at] = value;
      assert.throws(
        () => scaleTensor('Test', tensor([3], data)),
        (error) =>
          error instanceof LinalgError && error.code === 'not-finite' && /^Test: /.test(error.message),
      );
    }
  }
});

test('single precision near the ends of its range decomposes as it does in the middle', () => {
  const linalg = createMlMatrix();
  const plain = randomTensor(single, [6, 5, 4], 3);
  const errors = (exponent: number) => {
    const x = tensor(
      plain.dims,
      plain.data.map((value) => value * 2 ** exponent),
    );
    const found = [
      tucker2(linalg, x, [0, 1], [3, 2]),
      tensorTrain(linalg, x, [3, 2]),
      tensorRing(linalg, x, [2, 2, 2]),
    ] as const;
    for (const part of [found[0].core, ...found[1].cores, ...found[2].cores]) {
      assert.ok(part.data.every(Number.isFinite) && part.data.some((value) => value !== 0));
    }
    return found.map(({ error }) => error);
  };
  const reference = errors(0);
  for (const exponent of [-110, 110]) {
    for (const [i, error] of errors(exponent).entries()) assert.ok(Math.abs(error - reference[i]!) < 1e-5);
  }
});
