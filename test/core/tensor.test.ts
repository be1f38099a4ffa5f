import assert from 'node:assert/strict';
import test from 'node:test';
import { fold, tensor, unfold } from '../../src/core/tensor/tensor';

const counted = (dims: readonly number[]) =>
  tensor(
    dims,
    Float64Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => i),
  );

test('an unfolding has the chosen axes as rows, the others as columns', () => {
  const x = counted([2, 3, 4]);
  const m = unfold(x, [1]);
  assert.deepEqual([m.rows, m.cols], [3, 8]);
  assert.deepEqual([...m.data.subarray(0, 8)], [0, 1, 2, 3, 12, 13, 14, 15]);
  const swapped = unfold(x, [2, 0]);
  assert.deepEqual([swapped.rows, swapped.cols], [8, 3]);
  assert.deepEqual([...swapped.data.subarray(3, 6)], [12, 16, 20]);
});

test('fold undoes unfold, whatever the axes', () => {
  const x = counted([3, 4, 2, 5]);
  for (const axes of [[], [0], [2], [3, 1], [1, 2, 0], [0, 1, 2, 3]]) {
    assert.deepEqual(fold(unfold(x, axes), axes, x.dims), x);
  }
});

test('data that does not fit its dimensions is refused', () => {
  assert.throws(() => tensor([2, 3], new Float32Array(5)), RangeError);
});
