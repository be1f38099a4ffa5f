import assert from 'node:assert/strict';
import test from 'node:test';
import { type Cp, cp } from '../../src/core/tensor/cp';
import { LinalgError, type LinalgErrorCode } from '../../src/core/tensor/linalg';
import type { Numbers } from '../../src/core/tensor/matrix';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { type Tensor, tensor, unfold } from '../../src/core/tensor/tensor';
import { double, norm, normals, type Precision, single } from './linalgCases';
import { randomTensor, relativeDistance } from './tensorCases';
import { convLike, randomFactors, sumOfOuterProducts } from './termCases';

const linalg = createMlMatrix();

/** What holds for every result: shapes, precision, an honest error, errors that never rise, terms spread evenly and in order. */
function check<T extends Numbers>(x: Tensor<T>, rank: number, result: Cp<T>, what: string): void {
  const { factors, error, errors, sweeps, degeneracy } = result;
  assert.deepEqual(
    factors.map(({ rows, cols }) => [rows, cols]),
    x.dims.map((n) => [n, rank]),
    what,
  );
  assert.ok(
    factors.every(({ data }) => data.constructor === x.data.constructor),
    `${what}: precision`,
  );
  const measured = relativeDistance(x, sumOfOuterProducts(factors));
  const rounding = x.data instanceof Float32Array ? 1e-6 : 1e-13;
  assert.ok(Math.abs(measured - error) < rounding, `${what}: ${error}, measured ${measured}`);
  assert.equal(errors.length, sweeps, what);
  assert.ok(
    errors.every((value, i) => i === 0 || value <= errors[i - 1]!),
    `${what}: errors do not rise`,
  );
  const norms = factors.map(({ rows, cols, data }) =>
    Array.from({ length: cols }, (_, r) =>
      norm(Float64Array.from({ length: rows }, (_, i) => data[i * cols + r]!)),
    ),
  );
  for (let r = 0; r < rank; r++) {
    for (const own of norms) assert.ok(Math.abs(own[r]! - norms[0]![r]!) <= 1e-5 * norms[0]![r]!, what);
    if (r > 0) assert.ok(norms[0]![r]! <= norms[0]![r - 1]! * (1 + 1e-5), `${what}: terms in order`);
  }
  const held = Math.sqrt(norms[0]!.reduce((sum, n) => sum + n ** (2 * x.dims.length), 0));
  assert.ok(Math.abs(held / norm(x.data) - degeneracy) < 1e-4 * degeneracy, `${what}: degeneracy`);
}

function refused(call: () => unknown, code: LinalgErrorCode, sentence: RegExp): void {
  assert.throws(
    call,
    (error) => error instanceof LinalgError && error.code === code && sentence.test(error.message),
  );
}

for (const precision of [single, double] as const) {
  const p = precision as Precision<Numbers>;
  for (const [dims, rank] of [
    [[8, 9, 7], 4],
    [[12, 9, 3], 5],
    [[10, 3, 3, 9], 5],
    [[6, 5], 3],
    [[4, 3, 2, 3, 4], 3],
  ] as const) {
    test(`${p.name}: a ${dims.join(' × ')} tensor of rank ${rank} is recovered`, () => {
      const exact = sumOfOuterProducts(randomFactors(dims, rank, 5));
      const x = tensor(dims, p.from(exact.data));
      const result = cp(linalg, x, rank, { maxSweeps: 300 });
      check(x, rank, result, dims.join());
      assert.ok(result.error < (p === single ? 1e-3 : 1e-6), `${result.error}`);
    });
  }

  test(`${p.name}: more terms than any mode has elements`, () => {
    const x = randomTensor(p, [5, 4, 6], 3);
    const result = cp(linalg, x, 9);
    check(x, 9, result, 'rank 9');
    assert.ok(result.error < 0.4, `${result.error}`);
    // 4 · 5 terms hold any tensor of that size.
    const full = cp(linalg, x, 20);
    check(x, 20, full, 'rank 20');
    assert.ok(full.error < 2e-3, `${full.error}`);
  });
}

test('a matrix has its best approximation by singular values', () => {
  const x = randomTensor(double, [9, 7], 2);
  const { sigma } = linalg.svd({ rows: 9, cols: 7, data: x.data }, 0);
  for (const rank of [1, 3, 7]) {
    const result = cp(linalg, x, rank);
    check(x, rank, result, `rank ${rank}`);
    const best = norm(sigma.slice(rank)) / norm(sigma);
    assert.ok(Math.abs(result.error - best) < 1e-7, `rank ${rank}: ${result.error}, not ${best}`);
  }
});

test('no error is below the Eckart–Young bound of an unfolding; more terms, less error', () => {
  for (const dims of [
    [24, 9, 20],
    [24, 3, 3, 20],
  ]) {
    const x = convLike(double, dims);
    let last = 1;
    for (const rank of [1, 4, 12, 24, 40]) {
      const result = cp(linalg, x, rank);
      check(x, rank, result, `${dims} rank ${rank}`);
      for (const mode of dims.keys()) {
        const { sigma } = linalg.svd(unfold(x, [mode]), 0);
        const bound = norm(sigma.slice(rank)) / norm(sigma);
        assert.ok(result.error >= bound - 1e-9, `${dims} rank ${rank}: ${result.error} under ${bound}`);
      }
      assert.ok(result.error < last, `${dims} rank ${rank}: ${result.error} after ${last}`);
      assert.ok(result.degeneracy < 5, `${dims} rank ${rank}: degeneracy ${result.degeneracy}`);
      last = result.error;
    }
  }
});

