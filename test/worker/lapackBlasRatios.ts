import type { Numbers } from '../../src/core/tensor/matrix';
import type { Block } from '../../src/worker/arena';
import type { Columns } from './lapackMatrices';

/** The checks of the BLAS test programs (BLAS/TESTING, DBLAT2 and DBLAT3), against sums in twice the precision. */

/** The rounding error of a · b (Veltkamp and Dekker). Where the halves would overflow it is taken for zero. */
function productError(a: number, b: number, rounded: number): number {
  const [splitA, splitB] = [134217729 * a, 134217729 * b];
  const [highA, highB] = [splitA - (splitA - a), splitB - (splitB - b)];
  const [lowA, lowB] = [a - highA, b - highB];
  const error = lowA * lowB - (rounded - highA * highB - lowA * highB - highA * lowB);
  return Number.isFinite(error) ? error : 0;
}

/** Σ terms a_p · b_p as if in quadruple precision (Ogita, Rump and Oishi's Dot2), and Σ |a_p · b_p|. */
export function dot2(
  n: number,
  a: (p: number) => number,
  b: (p: number) => number,
): { sum: number; gauge: number } {
  let [sum, error, gauge] = [0, 0, 0];
  for (let p = 0; p < n; p++) {
    const [x, y] = [a(p), b(p)];
    const product = x * y;
    const next = sum + product;
    const part = next - sum;
    error += sum - (next - part) + (product - part) + productError(x, y, product);
    sum = next;
    gauge += Math.abs(product);
  }
  return { sum: sum + error, gauge };
}

/**
 * DMMCH: the largest |computed − exact| / (gauge · ulp) of the elements of C := alpha · A · B + beta · C, where the
 * gauge is the same expression with magnitudes. What is not `wanted` has to stay as it was, to the last bit. With
 * beta = 0 the old C counts for nothing, with alpha = 0 neither A nor B does: all may be NaN.
 */
export function dmmch(
  { a, b, alpha, beta }: { a: Columns; b: Columns; alpha: number; beta: number },
  old: Columns,
  computed: Columns,
  ulp: number,
  wanted: (i: number, j: number) => boolean = () => true,
): number {
  let worst = 0;
  const k = alpha === 0 ? 0 : a.cols;
  for (let j = 0; j < old.cols; j++) {
    for (let i = 0; i < old.rows; i++) {
      const [before, after] = [old.data[i + j * old.rows]!, computed.data[i + j * old.rows]!];
      if (!wanted(i, j)) {
        if (!Object.is(before, after)) return 1 / ulp;
        continue;
      }
      const dot = dot2(
        k,
        (p) => a.data[i + p * a.rows]!,
        (p) => b.data[p + j * b.rows]!,
      );
      const rest = beta === 0 ? 0 : beta * before;
      const gauge = Math.abs(alpha) * dot.gauge + Math.abs(rest);
      const error = Math.abs(alpha * dot.sum + rest - after);
      const ratio = error === 0 ? 0 : error / ulp / (gauge === 0 ? 1 : gauge);
      if (!(ratio <= worst)) worst = ratio;
      if (Number.isNaN(ratio)) return ratio;
    }
  }
  return worst;
}

/** DMAKE: elements from `next`, zeros in the middle column but for its diagonal. */
export function dmake(rows: number, cols: number, next: () => number): Columns {
  const data = Float64Array.from({ length: rows * cols }, (_, k) => {
    const [i, j] = [k % rows, Math.floor(k / rows)];
    const value = next();
    return cols > 3 && j === cols >> 1 && i !== j ? 0 : value;
  });
  return { rows, cols, data };
}

/** Whether what lies between the columns of a matrix in the heap is still the NaN that was put there. */
export function gapsIntact(block: Block<Numbers>, rows: number, cols: number, ld: number): boolean {
  return block.view().every((value, k) => k >= ld * cols || k % ld < rows || Number.isNaN(value));
}

/** The options in the cases and letters that BLAS allows. */
export const options = {
  trans: ['N', 'T', 'c'],
  uplo: ['L', 'u'],
  side: ['l', 'R'],
  diag: ['n', 'U'],
  /** dblat3.in's, but for its beta of 1.3. */
  factors: [0, 1, 0.7],
} as const;

/** Of dblat2.in and dblat3.in. */
export const BLAS_THRESHOLD = 16;
