import assert from 'node:assert/strict';
import test from 'node:test';
import { type BlockTerm, blockTerm } from '../../src/core/tensor/blockTerm';
import { LinalgError, type LinalgErrorCode } from '../../src/core/tensor/linalg';
import type { Matrix, Numbers } from '../../src/core/tensor/matrix';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { type Tensor, tensor, unfold } from '../../src/core/tensor/tensor';
import { tucker2 } from '../../src/core/tensor/tucker2';
import { double, norm, type Precision, random, single } from './linalgCases';
import { randomTensor, relativeDistance } from './tensorCases';
import { convLike, sumOfBlocks } from './termCases';

const linalg = createMlMatrix();

/** What holds for every result: shapes, precision, an honest error, errors that never rise, norms spread evenly. */
function check<T extends Numbers>(
  x: Tensor<T>,
  blocks: number,
  [rs, rc]: readonly [number, number],
  { left, right, cores, error, errors, sweeps, degeneracy }: BlockTerm<T>,
  what: string,
): void {
  const [outputs, inputs, ...kernel] = x.dims as [number, number, ...number[]];
  assert.deepEqual([left.rows, left.cols], [outputs, blocks * rs], what);
  assert.deepEqual([right.rows, right.cols], [inputs, blocks * rc], what);
  assert.deepEqual(cores.dims, [blocks, rs, rc, ...kernel], what);
  for (const { data } of [left, right, cores]) assert.equal(data.constructor, x.data.constructor, what);
  const measured = relativeDistance(x, sumOfBlocks(left, right, cores));
  const rounding = x.data instanceof Float32Array ? 1e-6 : 1e-13;
  assert.ok(Math.abs(measured - error) < rounding, `${what}: ${error}, measured ${measured}`);
  assert.equal(errors.length, sweeps, what);
  assert.ok(
    errors.every((value, i) => i === 0 || value <= errors[i - 1]!),
    `${what}: errors do not rise`,
  );
  let held = 0;
  for (let g = 0; g < blocks; g++) {
    const size = cores.data.length / blocks;
    const core = norm(cores.data.subarray(g * size, (g + 1) * size));
    const sides = [columnNorms(left, g * rs, rs), columnNorms(right, g * rc, rc)].flat();
    for (const side of sides) assert.ok(Math.abs(side - core) <= 1e-5 * core, `${what}: ${side} and ${core}`);
    held += core ** 6;
  }
  assert.ok(Math.abs(Math.sqrt(held) / norm(x.data) - degeneracy) <= 1e-4 * degeneracy, what);
}

function columnNorms({ rows, cols, data }: Matrix, first: number, count: number): number[] {
  return Array.from({ length: count }, (_, k) =>
    norm(Float64Array.from({ length: rows }, (_, i) => data[i * cols + first + k]!)),
  );
}

function refused(call: () => unknown, code: LinalgErrorCode, sentence: RegExp): void {
  assert.throws(
    call,
    (error) => error instanceof LinalgError && error.code === code && sentence.test(error.message),
  );
}

for (const precision of [single, double] as const) {
  const p = precision as Precision<Numbers>;
  for (const [dims, blocks, ranks] of [
    [[14, 15, 3, 3], 2, [3, 4]],
    [[9, 8, 9], 3, [2, 2]],
    [[8, 9, 2, 2], 1, [3, 2]],
    [[10, 12, 5], 2, [4, 1]],
  ] as const) {
    test(`${p.name}: ${blocks} blocks of ranks ${ranks} in a ${dims.join(' × ')} tensor are recovered`, () => {
      const [outputs, inputs, ...kernel] = dims;
      const exact = sumOfBlocks(
        random(double, outputs, blocks * ranks[0]),
        random(double, inputs, blocks * ranks[1]),
        randomTensor(double, [blocks, ...ranks, ...kernel], 7),
      );
      const x = tensor(dims, p.from(exact.data));
      const result = blockTerm(linalg, x, blocks, ranks, { maxSweeps: 400 });
      check(x, blocks, ranks, result, dims.join());
      assert.ok(result.error < (p === single ? 1e-3 : 1e-6), `${result.error} after ${result.sweeps} sweeps`);
    });
  }
}

test('one block is as good as higher-order orthogonal iteration', () => {
  const x = convLike(double, [20, 16, 3, 3]);
  for (const ranks of [
    [4, 4],
    [9, 3],
    [20, 5],
    [20, 16],
  ] as const) {
    const result = blockTerm(linalg, x, 1, ranks);
    check(x, 1, ranks, result, ranks.join());
    const { error } = tucker2(linalg, x, [0, 1], ranks);
    assert.ok(result.error <= error * (1 + 1e-4) + 1e-9, `${ranks}: ${result.error} against ${error}`);
  }
});

