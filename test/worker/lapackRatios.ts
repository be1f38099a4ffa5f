import { type Columns, diagonal, transposed, zeros } from './lapackMatrices';

/**
 * The ratios that LAPACK's test programs compute (TESTING/EIG, TESTING/LIN), each named after its routine.
 * Norms are 1-norms and everything is in double. A ratio is of order one for a right result and as large as
 * 1/ulp for a wrong one.
 */

/** op(A) · op(B) by the definition. */
export function product(a: Columns, b: Columns, transposeA = false, transposeB = false): Columns {
  const [left, right] = [transposeA ? transposed(a) : a, transposeB ? transposed(b) : b];
  const { rows: m, cols: k } = left;
  const c = zeros(m, right.cols);
  for (let j = 0; j < right.cols; j++) {
    const column = c.data.subarray(j * m, (j + 1) * m);
    for (let p = 0; p < k; p++) {
      const factor = right.data[p + j * k]!;
      const from = left.data.subarray(p * m, (p + 1) * m);
      for (let i = 0; i < m; i++) column[i]! += factor * from[i]!;
    }
  }
  return c;
}

/** A − B. */
export function minus(a: Columns, b: Columns): Columns {
  return { ...a, data: a.data.map((value, i) => value - b.data[i]!) };
}

/** DLANGE('1'): the largest sum of magnitudes in a column; NaN for NaN anywhere. */
export function norm1({ rows, cols, data }: Columns): number {
  let largest = 0;
  for (let j = 0; j < cols; j++) {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += Math.abs(data[i + j * rows]!);
    if (!(sum <= largest)) largest = sum;
    if (Number.isNaN(sum)) return sum;
  }
  return largest;
}

/** The largest magnitude; NaN for NaN anywhere. */
export function normMax(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  return largest;
}

/** The first `count` columns. */
export function leading(a: Columns, count: number): Columns {
  return { rows: a.rows, cols: count, data: a.data.subarray(0, a.rows * count) };
}

/** A · diag(values), of as many columns as there are values. */
export function scaledColumns(a: Columns, values: ArrayLike<number>): Columns {
  const data = a.data.slice(0, a.rows * values.length);
  for (let k = 0; k < data.length; k++) data[k]! *= values[Math.floor(k / a.rows)]!;
  return { rows: a.rows, cols: values.length, data };
}

/** DBDT01 and DSYT21: error / (norm · n · ulp), where nothing but nothing is near to zero. */
export function relative(error: number, norm: number, n: number, ulp: number): number {
  if (error === 0) return 0;
  return norm > 0 ? error / norm / (Math.max(1, n) * ulp) : 1 / ulp;
}

/** DBDT01 for a diagonal: ‖A − U · diag(s) · Vᵀ‖ / (‖A‖ · max(m, n) · ulp), as DDRVBD states its test 8. */
export function dbdt01(a: Columns, u: Columns, s: ArrayLike<number>, vt: Columns, ulp: number): number {
  const kept = transposed(leading(transposed(vt), s.length));
  const error = norm1(minus(a, product(scaledColumns(u, s), kept)));
  return relative(error, norm1(a), Math.max(a.rows, a.cols), ulp);
}

/** DORT01: ‖I − UᵀU‖ / (m · ulp), or for 'rows' ‖I − UUᵀ‖ / (n · ulp). */
export function dort01(u: Columns, along: 'columns' | 'rows', ulp: number): number {
  const tall = along === 'columns' ? u : transposed(u);
  if (tall.rows * tall.cols === 0) return 0;
  return norm1(minus(identity(tall.cols), product(tall, tall, true))) / tall.rows / ulp;
}

/** DORT03: how far the first `k` columns of two orthogonal matrices are apart but for signs, / (n · ulp). */
export function dort03(u: Columns, v: Columns, k: number, ulp: number): number {
  const n = u.rows;
  let worst = 0;
  for (let j = 0; j < k; j++) {
    const [one, other] = [u, v].map(({ data }) => data.subarray(j * n, (j + 1) * n));
    const at = one!.reduce((best, value, i) => (Math.abs(value) > Math.abs(one![best]!) ? i : best), 0);
    const sign = Math.sign(one![at]!) * Math.sign(other![at]!);
    const apart = normMax(one!.map((value, i) => value - sign * other![i]!));
    worst = Math.max(worst, apart / (n * ulp));
  }
  return worst;
}

/** DDRVBD's test 11: 0 when the values descend and none is negative, else 1/ulp. */
export function descending(s: ArrayLike<number>, ulp: number): number {
  return Array.from(s).every((value, i) => value >= 0 && value <= (s[i - 1] ?? Infinity)) ? 0 : 1 / ulp;
}

/** DDRVBD's tests 7 and 14, DCHKST's tests 11, 12, 26: the largest difference of two spectra / (`n` · ulp · the largest value). */
export function apart(
  one: ArrayLike<number>,
  other: ArrayLike<number>,
  n: number,
  ulp: number,
  unfl: number,
): number {
  if (one.length !== other.length) return 1 / ulp;
  const difference = normMax(Float64Array.from(one, (value, i) => value - other[i]!));
  return difference / Math.max(unfl, Math.max(1, n) * ulp * Math.max(normMax(one), normMax(other)));
}

/** The symmetric tridiagonal matrix. */
export function tridiagonal(d: ArrayLike<number>, e: ArrayLike<number>): Columns {
  const n = d.length;
  const t = diagonal(n, n, d);
  for (let i = 0; i + 1 < n; i++) t.data[i + 1 + i * n] = t.data[i + (i + 1) * n] = e[i]!;
  return t;
}

/** DSYT21 and DSTT21, test 1: ‖A − U · S · Uᵀ‖ / (‖A‖ · n · ulp) for S diagonal (no `e`) or tridiagonal. Test 2 is {@link dort01}. */
export function dsyt21(
  a: Columns,
  u: Columns,
  d: ArrayLike<number>,
  ulp: number,
  e?: ArrayLike<number>,
): number {
  const us = e === undefined ? scaledColumns(u, d) : product(u, tridiagonal(d, e));
  return relative(norm1(minus(a, product(us, u, false, true))), norm1(a), a.rows, ulp);
}

/** DSYT22 and DSTT22, test 1, for part of the spectrum: ‖UᵀAU − S‖ / (‖A‖ · m · ulp) for m columns. */
export function dsyt22(a: Columns, u: Columns, d: ArrayLike<number>, ulp: number): number {
  if (u.cols === 0) return 0;
  const error = norm1(minus(product(u, product(a, u), true), diagonal(u.cols, u.cols, d)));
  return relative(error, norm1(a), u.cols, ulp);
}

/** DQRT01 and DLQT01 (of the transpose), test 1: ‖R − QᵀA‖ / (m · ‖A‖ · eps). */
export function dqrt01(a: Columns, q: Columns, r: Columns, eps: number): number {
  return relative(norm1(minus(r, product(q, a, true))), norm1(a), a.rows, eps);
}

/** DPOT01: ‖L · Lᵀ − A‖ / (n · ‖A‖ · eps). */
export function dpot01(a: Columns, l: Columns, eps: number): number {
  return relative(norm1(minus(product(l, l, false, true), a)), norm1(a), a.rows, eps);
}

export function identity(n: number): Columns {
  return diagonal(n, n, new Float64Array(n).fill(1));
}
