import assert from 'node:assert/strict';
import test from 'node:test';
import { type Linalg, LinalgError, type LinalgErrorCode } from '../../src/core/tensor/linalg';
import { type Matrix, matrix, type Numbers } from '../../src/core/tensor/matrix';
import {
  base,
  departure,
  distance,
  double,
  generalCases,
  identity,
  naive,
  norm,
  normals,
  type Precision,
  random,
  scaled,
  single,
} from './linalgCases';

/** LAPACK's own test programs call a residual passed when, in units of ‖A‖ · n · ε, it is below this. */
const THRESHOLD = 30;

/** Registers the tests that every engine of the port has to pass. */
export function testLinalg(name: string, linalg: Linalg): void {
  for (const precision of [single, double] as const) {
    const p = precision as Precision<Numbers>;
    test(`${name}, ${p.name}: singular value decomposition`, () => checkSvd(linalg, p));
    test(`${name}, ${p.name}: QR factors`, () => checkQr(linalg, p));
    test(`${name}, ${p.name}: least squares`, () => checkLeastSquares(linalg, p));
    test(`${name}, ${p.name}: products`, () => checkProducts(linalg, p));
    test(`${name}, ${p.name}: triangular systems`, () => checkTriangular(linalg, p));
    test(`${name}, ${p.name}: empty matrices`, () => checkEmpty(linalg, p));
  }
  test(`${name}: symmetric eigenproblem`, () => checkEigen(linalg));
  test(`${name}: Cholesky factor`, () => checkCholesky(linalg));
  test(`${name}: errors have codes and sentences`, () => checkErrors(linalg));
  test(`${name}: inputs stay as they were`, () => checkInputs(linalg));
}

/** `error` in units of `size · n · ε`; a zero matrix must be hit exactly. */
function small(error: number, size: number, n: number, epsilon: number, what: string): void {
  const ratio = error === 0 ? 0 : error / (size * Math.max(1, n) * epsilon);
  assert.ok(ratio < THRESHOLD, `${what}: ratio ${ratio}`);
}

function checkSvd(linalg: Linalg, { epsilon, from }: Precision): void {
  for (const item of generalCases({ name: epsilon === single.epsilon ? 'float' : 'double', epsilon, from })) {
    const { rows: m, cols: n } = item.matrix;
    const [k, more] = [Math.min(m, n), Math.max(m, n)];
    const a = base(item);
    const full = linalg.svd(item.matrix, k);
    const sigma = full.sigma.map((value) => scaled(value, -item.exponent));
    assert.equal(sigma.length, k, item.name);
    assert.ok(
      sigma.every((value, i) => value >= 0 && value <= (sigma[i - 1] ?? Infinity)),
      `${item.name}: σ descends`,
    );
    const scaledVt = matrix(
      k,
      n,
      Float64Array.from(full.vt.data, (value, i) => value * sigma[Math.floor(i / n)]!),
    );
    small(distance(a, naive(full.u, scaledVt)), norm(a.data), more, epsilon, `${item.name}: A − U·Σ·Vᵀ`);
    small(departure(full.u, 'columns'), 1, m, epsilon, `${item.name}: UᵀU`);
    small(departure(full.vt, 'rows'), 1, n, epsilon, `${item.name}: VᵀV`);
    for (const rank of [0, Math.ceil(k / 3)]) {
      const some = linalg.svd(item.matrix, rank);
      assert.deepEqual([some.u.rows, some.u.cols, some.vt.rows, some.vt.cols], [m, rank, rank, n], item.name);
      assert.ok(some.u.data.constructor === item.matrix.data.constructor, `${item.name}: precision`);
      small(
        norm(some.sigma.map((value, i) => scaled(value, -item.exponent) - sigma[i]!)),
        norm(a.data),
        more,
        epsilon,
        `${item.name}: σ at rank ${rank}`,
      );
      const image = naive(a, some.vt, false, true);
      const expected = matrix(
        m,
        rank,
        Float64Array.from(some.u.data, (value, i) => value * sigma[i % rank]!),
      );
      small(
        distance(image, expected),
        norm(a.data),
        more,
        epsilon,
        `${item.name}: A·V − U·Σ at rank ${rank}`,
      );
    }
  }
}

