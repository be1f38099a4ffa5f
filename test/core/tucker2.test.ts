import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinalgError } from '../../src/core/tensor/linalg';
import { type Matrix, matrix, type Numbers } from '../../src/core/tensor/matrix';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { fold, type Tensor, tensor, unfold } from '../../src/core/tensor/tensor';
import { type Tucker2, tucker2 } from '../../src/core/tensor/tucker2';
import { departure, double, random, single } from './linalgCases';
import { decaying, randomTensor, relativeDistance } from './tensorCases';

const linalg = createMlMatrix();

/** core ×₁ factors[0] ×₂ factors[1]. */
function expand(
  { factors, core }: Pick<Tucker2<Numbers>, 'factors' | 'core'>,
  modes: readonly [number, number],
): Tensor {
  return modes.reduce<Tensor>((x, mode, k) => {
    const dims = x.dims.map((n, axis) => (axis === mode ? factors[k]!.rows : n));
    return fold(linalg.multiply<Numbers>(factors[k]!, unfold(x, [mode])), [mode], dims);
  }, core);
}

const isIdentity = (m: Matrix) => m.data.every((x, i) => x === (i % (m.cols + 1) === 0 ? 1 : 0));

for (const [dims, modes, ranks] of [
  [
    [8, 6, 3, 3],
    [0, 1],
    [3, 4],
  ],
  [
    [6, 9, 3, 3],
    [1, 0],
    [2, 5],
  ],
  [
    [5, 8, 7],
    [0, 2],
    [2, 6],
  ],
  [
    [4, 3, 6, 5, 2],
    [3, 2],
    [2, 4],
  ],
  [
    [9, 7],
    [0, 1],
    [3, 3],
  ],
  [
    [9, 7],
    [0, 1],
    [5, 2],
  ],
  [
    [6, 5, 1, 1],
    [0, 1],
    [1, 1],
  ],
  [
    [7, 6, 3],
    [0, 1],
    [7, 2],
  ],
  [
    [7, 6, 3],
    [0, 1],
    [3, 6],
  ],
  [
    [1, 6, 3],
    [0, 1],
    [1, 2],
  ],
  [
    [7, 6, 3],
    [0, 1],
    [7, 6],
  ],
  [
    [1, 1, 4],
    [0, 1],
    [1, 1],
  ],
] as const) {
  for (const [name, x] of [
    ['random', randomTensor(double, dims, 5)],
    ['decaying', decaying(dims, 1)],
    ['float', randomTensor(single, dims, 6)],
  ] as const) {
    test(`${dims.join(' × ')} modes ${modes} at ${ranks}, ${name}: orthonormal factors, the core, the error`, () => {
      const epsilon = name === 'float' ? single.epsilon : double.epsilon;
      const result = tucker2<Float32Array | Float64Array>(linalg, x, modes, ranks);
      const { factors, core, error, startError, sweeps } = result;
      const full = modes.map((mode, k) => ranks[k] === dims[mode]);
      assert.deepEqual(
        core.dims,
        dims.map((n, axis) => (ranks as readonly number[])[modes.indexOf(axis as never)] ?? n),
      );
      for (const [k, factor] of factors.entries()) {
        assert.deepEqual([factor.rows, factor.cols], [dims[modes[k]!], ranks[k]!]);
        assert.ok(departure(factor, 'columns') < 30 * epsilon * factor.rows);
        assert.ok(factor.data.constructor === x.data.constructor);
        if (full[k]) assert.ok(isIdentity(factor));
      }
      assert.ok(Math.abs(relativeDistance(x, expand(result, modes)) - error) < 1e-6);
      assert.ok(error <= startError && startError < 1);
      assert.equal(sweeps > 0, !full.includes(true));
      if (!full.includes(false)) assert.deepEqual([error, core.data], [0, x.data]);
      const start = tucker2<Float32Array | Float64Array>(linalg, x, modes, ranks, { maxSweeps: 0 });
      assert.ok(Math.abs(start.error - startError) < 1e-6);
      assert.ok(Math.abs(relativeDistance(x, expand(start, modes)) - start.error) < 1e-6);
      assert.equal(start.sweeps, 0);
    });
  }
}

test('the start is the truncated higher-order SVD, as its definition has it', () => {
  const x = decaying([7, 8, 3, 2], 0.8);
  const factors = [3, 2].map((rank, mode) => linalg.svd(unfold(x, [mode]), rank).u) as [
    Matrix<Float64Array>,
    Matrix<Float64Array>,
  ];
  const core = factors.reduce(
    (y, u, mode) =>
      fold(
        linalg.multiply(u, unfold(y, [mode]), { transposeA: true }),
        [mode],
        y.dims.map((n, axis) => (axis === mode ? u.cols : n)),
      ),
    x,
  );
  const expected = relativeDistance(x, expand({ factors, core }, [0, 1]));
  assert.ok(Math.abs(tucker2(linalg, x, [0, 1], [3, 2]).startError - expected) < 1e-12);
});

for (const [dims, ranks] of [
  [
    [12, 10, 3, 3],
    [6, 5],
  ],
  [
    [12, 10, 3, 3],
    [3, 2],
  ],
  [
    [16, 16, 1, 3],
    [4, 4],
  ],
  [
    [10, 14, 5],
    [2, 7],
  ],
] as const) {
  for (const [name, make] of [
    ['random', (seed: number) => randomTensor(double, dims, seed)],
    ['decaying', (seed: number) => decaying(dims, 0.7, seed)],
    ['fast decaying', (seed: number) => decaying(dims, 2, seed)],
  ] as const) {
    test(`${dims.join(' × ')} at ${ranks}, ${name}: what 500 sweeps reach, within 1e-4`, () => {
      for (const seed of [1, 101, 201]) {
        const x = make(seed);
        const { error, startError } = tucker2(linalg, x, [0, 1], ranks);
        const long = tucker2(linalg, x, [0, 1], ranks, { maxSweeps: 500, tolerance: 0 });
        assert.ok(error <= startError);
        assert.ok(error <= long.error * (1 + 1e-4), `${error}, ${long.error} after ${long.sweeps}`);
      }
    });
  }
}

