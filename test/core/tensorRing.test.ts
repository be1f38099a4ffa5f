import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contractCores } from '../../src/core/tensor/coreChain';
import { LinalgError } from '../../src/core/tensor/linalg';
import type { Matrix } from '../../src/core/tensor/matrix';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { tensor } from '../../src/core/tensor/tensor';
import { tensorRing } from '../../src/core/tensor/tensorRing';
import { tensorTrain } from '../../src/core/tensor/tensorTrain';
import { double, single } from './linalgCases';
import { coreNorms, decaying, randomCores, randomTensor, relativeDistance } from './tensorCases';

const linalg = createMlMatrix();

for (const [dims, ranks] of [
  [
    [5, 6, 4],
    [2, 3, 2],
  ],
  [
    [8, 3, 3, 6],
    [2, 4, 3, 4],
  ],
  [
    [4, 3, 2, 3, 4],
    [2, 2, 3, 3, 2],
  ],
  [
    [7, 9],
    [2, 2],
  ],
  [
    [6, 1, 5],
    [2, 2, 2],
  ],
  // More than the unfoldings have: the start is filled up.
  [
    [4, 3, 5],
    [3, 4, 4],
  ],
] as const) {
  for (const [name, x] of [
    ['random', randomTensor(double, dims, 3)],
    ['decaying', decaying(dims, 1.2)],
    ['float', randomTensor(single, dims, 4)],
  ] as const) {
    test(`${dims.join(' × ')} at ${ranks.join(', ')}, ${name}: sweeps never raise the error, which is the one measured`, () => {
      const {
        cores,
        error,
        errors,
        startError,
        sweeps,
        ranks: used,
      } = tensorRing<Float32Array | Float64Array>(linalg, x, ranks);
      const epsilon = name === 'float' ? single.epsilon : double.epsilon;
      assert.ok(
        errors.every((e, i) => e <= (errors[i - 1] ?? Infinity)),
        `${errors}`,
      );
      assert.ok(error <= startError + 20 * epsilon, `${error}, start ${startError}`);
      assert.equal(sweeps, errors.length);
      assert.ok(Math.abs(relativeDistance(x, contractCores(linalg, cores)) - error) < 20 * epsilon);
      assert.ok(
        Math.abs(error - (errors.at(-1) ?? startError)) < 100 * epsilon,
        `${error}, ${errors.at(-1)}`,
      );
      assert.deepEqual(used, ranks);
      assert.deepEqual(
        cores.map((core) => core.dims),
        dims.map((n, k) => [ranks[k], n, ranks[(k + 1) % dims.length]]),
      );
      assert.ok(cores.every(({ data }) => data.constructor === x.data.constructor));
      const norms = coreNorms(cores);
      assert.ok(Math.max(...norms) / Math.min(...norms) < 1 + 1e-6);
    });
  }
}

for (const [dims, ranks] of [
  [
    [5, 6, 7],
    [3, 4],
  ],
  [
    [8, 3, 3, 6],
    [4, 6, 4],
  ],
  [[6, 9], [3]],
] as const) {
  test(`${dims.join(' × ')}: with r₀ = 1 it is no worse than the tensor train at ${ranks.join(', ')}`, () => {
    for (const x of [randomTensor(double, dims, 6), decaying(dims, 1)]) {
      const train = tensorTrain(linalg, x, ranks);
      const ring = tensorRing(linalg, x, [1, ...ranks]);
      assert.ok(Math.abs(ring.startError - train.error) < 1e-14);
      assert.ok(ring.error <= train.error * (1 + 1e-12), `${ring.error}, train ${train.error}`);
      assert.deepEqual(ring.ranks, [1, ...train.ranks]);
      const start = tensorRing(linalg, x, [1, ...ranks], { maxSweeps: 0 });
      assert.deepEqual([start.sweeps, start.error], [0, start.startError]);
      for (const [k, core] of start.cores.entries())
        assert.ok(relativeDistance(train.cores[k]!, core) < 1e-14);
    }
  });
}