function checkQr(linalg: Linalg, precision: Precision): void {
  for (const item of generalCases(precision)) {
    const { rows: m, cols: n } = item.matrix;
    const { q, r } = linalg.qr(item.matrix);
    const a = base(item);
    const middle = matrix(
      r.rows,
      n,
      Float64Array.from(r.data, (value) => scaled(value, -item.exponent)),
    );
    assert.deepEqual([q.rows, q.cols, r.rows, r.cols], [m, Math.min(m, n), Math.min(m, n), n], item.name);
    small(
      distance(a, naive(q, middle)),
      norm(a.data),
      Math.max(m, n),
      precision.epsilon,
      `${item.name}: A − Q·R`,
    );
    small(departure(q, 'columns'), 1, m, precision.epsilon, `${item.name}: QᵀQ`);
    for (let i = 0; i < r.rows; i++)
      for (let j = 0; j < i; j++) assert.equal(r.data[i * n + j], 0, `${item.name}: R is triangular`);
  }
}

/** The residual is orthogonal to the columns that count, and X lies in the space of the rows that count: the minimum-norm solution and no other. */
function checkLeastSquares(linalg: Linalg, precision: Precision): void {
  const rcond = precision.epsilon * 1000;
  for (const item of generalCases(precision)) {
    if (/graded/.test(item.name)) continue;
    const { rows: m, cols: n } = item.matrix;
    const more = Math.max(m, n);
    const b = random(precision, m, 4);
    const { x, rank, sigma } = linalg.leastSquares(item.matrix, b, rcond);
    const { sigma: expected, vt } = linalg.svd(item.matrix, Math.min(m, n));
    const a = base(item);
    assert.deepEqual([x.rows, x.cols], [n, 4], item.name);
    assert.equal(rank, expected.filter((value) => value > rcond * expected[0]!).length, `${item.name}: rank`);
    const [one, other] = [sigma, expected].map((values) =>
      values.map((value) => scaled(value, -item.exponent)),
    );
    small(
      norm(one!.map((value, i) => value - other![i]!)),
      norm(a.data),
      more,
      precision.epsilon,
      `${item.name}: σ`,
    );
    const middle = matrix(
      n,
      4,
      Float64Array.from(x.data, (value) => scaled(value, item.exponent)),
    );
    const fit = naive(a, middle);
    const residual = matrix(
      m,
      4,
      Float64Array.from(b.data, (value, i) => value - fit.data[i]!),
    );
    // Perturbations of X by its relative error show in the residual times ‖A‖ · ‖X‖.
    const size = norm(a.data) * (norm(b.data) + norm(a.data) * norm(middle.data));
    small(norm(naive(a, residual, true).data), size, more, precision.epsilon, `${item.name}: Aᵀ·residual`);
    const kept = matrix(rank, n, vt.data.slice(0, rank * n));
    const inside = naive(kept, naive(kept, middle), true);
    const gap = rank === 0 ? 1 : expected[0]! / expected[rank - 1]!;
    small(
      distance(inside, middle),
      norm(middle.data) * gap,
      more,
      precision.epsilon,
      `${item.name}: minimum norm`,
    );
  }
}