test('terms beyond those that are needed stay small', () => {
  for (const precision of [single, double] as const) {
    const p = precision as Precision<Numbers>;
    for (const [dims, rank] of [
      [[4, 5], 9],
      [[6, 4, 5], 5],
      [[3, 3, 3, 3], 6],
    ] as const) {
      const x = tensor(dims, p.from(sumOfOuterProducts(randomFactors(dims, 2)).data));
      const result = cp(linalg, x, rank);
      check(x, rank, result, `${dims} at rank ${rank}`);
      assert.ok(
        result.degeneracy < 3 && result.error < 1e-3,
        `${dims}: ${result.degeneracy}, ${result.error}`,
      );
    }
  }
});

/** a⊗a⊗b + a⊗b⊗a + b⊗a⊗a of rank 3, a limit of tensors of rank 2, in random directions. */
function borderTensor(dims: readonly [number, number, number]): Tensor<Float64Array> {
  const next = normals(8);
  const pairs = dims.map((n) => {
    const a = Float64Array.from({ length: n }, next);
    const b = Float64Array.from({ length: n }, next);
    const along = a.reduce((sum, value, i) => sum + value * b[i]!, 0) / norm(a) ** 2;
    // Orthogonal to a: any other b is a part of such a one and a multiple of a ⊗ a ⊗ a.
    return { a, b: b.map((value, i) => value - along * a[i]!) };
  });
  const factors = pairs.map(({ a, b }, mode) => ({
    rows: a.length,
    cols: 3,
    data: Float64Array.from({ length: 3 * a.length }, (_, at) =>
      at % 3 === mode ? b[Math.floor(at / 3)]! : a[Math.floor(at / 3)]!,
    ),
  }));
  return sumOfOuterProducts(factors);
}

test('terms that diverge against each other are seen and refused, by name of the rank', () => {
  const x = borderTensor([7, 5, 6]);
  const undamped = { damping: 0, tolerance: 0, maxDegeneracy: Infinity };
  const grown = [10, 100, 1000].map((maxSweeps) => cp(linalg, x, 2, { ...undamped, maxSweeps }));
  for (const [i, later] of grown.entries()) {
    const before = grown[i - 1];
    // No best approximation: ever smaller errors, ever larger terms.
    assert.ok(!before || (later.error < before.error && later.degeneracy > 1.2 * before.degeneracy));
  }
  const bound = { ...undamped, maxSweeps: 1000, maxDegeneracy: 4 };
  refused(() => cp(linalg, x, 2, bound), 'degenerate', /7 × 5 × 6.* rank 2 .*times as large/);
  const damped = cp(linalg, x, 2, { maxSweeps: 1000 });
  check(x, 2, damped, 'damped');
  assert.ok(damped.degeneracy <= 20 && damped.error < 0.02, 'by default what 16 bits can hold is kept');
  const three = cp(linalg, x, 3, { maxSweeps: 300 });
  assert.ok(three.error < 1e-3, `at its rank it is itself: ${three.error}`);
});

test('a zero tensor is zero, huge and tiny ones are as any other; NaN, infinity and ranks that are none are refused', () => {
  const zero = cp(linalg, tensor([3, 4, 2], new Float32Array(24)), 2);
  assert.ok(zero.error === 0 && zero.degeneracy === 0 && zero.sweeps === 0);
  assert.ok(zero.factors.every(({ data }) => data.every((value) => value === 0)));
  const x = randomTensor(double, [4, 5, 3]);
  const { error } = cp(linalg, x, 3);
  for (const power of [900, -900]) {
    const far = cp(linalg, { dims: x.dims, data: x.data.map((value) => value * 2 ** power) }, 3);
    assert.ok(Math.abs(far.error - error) < 1e-9);
    const { data } = sumOfOuterProducts(far.factors);
    const back = { dims: x.dims, data: data.map((value) => value * 2 ** -power) };
    assert.ok(Math.abs(relativeDistance(x, back) - error) < 1e-9);
  }
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const data = x.data.slice();
    data[5] = bad;
    refused(() => cp(linalg, { dims: x.dims, data }, 2), 'not-finite', /NaN or infinity/);
  }
  for (const rank of [0, -1, 1.5]) refused(() => cp(linalg, x, rank), 'bad-argument', /rank must be/);
  refused(() => cp(linalg, tensor([4], new Float32Array(4)), 1), 'bad-argument', /two modes/);
});

test('the same every time; progress rises to 1 and may end the work; the input stays as it was', () => {
  const x = randomTensor(double, [12, 9, 10], 4);
  const copy = x.data.slice();
  const progress: number[] = [];
  const one = cp(linalg, x, 4, { onProgress: (done) => progress.push(done) });
  assert.deepEqual(cp(linalg, x, 4), one);
  assert.deepEqual(x.data, copy);
  assert.ok(progress.length > 2 && progress.at(-1) === 1);
  assert.ok(progress.every((value, i) => i === 0 || value >= progress[i - 1]!));
  const stop = () => {
    throw new Error('stop');
  };
  assert.throws(() => cp(linalg, x, 4, { onProgress: stop }), /stop/);
  assert.ok(cp(linalg, x, 4, { maxSweeps: 7 }).sweeps <= 7);
});
