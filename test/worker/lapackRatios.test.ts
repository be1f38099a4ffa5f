import assert from 'node:assert/strict';
import test from 'node:test';
import { double, type Precision } from '../core/linalgCases';
import { dqrt14, dqrt16, dqrt17, spectrumError } from './lapackLeastSquaresRatios';
import { type Columns, dense, diagonal, filled, lapackRandom, machine, transposed } from './lapackMatrices';
import {
  apart,
  dbdt01,
  descending,
  dort01,
  dort03,
  dpot01,
  dqrt01,
  dsyt21,
  dsyt22,
  identity,
  leading,
  product,
  scaledColumns,
} from './lapackRatios';

/** The checks are worth what they notice: every ratio of LAPACK's is of order one for exact factors, and beyond its threshold after a small change to any of them. */

const { ulp, unfl } = machine(double as Precision);
/** A hundred thousand ulps, far below what anyone would see. */
const CHANGE = 1e5 * ulp;
const THRESHOLD = 50;

const random = lapackRandom(5);
const orthogonal = (n: number) => dense(identity(n), random);

/** The matrix with its element `at` changed by `by`. */
function changed(a: Columns, at = a.data.length >> 1, by = CHANGE): Columns {
  const data = a.data.slice();
  data[at]! += by;
  return { ...a, data };
}

const [m, n] = [8, 6];
const [u, v, values] = [orthogonal(m), orthogonal(n), Float64Array.of(6, 5, 4, 3, 2, 1)];
const thin = leading(u, n);
const general = product(scaledColumns(thin, values), v, false, true);
const vt = transposed(v);
const symmetric = product(scaledColumns(v, values), v, false, true);
const tall = filled(m, n, random.symmetric);
const upper: Columns = {
  rows: n,
  cols: n,
  data: Float64Array.from({ length: n * n }, (_, k) => (k % n <= k / n ? 1 + (k % 5) : 0)),
};
const factored = product(thin, upper);
const lower = transposed(upper);
const solution = filled(n, 2, random.symmetric);
const right = product(tall, solution);
/** In the space of the rows of a wide matrix. */
const wide = filled(4, 7, random.symmetric);
const inside = product(wide, filled(4, 2, random.symmetric), true);

interface Check {
  readonly name: string;
  ratio(change: (a: Columns) => Columns): number;
}

/** Each ratio of a factor that `change` may spoil. */
const checks: readonly Check[] = [
  { name: 'DBDT01 of U', ratio: (change) => dbdt01(general, change(thin), values, vt, ulp) },
  { name: 'DBDT01 of Vᵀ', ratio: (change) => dbdt01(general, thin, values, change(vt), ulp) },
  { name: 'DBDT01 of A', ratio: (change) => dbdt01(change(general), thin, values, vt, ulp) },
  { name: 'DORT01 by columns', ratio: (change) => dort01(change(thin), 'columns', ulp) },
  { name: 'DORT01 by rows', ratio: (change) => dort01(change(vt), 'rows', ulp) },
  { name: 'DORT03', ratio: (change) => dort03(u, change(u), n, ulp) },
  { name: 'DSYT21', ratio: (change) => dsyt21(symmetric, change(v), values, ulp) },
  {
    name: 'DSYT21 of a tridiagonal matrix',
    ratio: (change) => dsyt21(change(identity(n)), v, new Float64Array(n).fill(1), ulp, new Float64Array(n)),
  },
  { name: 'DSYT22', ratio: (change) => dsyt22(change(symmetric), leading(v, 4), values.subarray(0, 4), ulp) },
  { name: 'DQRT01', ratio: (change) => dqrt01(factored, thin, change(upper), ulp) },
  { name: 'DPOT01', ratio: (change) => dpot01(product(lower, upper), change(lower), ulp) },
  { name: 'DQRT14', ratio: (change) => dqrt14(wide, change(inside), ulp) },
  { name: 'DQRT16', ratio: (change) => dqrt16(tall, change(solution), right, ulp) },
  {
    name: 'DQRT17, right-hand sides in the range',
    ratio: (change) => dqrt17(tall, change(solution), right, ulp, true),
  },
];

for (const { name, ratio } of checks) {
  test(`${name} is small for exact factors and explodes for others`, () => {
    const [exact, spoiled] = [ratio((a) => a), ratio(changed)];
    assert.ok(exact < 10, `${exact} for exact factors`);
    assert.ok(spoiled > THRESHOLD, `${spoiled} for spoiled ones`);
    const notNumber = ratio((a) => changed(a, a.data.length >> 1, Number.NaN));
    assert.ok(!(notNumber < THRESHOLD), `${notNumber} for NaN`);
  });
}

test('spectra: the order, the sign, the values', () => {
  assert.equal(descending(values, ulp), 0);
  assert.ok(descending(Float64Array.of(1, 2), ulp) > THRESHOLD);
  assert.ok(descending(Float64Array.of(1, -1e-300), ulp) > THRESHOLD);
  assert.ok(!(descending(Float64Array.of(1, Number.NaN), ulp) < THRESHOLD));
  const other = values.map((value, i) => value + (i === 3 ? CHANGE : 0));
  for (const distance of [apart(values, other, 1, ulp, unfl), spectrumError(other, values, ulp)]) {
    assert.ok(distance > THRESHOLD);
  }
  assert.equal(apart(values, values, 1, ulp, unfl), 0);
  assert.ok(apart(values, values.subarray(1), 1, ulp, unfl) > THRESHOLD);
  const broken = values.map((value, i) => (i === 3 ? Number.NaN : value));
  assert.ok(!(apart(values, broken, 1, ulp, unfl) < THRESHOLD));
});

test("DLARAN's stream is LAPACK's", () => {
  const { uniform } = lapackRandom();
  // 33952834046453 · 2⁻⁴⁸ and its successor, in whole numbers.
  const [first, second] = [33952834046453n, (33952834046453n * 33952834046453n) % 2n ** 48n];
  assert.deepEqual(
    [uniform(), uniform()],
    [first, second].map((value) => Number(value) / 2 ** 48),
  );
});

test('the generator makes the spectrum that it is asked for, and orthogonal matrices', () => {
  const a = dense(diagonal(m, n, values), lapackRandom(3));
  const gram = product(a, a, true);
  const trace = Array.from({ length: n }, (_, i) => gram.data[i * (n + 1)]!).reduce((x, y) => x + y);
  assert.ok(Math.abs(trace - 91) < 1e-12);
  assert.ok(dort01(orthogonal(20), 'rows', ulp) < 5);
});