function checkProducts(linalg: Linalg, precision: Precision): void {
  for (const [m, k, n] of [
    [1, 1, 1],
    [3, 5, 2],
    [17, 31, 23],
    [64, 1, 64],
    [1, 300, 1],
    [65, 70, 129],
  ] as const) {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        const a = transposeA ? random(precision, k, m, 1) : random(precision, m, k, 1);
        const b = transposeB ? random(precision, n, k, 2) : random(precision, k, n, 2);
        const c = linalg.multiply(a, b, { transposeA, transposeB });
        assert.ok(c.data.constructor === a.data.constructor);
        small(
          distance(c, naive(a, b, transposeA, transposeB)),
          norm(a.data) * norm(b.data),
          k,
          precision.epsilon,
          `${m} × ${k} × ${n}`,
        );
      }
    }
  }
  for (const [m, n] of [
    [1, 1],
    [5, 3],
    [3, 700],
    [37, 61],
    [130, 300],
  ] as const) {
    const a = random(precision, m, n);
    const g = linalg.gram(a);
    // Double precision whatever A's: that is the point of it.
    small(
      distance(g, naive(a, a, false, true)),
      norm(a.data) ** 2,
      n,
      double.epsilon,
      `Gram matrix ${m} × ${n}`,
    );
    for (let i = 0; i < m; i++)
      for (let j = 0; j < i; j++) assert.equal(g.data[i * m + j], g.data[j * m + i]);
    // Added to another it is their sum, in the memory of that.
    const other = linalg.gram(random(precision, m, n + 1));
    const sum = other.data.map((value, i) => value + g.data[i]!);
    assert.equal(linalg.gram(a, undefined, { into: other }), other);
    assert.deepEqual(other.data, sum);
    const columns = linalg.gram(a, undefined, { transposeFirst: true });
    const twice = columns.data.map((value) => 2 * value);
    linalg.gram(a, undefined, { transposeFirst: true, into: columns });
    assert.deepEqual(columns.data, twice);
    const larger = linalg.gram(random(precision, m + 1, 2));
    fails('bad-argument', () => linalg.gram(a, undefined, { into: larger }));
  }
}

function checkTriangular(linalg: Linalg, precision: Precision): void {
  for (const [n, k] of [
    [1, 1],
    [4, 7],
    [33, 5],
    [100, 70],
  ] as const) {
    const l = random(precision, n, n);
    // A dominant diagonal: a random triangle is too near to singular to test anything with.
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        l.data[i * n + j] = j > i ? 99 : i === j ? 2 + (i % 3) : l.data[i * n + j]! / n;
    const lower = matrix(
      n,
      n,
      Float64Array.from(l.data, (value, i) => (i % n > Math.floor(i / n) ? 0 : value)),
    );
    const b = random(precision, n, k, 3);
    for (const transpose of [false, true]) {
      const x = linalg.solveLower(l, b, { transpose });
      small(
        distance(naive(lower, x, transpose), b),
        norm(lower.data) * norm(x.data),
        n,
        precision.epsilon,
        `order ${n}`,
      );
    }
  }
}

function checkEmpty(linalg: Linalg, { from }: Precision): void {
  const empty = (rows: number, cols: number) => matrix(rows, cols, from([]));
  assert.deepEqual(linalg.multiply(matrix(2, 0, from([])), empty(0, 3)).data, from([0, 0, 0, 0, 0, 0]));
  assert.deepEqual(linalg.gram(matrix(2, 0, from([]))).data, new Float64Array(4));
  for (const [m, n] of [
    [0, 0],
    [0, 4],
    [4, 0],
  ] as const) {
    const { sigma, u, vt } = linalg.svd(empty(m, n), 0);
    assert.deepEqual([sigma.length, u.rows, u.cols, vt.rows, vt.cols], [0, m, 0, 0, n]);
    const { q, r } = linalg.qr(empty(m, n));
    assert.deepEqual([q.rows, q.cols, r.rows, r.cols], [m, 0, 0, n]);
    const { x, rank } = linalg.leastSquares(empty(m, n), matrix(m, 2, from(new Float64Array(2 * m))));
    assert.deepEqual([x.rows, x.cols, rank], [n, 2, 0]);
    assert.ok(x.data.every((value) => value === 0));
  }
  assert.equal(linalg.solveLower(empty(0, 0), empty(0, 2)).cols, 2);
  assert.equal(linalg.cholesky(matrix(0, 0, new Float64Array(0))).rows, 0);
  assert.equal(linalg.eigh(matrix(0, 0, new Float64Array(0)), 0).values.length, 0);
}