test('a tensor of just these multilinear ranks is recovered', () => {
  const core = randomTensor(double, [3, 4, 3, 2], 7);
  const factors = [random(double, 9, 3), random(double, 8, 4)] as const;
  const x = expand({ factors, core }, [0, 1]) as Tensor<Float64Array>;
  const exact = tucker2(linalg, x, [0, 1], [3, 4]);
  assert.ok(exact.error < 1e-13 && exact.sweeps <= 3, `${exact.error} after ${exact.sweeps}`);
  const more = tucker2(linalg, x, [0, 1], [5, 6]);
  assert.ok(more.error < 1e-13 && more.sweeps <= 3, `${more.error} after ${more.sweeps}`);
  const narrow = tucker2(linalg, tensor(x.dims, Float32Array.from(x.data)), [0, 1], [3, 4]);
  assert.ok(narrow.error < 5e-7 && narrow.sweeps <= 3, `${narrow.error} after ${narrow.sweeps}`);
});

test('Gram matrices at hand are not computed again', () => {
  const x = decaying([8, 9, 3], 0.7);
  let calls = 0;
  const gram = (a: Matrix) => {
    calls++;
    return linalg.gram(a);
  };
  const counting = { ...linalg, gram };
  const grams = [linalg.gram(unfold(x, [0])), linalg.gram(unfold(x, [1]))] as const;
  const plain = tucker2(counting, x, [0, 1], [3, 4], { maxSweeps: 2, tolerance: 0 });
  assert.equal(calls, 2 + 2 * plain.sweeps);
  calls = 0;
  const given = tucker2(counting, x, [0, 1], [3, 4], { maxSweeps: 2, tolerance: 0, grams });
  assert.equal(calls, 2 * given.sweeps);
  assert.ok(Math.abs(plain.error - given.error) < 1e-12);
  calls = 0;
  tucker2(counting, x, [0, 1], [8, 4], { grams });
  assert.equal(calls, 0);
});

test('zero, huge and tiny tensors; NaN, infinity, ranks and modes that do not fit are refused', () => {
  const zero = tucker2(linalg, tensor([4, 3, 2], new Float32Array(24)), [0, 1], [2, 2]);
  assert.deepEqual([zero.error, zero.startError], [0, 0]);
  assert.deepEqual(zero.core, tensor([2, 2, 2], new Float32Array(8)));
  const plain = randomTensor(double, [6, 5, 3], 2);
  const reference = tucker2(linalg, plain, [0, 1], [3, 2]);
  for (const scale of [2 ** -900, 2 ** 900]) {
    const x = tensor(
      plain.dims,
      plain.data.map((value) => value * scale),
    );
    const { core, error } = tucker2(linalg, x, [0, 1], [3, 2], {
      grams: [linalg.gram(matrix(6, 1, new Float64Array(6))), undefined],
    });
    assert.ok(Math.abs(error - reference.error) < 1e-12);
    assert.ok(Math.abs(core.data[0]! / scale - reference.core.data[0]!) < 1e-9);
  }
  const bad = (
    value: number,
    modes: readonly [number, number],
    ranks: readonly [number, number],
    code: string,
  ) =>
    assert.throws(
      () => tucker2(linalg, tensor([2, 2], Float32Array.of(1, 2, value, 4)), modes, ranks),
      (error) => error instanceof LinalgError && error.code === code,
    );
  bad(Number.NaN, [0, 1], [1, 1], 'not-finite');
  bad(Number.POSITIVE_INFINITY, [0, 1], [2, 2], 'not-finite');
  bad(3, [0, 0], [1, 1], 'bad-argument');
  bad(3, [0, 2], [1, 1], 'bad-argument');
  bad(3, [0, 1], [0, 1], 'bad-argument');
  bad(3, [0, 1], [1, 3], 'bad-argument');
});

test('progress rises to 1', () => {
  const progress: number[] = [];
  tucker2(linalg, randomTensor(double, [8, 8, 3], 3), [0, 1], [3, 3], {
    onProgress: (done) => progress.push(done),
  });
  assert.ok(
    progress.length > 3 &&
      progress.every((done, i) => done >= (progress[i - 1] ?? 0)) &&
      progress.at(-1) === 1,
  );
});

test('the sequential start is no worse than the higher-order SVD, and leads as far', () => {
  for (const seed of [1, 2, 3]) {
    const x = decaying([10, 8, 3, 3], 0.5, seed);
    const [usual, sequential] = (['hosvd', 'sequential'] as const).map((start) =>
      tucker2(linalg, x, [0, 1], [4, 3], { start }),
    ) as [Tucker2<Float64Array>, Tucker2<Float64Array>];
    assert.ok(sequential.startError <= usual.startError && sequential.startError > sequential.error);
    assert.ok(Math.abs(sequential.error / usual.error - 1) < 1e-4, `${sequential.error}, ${usual.error}`);
    const start = tucker2(linalg, x, [0, 1], [4, 3], { start: 'sequential', maxSweeps: 0 });
    assert.ok(Math.abs(relativeDistance(x, expand(start, [0, 1])) - sequential.startError) < 1e-12);
  }
});