test('no error is below the Eckart–Young bound of either side; more blocks, less error', () => {
  for (const dims of [
    [24, 20, 3, 3],
    [24, 20, 9],
    [24, 20],
  ]) {
    const x = convLike(double, dims);
    let last = 1;
    for (const blocks of [1, 2, 4, 6]) {
      const result = blockTerm(linalg, x, blocks, [4, 4]);
      check(x, blocks, [4, 4], result, `${dims}, ${blocks} blocks`);
      for (const mode of [0, 1]) {
        const { sigma } = linalg.svd(unfold(x, [mode]), 0);
        const bound = norm(sigma.slice(4 * blocks)) / norm(sigma);
        assert.ok(result.error >= bound - 1e-9, `${dims}, ${blocks} blocks: ${result.error} under ${bound}`);
      }
      assert.ok(result.error < last && result.degeneracy < 5, `${dims}, ${blocks} blocks: ${result.error}`);
      last = result.error;
    }
  }
});

test('blocks that add up to more than a side; blocks of different sides', () => {
  const x = randomTensor(double, [6, 7, 2, 3], 3);
  for (const [blocks, ranks] of [
    [4, [3, 2]],
    [3, [6, 1]],
    [2, [5, 7]],
    [9, [1, 1]],
  ] as const) {
    check(x, blocks, ranks, blockTerm(linalg, x, blocks, ranks), `${blocks} of ${ranks}`);
  }
});

test('blocks beyond those that are needed stay small', () => {
  for (const precision of [single, double] as const) {
    const p = precision as Precision<Numbers>;
    for (const [dims, blocks, ranks] of [
      [[4, 6, 9], 3, [2, 2]],
      [[5, 8], 2, [5, 1]],
      [[8, 8, 1], 2, [1, 3]],
      [[3, 5, 2, 1], 4, [2, 3]],
    ] as const) {
      const x = tensor(dims, p.from(new Array(dims.reduce<number>((a, b) => a * b, 1)).fill(1)));
      const result = blockTerm(linalg, x, blocks, ranks);
      check(x, blocks, ranks, result, `${dims}`);
      assert.ok(
        result.degeneracy < 3 && result.error < 1e-3,
        `${dims}: ${result.degeneracy}, ${result.error}`,
      );
    }
  }
});

test('blocks larger than the bound are refused', () => {
  const x = convLike(double, [12, 12, 9]);
  const { degeneracy } = blockTerm(linalg, x, 3, [4, 4]);
  const maxDegeneracy = degeneracy / 2;
  refused(
    () => blockTerm(linalg, x, 3, [4, 4], { maxDegeneracy }),
    'degenerate',
    /12 × 12 × 9.*3 blocks of ranks 4 and 4.*times as large/,
  );
});

test('a zero tensor is zero, huge and tiny ones are as any other; NaN, infinity and ranks that are none are refused', () => {
  const zero = blockTerm(linalg, tensor([4, 5, 3], new Float32Array(60)), 2, [2, 2]);
  assert.ok(zero.error === 0 && zero.degeneracy === 0 && zero.sweeps === 0);
  for (const { data } of [zero.left, zero.right, zero.cores]) assert.ok(data.every((value) => value === 0));
  assert.deepEqual(zero.cores.dims, [2, 2, 2, 3]);
  const x = randomTensor(double, [5, 6, 3]);
  const { error } = blockTerm(linalg, x, 2, [2, 2]);
  for (const power of [900, -900]) {
    const data = x.data.map((value) => value * 2 ** power);
    const far = blockTerm(linalg, { dims: x.dims, data }, 2, [2, 2]);
    assert.ok(Math.abs(far.error - error) < 1e-9);
    const back = sumOfBlocks(far.left, far.right, far.cores).data.map((value) => value * 2 ** -power);
    assert.ok(Math.abs(relativeDistance(x, { dims: x.dims, data: back }) - error) < 1e-9);
  }
  for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY]) {
    const data = x.data.slice();
    data[5] = bad;
    refused(() => blockTerm(linalg, { dims: x.dims, data }, 2, [2, 2]), 'not-finite', /NaN or infinity/);
  }
  for (const ranks of [
    [0, 1],
    [1, 7],
    [1.5, 2],
  ] as const) {
    refused(() => blockTerm(linalg, x, 2, ranks), 'bad-argument', /rank of mode/);
  }
  for (const blocks of [0, 1.5])
    refused(() => blockTerm(linalg, x, blocks, [1, 1]), 'bad-argument', /blocks/);
});

test('the same every time; progress rises to 1 and may end the work; the input stays as it was', () => {
  const x = randomTensor(double, [12, 10, 3, 3], 4);
  const copy = x.data.slice();
  const progress: number[] = [];
  const one = blockTerm(linalg, x, 2, [3, 3], { onProgress: (done) => progress.push(done) });
  assert.deepEqual(blockTerm(linalg, x, 2, [3, 3]), one);
  assert.deepEqual(x.data, copy);
  assert.ok(progress.length > 2 && progress.at(-1) === 1);
  assert.ok(progress.every((value, i) => i === 0 || value >= progress[i - 1]!));
  const stop = () => {
    throw new Error('stop');
  };
  assert.throws(() => blockTerm(linalg, x, 2, [3, 3], { onProgress: stop }), /stop/);
});