/** Symmetric matrices by their lower triangle; the upper one holds what must not be read. */
function symmetricCases(): { name: string; full: Matrix<Float64Array>; exponent: number }[] {
  const make = (name: string, n: number, element: (i: number, j: number) => number, exponent = 0) => {
    const full = matrix(n, n, new Float64Array(n * n));
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        full.data[i * n + j] = element(i, j);
        full.data[j * n + i] = full.data[i * n + j]!;
      }
    }
    return { name: `${name} of order ${n}`, full, exponent };
  };
  const gram = (rows: number, cols: number) =>
    naive(random(double, rows, cols), random(double, rows, cols), false, true).data;
  return [
    ...[1, 2, 3, 10, 31, 64, 65, 97, 130].map((n) => make('random', n, normals(n))),
    make(
      'Gram matrix',
      50,
      (
        (g) => (i: number, j: number) =>
          g[i * 50 + j]!
      )(gram(50, 80)),
    ),
    make(
      'Gram matrix of rank 7',
      50,
      (
        (g) => (i: number, j: number) =>
          g[i * 50 + j]!
      )(gram(50, 7)),
    ),
    make('zero', 20, () => 0),
    make('identity', 40, (i, j) => (i === j ? 1 : 0)),
    make('ones', 25, () => 1),
    make('graded', 35, (i, j) => 10 ** (-(i + j) / 4)),
    // Wilkinson's W⁺: pairs of eigenvalues that agree to working precision.
    make('Wilkinson', 41, (i, j) => (i === j ? Math.abs(i - 20) : i === j + 1 ? 1 : 0)),
    make('near overflow', 30, normals(77), 1000),
    make('near underflow', 30, normals(78), -1000),
  ];
}

function checkEigen(linalg: Linalg): void {
  for (const { name, full, exponent } of symmetricCases()) {
    const n = full.rows;
    const data = full.data.map((value, i) =>
      i % n > Math.floor(i / n) ? Number.NaN : scaled(value, exponent),
    );
    for (const count of new Set([0, 1, Math.ceil(n / 3), n])) {
      const { values: far, vectors } = linalg.eigh(matrix(n, n, data), count);
      const values = far.map((value) => scaled(value, -exponent));
      const size = norm(full.data);
      assert.equal(values.length, n, name);
      assert.deepEqual([vectors.rows, vectors.cols], [count, n], name);
      assert.ok(
        values.every((value, i) => value <= (values[i - 1] ?? Infinity)),
        `${name}: descending`,
      );
      const trace = values.reduce((sum, value) => sum + value, 0);
      const expected = full.data.reduce((sum, value, i) => (i % (n + 1) === 0 ? sum + value : sum), 0);
      small(Math.abs(trace - expected), size, n, double.epsilon, `${name}: trace`);
      const turned = matrix(
        count,
        n,
        vectors.data.map((value, i) => value * values[Math.floor(i / n)]!),
      );
      small(
        distance(naive(vectors, full), turned),
        size,
        n,
        double.epsilon,
        `${name}: V·A − Λ·V, ${count} vectors`,
      );
      small(departure(vectors, 'rows'), 1, n, double.epsilon, `${name}: V·Vᵀ, ${count} vectors`);
    }
  }
}

