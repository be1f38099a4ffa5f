import { type Columns, transposed } from './lapackMatrices';
import { minus, norm1, normMax, product } from './lapackRatios';

/** The ratios of DDRVLS, in double. */

/** R of a Householder QR factorisation (DGEQR2), all but its signs. */
function upperTriangle(a: Columns): Columns {
  const { rows: m, cols: n } = a;
  const data = a.data.slice();
  for (let k = 0; k < Math.min(m - 1, n); k++) {
    const v = data.slice(k + k * m, (k + 1) * m);
    const length = Math.hypot(...v);
    if (length === 0) continue;
    v[0]! += v[0]! < 0 ? -length : length;
    const factor = 2 / v.reduce((sum, value) => sum + value * value, 0);
    for (let j = k; j < n; j++) {
      const column = data.subarray(k + j * m, (j + 1) * m);
      const dot = factor * column.reduce((sum, value, i) => sum + value * v[i]!, 0);
      for (let i = 0; i < v.length; i++) column[i]! -= dot * v[i]!;
    }
  }
  return { rows: m, cols: n, data };
}

const divided = (a: Columns, by: number): Columns => ({ ...a, data: a.data.map((value) => value / by) });

/** Scaled to a largest magnitude of one; zero stays zero. */
const toOne = (a: Columns): Columns => divided(a, normMax(a.data) || 1);

/** DQRT14: how far X is from the space of A's rows: the trailing triangle of the LQ factors of A above Xᵀ, both scaled to one, / (max(m, n, k) · eps). */
export function dqrt14(a: Columns, x: Columns, eps: number): number {
  const rows = transposed(toOne(a));
  const scaled = toOne(x);
  const data = new Float64Array(rows.data.length + scaled.data.length);
  data.set(rows.data);
  data.set(scaled.data, rows.data.length);
  const n = rows.rows;
  const r = upperTriangle({ rows: n, cols: a.rows + x.cols, data });
  let error = 0;
  for (let j = a.rows; j < r.cols; j++) {
    for (let i = a.rows; i <= Math.min(n - 1, j); i++) error = Math.max(error, Math.abs(r.data[i + j * n]!));
  }
  return error / (Math.max(a.rows, n, x.cols) * eps);
}

/** DQRT16: the largest ‖b − A·x‖ / (max(m, n) · ‖A‖ · ‖x‖ · eps) of the right-hand sides. */
export function dqrt16(a: Columns, x: Columns, b: Columns, eps: number): number {
  const residual = minus(b, product(a, x));
  const size = norm1(a);
  let worst = 0;
  for (let j = 0; j < b.cols; j++) {
    const error = norm1(column(residual, j));
    const length = norm1(column(x, j));
    if (error === 0 && size === 0) continue;
    if (size <= 0 || length <= 0) return 1 / eps;
    worst = Math.max(worst, error / size / length / (Math.max(a.rows, a.cols) * eps));
  }
  return worst;
}

/**
 * DQRT17: ‖(B − A·X)ᵀ · A‖ / (‖A‖ · size · max(m, n, k) · eps), where `size` is ‖B‖ for right-hand sides in the range
 * of A (IRESID = 1) and ‖B − A·X‖ for others (IRESID = 2).
 */
export function dqrt17(a: Columns, x: Columns, b: Columns, eps: number, inRange: boolean): number {
  const residual = minus(b, product(a, x));
  const [unit, one] = [normMax(residual.data), normMax(a.data)];
  if (unit === 0 || one === 0) return 0;
  const scaled = divided(residual, unit);
  const error = norm1(product(scaled, divided(a, one), true)) / norm1(divided(a, one));
  const size = inRange ? norm1(b) / unit : norm1(scaled);
  return error / size / (Math.max(a.rows, a.cols, x.cols) * eps);
}

/** DDRVLS's tests 11 and 15: Σ|s − expected| / Σ expected / (min(m, n) · eps). */
export function spectrumError(s: ArrayLike<number>, expected: Float64Array, eps: number): number {
  let [error, sum] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    error += Math.abs(s[i]! - expected[i]!);
    sum += expected[i]!;
  }
  return error === 0 ? 0 : error / sum / (expected.length * eps);
}

function column(a: Columns, j: number): Columns {
  return { rows: a.rows, cols: 1, data: a.data.subarray(j * a.rows, (j + 1) * a.rows) };
}