test('ranks that hold any tensor are exact, from the start', () => {
  for (const [dims, ranks] of [
    [
      [6, 4, 5],
      [2, 3, 10],
    ],
    [
      [4, 3, 2, 5],
      [2, 2, 6, 10],
    ],
    [
      [4, 9],
      [2, 2],
    ],
    [
      [3, 4, 2],
      [1, 3, 2],
    ],
  ] as const) {
    const x = randomTensor(double, dims, 9);
    const { error, startError } = tensorRing(linalg, x, ranks);
    assert.ok(error < 1e-13 && startError < 1e-13, `${dims}: ${startError}, ${error}`);
    const narrow = randomTensor(single, dims, 9);
    assert.ok(tensorRing(linalg, narrow, ranks).error < 1e-6);
  }
});

test('a tensor of just these ring ranks is recovered', () => {
  for (const [dims, ranks, seed] of [
    [[8, 9, 10], [2, 2, 2], 40],
    [[8, 9, 10], [2, 3, 2], 50],
    [[9, 8, 9, 8], [2, 2, 3, 2], 60],
    [[7, 6, 5], [1, 1, 1], 70],
  ] as const) {
    const x = contractCores(linalg, randomCores(dims, [...ranks, ranks[0]], seed));
    const { error, sweeps } = tensorRing(linalg, x, ranks, { maxSweeps: 1000, tolerance: 1e-9 });
    assert.ok(error < 1e-7, `${dims} at ${ranks}: ${error} after ${sweeps} sweeps`);
  }
});

test('zero, huge and tiny tensors; NaN, infinity and ranks that do not fit are refused', () => {
  for (const ranks of [
    [2, 2, 2],
    [1, 2, 2],
  ]) {
    const zero = tensorRing(linalg, tensor([3, 4, 2], new Float32Array(24)), ranks);
    assert.deepEqual([zero.error, zero.startError, zero.sweeps], [0, 0, 0]);
    assert.ok(contractCores(linalg, zero.cores).data.every((value) => value === 0));
  }
  const plain = randomTensor(double, [4, 5, 3], 2);
  const reference = tensorRing(linalg, plain, [2, 2, 2]).error;
  for (const scale of [2 ** -900, 2 ** 900]) {
    const x = tensor(
      plain.dims,
      plain.data.map((value) => value * scale),
    );
    const { error, cores } = tensorRing(linalg, x, [2, 2, 2]);
    assert.ok(Math.abs(error - reference) < 1e-9, `${error}, ${reference}`);
    assert.ok(Math.abs(Math.log2(coreNorms(cores)[0]!) - Math.log2(scale) / 3) < 20);
  }
  const bad = (data: Float32Array, ranks: readonly number[], code: string) =>
    assert.throws(
      () => tensorRing(linalg, tensor([2, 2], data), ranks),
      (error) => error instanceof LinalgError && error.code === code,
    );
  bad(Float32Array.of(1, 2, Number.NaN, 4), [1, 1], 'not-finite');
  bad(Float32Array.of(1, 2, Number.POSITIVE_INFINITY, 4), [2, 1], 'not-finite');
  bad(Float32Array.of(1, 2, 3, 4), [0, 1], 'bad-argument');
  bad(Float32Array.of(1, 2, 3, 4), [1], 'bad-argument');
});

test('the same input gives the same ring, and progress rises to 1', () => {
  const x = decaying([6, 5, 7], 0.7);
  const progress: number[] = [];
  const one = tensorRing(linalg, x, [2, 3, 2], { onProgress: (done) => progress.push(done) });
  assert.deepEqual(tensorRing(linalg, x, [2, 3, 2]), one);
  assert.ok(
    progress.every((done, i) => done >= (progress[i - 1] ?? 0) && done <= 1) && progress.at(-1) === 1,
  );
});

test('an engine that finds no Cholesky factor leaves the start as it is; one with a weak one goes on downhill', () => {
  const x = randomTensor(double, [5, 4, 6], 12);
  const failing = (failures: number) => ({
    ...linalg,
    cholesky: (a: Matrix<Float64Array>) => {
      if (failures-- > 0) throw new LinalgError('not-positive-definite', 'Not today.');
      return linalg.cholesky(a);
    },
  });
  const options = { randomStarts: 0 };
  const stuck = tensorRing(failing(Infinity), x, [2, 2, 2], options);
  assert.ok(Math.abs(stuck.error - stuck.startError) < 1e-14);
  const late = tensorRing(failing(3), x, [2, 2, 2], options);
  assert.ok(
    late.error < late.startError - 0.01 &&
      late.errors.every((e, i) => e <= (late.errors[i - 1] ?? late.startError)),
  );
});