function checkCholesky(linalg: Linalg): void {
  for (const n of [1, 2, 9, 64, 65, 140]) {
    for (const exponent of [0, 900, -900]) {
      const root = random(double, n, n + 5);
      const a = naive(root, root, false, true);
      const data = a.data.map((value, i) =>
        i % n > Math.floor(i / n) ? Number.NaN : scaled(value, exponent),
      );
      const l = linalg.cholesky(matrix(n, n, data));
      const own = matrix(n, n, data.slice());
      assert.equal(linalg.cholesky(own, { inPlace: true }), own);
      assert.deepEqual(own.data, l.data);
      const middle = matrix(
        n,
        n,
        l.data.map((value) => scaled(value, -exponent / 2)),
      );
      small(
        distance(naive(middle, middle, false, true), a),
        norm(a.data),
        n,
        double.epsilon,
        `order ${n} · 2^${exponent}`,
      );
      for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) assert.equal(l.data[i * n + j], 0);
    }
  }
}

function fails(code: LinalgErrorCode, call: () => unknown): void {
  assert.throws(call, (error: unknown) => {
    assert.ok(error instanceof LinalgError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, /^[A-Z].* .*\.$/s);
    return true;
  });
}

function checkErrors(linalg: Linalg): void {
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    for (const { from } of [single, double] as const) {
      const a = matrix(2, 3, from([1, 2, 3, 4, bad, 6])) as Matrix;
      const good = matrix(2, 2, from([1, 0, 1, 1])) as Matrix;
      const square = matrix(2, 2, from([1, 0, bad, 1])) as Matrix;
      fails('not-finite', () => linalg.svd(a, 1));
      fails('not-finite', () => linalg.gram(a));
      fails('not-finite', () => linalg.qr(a));
      fails('not-finite', () => linalg.multiply(good, a));
      fails('not-finite', () => linalg.leastSquares(good, a));
      fails('not-finite', () => linalg.leastSquares(a, good));
      fails('not-finite', () => linalg.solveLower(square, good));
      fails('not-finite', () => linalg.solveLower(good, a));
    }
    const square = matrix(2, 2, Float64Array.of(1, 0, bad, 1));
    fails('not-finite', () => linalg.eigh(square, 1));
    fails('not-finite', () => linalg.cholesky(square));
  }
  const a = random(double, 2, 3);
  const square = matrix(2, 2, Float64Array.of(1, 0, 2, 1));
  fails('not-positive-definite', () => linalg.cholesky(square));
  const before = square.data.slice();
  fails('not-positive-definite', () => linalg.cholesky(square, { inPlace: true }));
  assert.deepEqual(square.data, before);
  fails('not-positive-definite', () => linalg.cholesky(matrix(2, 2, new Float64Array(4))));
  fails('bad-argument', () => linalg.multiply(a, a));
  fails('bad-argument', () => linalg.svd(a, 3));
  fails('bad-argument', () => linalg.svd(a, -1));
  fails('bad-argument', () => linalg.svd(a, 0.5));
  fails('bad-argument', () => linalg.eigh(a, 0));
  fails('bad-argument', () => linalg.eigh(square, 3));
  fails('bad-argument', () => linalg.cholesky(a));
  fails('bad-argument', () => linalg.solveLower(a, a));
  fails('bad-argument', () => linalg.solveLower(square, random(double, 3, 1)));
  fails('bad-argument', () => linalg.solveLower(matrix(2, 2, Float64Array.of(1, 0, 1, 0)), square));
  fails('bad-argument', () => linalg.leastSquares(a, random(double, 3, 1)));
  // And after all that it still computes.
  small(distance(linalg.multiply(square, identity(2)), square), 1, 2, double.epsilon, 'afterwards');
}

function checkInputs(linalg: Linalg): void {
  const a = random(double, 6, 9);
  const s = naive(a, a, false, true);
  const before = [a.data.slice(), s.data.slice()];
  linalg.svd(a, 3);
  linalg.gram(a);
  linalg.qr(a);
  linalg.multiply(s, a);
  linalg.leastSquares(a, s);
  linalg.eigh(s, 2);
  linalg.cholesky(s);
  linalg.solveLower(s, a);
  assert.deepEqual([a.data, s.data], before);
}
