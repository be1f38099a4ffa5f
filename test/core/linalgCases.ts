import { type Matrix, matrix, type Numbers } from '../../src/core/tensor/matrix';

/** The two precisions: how to make data of it, and its unit roundoff. */
export interface Precision<T extends Numbers = Numbers> {
  readonly name: string;
  readonly epsilon: number;
  from(values: ArrayLike<number>): T;
}

export const single: Precision<Float32Array> = {
  name: 'float',
  epsilon: 2 ** -24,
  from: (values) => Float32Array.from(values),
};
export const double: Precision<Float64Array> = {
  name: 'double',
  epsilon: 2 ** -53,
  from: (values) => Float64Array.from(values),
};

/** Normally distributed numbers, the same for the same seed (mulberry32 and Box–Muller). */
export function normals(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** A matrix of normally distributed numbers. */
export function random<T extends Numbers>(
  precision: Precision<T>,
  rows: number,
  cols: number,
  seed = rows * 1009 + cols,
): Matrix<T> {
  const next = normals(seed);
  return matrix(rows, cols, precision.from(Array.from({ length: rows * cols }, next)));
}

/** A test matrix: `matrix` is `base · 2^exponent`, so that what belongs near the ends of the range can be checked in the middle of it. */
export interface Case<T extends Numbers> {
  readonly name: string;
  readonly matrix: Matrix<T>;
  readonly exponent: number;
}

/** General matrices: random of many shapes, graded, rank-deficient, zero, identity, rows and columns, near overflow and underflow. */
export function generalCases<T extends Numbers>(precision: Precision<T>): Case<T>[] {
  const make = (
    name: string,
    rows: number,
    cols: number,
    element: (i: number, j: number) => number,
    exponent = 0,
  ): Case<T> => {
    const data = precision.from(
      Array.from({ length: rows * cols }, (_, k) => element(Math.floor(k / cols), k % cols) * 2 ** exponent),
    );
    return { name: `${name} ${rows} × ${cols}`, matrix: matrix(rows, cols, data), exponent };
  };
  const normal = (seed: number) => {
    const next = normals(seed);
    return () => next();
  };
  const lowRank = (rows: number, cols: number, rank: number) => {
    const [left, right] = [random(double, rows, rank, 11).data, random(double, rank, cols, 12).data];
    return (i: number, j: number) => {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += left[i * rank + k]! * right[k * cols + j]!;
      return sum;
    };
  };
  const graded = normal(5);
  const far = precision.name === 'float' ? 100 : 1000;
  const shapes = [
    [1, 1],
    [2, 3],
    [7, 7],
    [13, 29],
    [29, 13],
    [40, 40],
    [33, 150],
    [150, 33],
    [90, 80],
  ] as const;
  return [
    ...shapes.map(([m, n]) => make('random', m, n, normal(m * 31 + n))),
    make('row', 1, 17, normal(1)),
    make('column', 17, 1, normal(2)),
    make('graded by rows', 24, 31, (i) => graded() * 10 ** (-i / 4)),
    make('graded by columns', 31, 24, (_, j) => graded() * 10 ** (-j / 4)),
    make('of rank 3', 26, 37, lowRank(26, 37, 3)),
    make('of rank 3', 70, 45, lowRank(70, 45, 3)),
    make('of ones', 12, 9, () => 1),
    make('zero', 9, 14, () => 0),
    make('zero', 14, 9, () => 0),
    make('identity', 30, 30, (i, j) => (i === j ? 1 : 0)),
    make(
      'with a zero column',
      20,
      12,
      (
        (next) => (_i: number, j: number) =>
          j === 4 ? 0 : next()
      )(normal(3)),
    ),
    make('near overflow', 22, 35, normal(7), far),
    make('near overflow', 35, 22, normal(8), far),
    make('near underflow', 22, 35, normal(9), -far),
    make('near underflow', 35, 22, normal(10), -far),
  ];
}

/** The matrix of a case, in double and in the middle of the range. */
export function base<T extends Numbers>({
  matrix: { rows, cols, data },
  exponent,
}: Case<T>): Matrix<Float64Array> {
  return matrix(
    rows,
    cols,
    Float64Array.from(data, (value) => scaled(value, -exponent)),
  );
}

/** value · 2^exponent, in two steps: 2^1050, say, is no number. */
export function scaled(value: number, exponent: number): number {
  const half = Math.trunc(exponent / 2);
  return value * 2 ** half * 2 ** (exponent - half);
}

/** op(A) · op(B) by the definition, in double. */
export function naive(a: Matrix, b: Matrix, transposeA = false, transposeB = false): Matrix<Float64Array> {
  const [m, k] = transposeA ? [a.cols, a.rows] : [a.rows, a.cols];
  const n = transposeB ? b.rows : b.cols;
  const result = matrix(m, n, new Float64Array(m * n));
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) {
        sum +=
          a.data[transposeA ? p * a.cols + i : i * a.cols + p]! *
          b.data[transposeB ? j * b.cols + p : p * b.cols + j]!;
      }
      result.data[i * n + j] = sum;
    }
  }
  return result;
}

/** Frobenius norm; for NaN anywhere NaN. */
export function norm(data: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! * data[i]!;
  return Math.sqrt(sum);
}

/** ‖a − b‖_F. */
export function distance(a: Matrix, b: Matrix): number {
  if (a.rows !== b.rows || a.cols !== b.cols) return Number.NaN;
  return norm(Float64Array.from(a.data, (value, i) => value - b.data[i]!));
}

/** ‖I − QᵀQ‖ for orthonormal columns, ‖I − QQᵀ‖ for orthonormal rows. */
export function departure(q: Matrix, along: 'columns' | 'rows'): number {
  const product = along === 'columns' ? naive(q, q, true) : naive(q, q, false, true);
  return distance(product, identity(product.rows));
}

export function identity(n: number): Matrix<Float64Array> {
  const result = matrix(n, n, new Float64Array(n * n));
  for (let i = 0; i < n; i++) result.data[i * (n + 1)] = 1;
  return result;
}
