import type { Eigen, Linalg } from '../../tensor/linalg';
import { type Matrix, matrix } from '../../tensor/matrix';

/**
 * What a regression explains of its outputs, E = HᵀH, S × S: as it is, or as H (d × S) where there are more outputs than
 * inputs, so that a layer of thousands of them (the classes of a recogniser) takes no matrix of their square.
 */
export type Explained =
  | { readonly kind: 'square'; readonly matrix: Matrix<Float64Array> }
  | { readonly kind: 'half'; readonly half: Matrix<Float64Array> };

/** HᵀH, in whichever form is smaller. */
export function explainedOf(linalg: Linalg, half: Matrix<Float64Array>): Explained {
  return half.cols > half.rows
    ? { kind: 'half', half }
    : { kind: 'square', matrix: linalg.gram(half, undefined, { transposeFirst: true }) };
}

/**
 * The largest eigenvalues of E, falling, as many as S and d allow at least, and `count` leading eigenvectors as rows;
 * at most as many. Throws LinalgErrors.
 */
export function principal(linalg: Linalg, explained: Explained, count: number): Eigen {
  if (explained.kind === 'square') return linalg.eigh(explained.matrix, count);
  const { half } = explained;
  if (count === 0) return linalg.eigh(linalg.gram(half), 0);
  const { sigma, vt } = linalg.svd(half, count);
  return { values: sigma.map((value) => value * value), vectors: vt };
}

/** The diagonal of E. */
export function explainedVariances(explained: Explained): Float64Array {
  if (explained.kind === 'square') {
    const { rows, data } = explained.matrix;
    return Float64Array.from({ length: rows }, (_, i) => data[i * (rows + 1)]!);
  }
  const { rows, cols, data } = explained.half;
  const sums = new Float64Array(cols);
  for (let k = 0; k < rows; k++) for (let i = 0; i < cols; i++) sums[i] = sums[i]! + data[k * cols + i]! ** 2;
  return sums;
}

/** LᵀEL: what is explained in the coordinates Lᵀy. */
export function inCoordinates(linalg: Linalg, explained: Explained, lower: Matrix<Float64Array>): Explained {
  if (explained.kind === 'half') return { kind: 'half', half: linalg.multiply(explained.half, lower) };
  const rows = linalg.multiply(lower, explained.matrix, { transposeA: true });
  return { kind: 'square', matrix: linalg.multiply(rows, lower) };
}

/** E from a product that is symmetric but for rounding. */
export function symmetrised({ rows: n, data }: Matrix<Float64Array>): Explained {
  const mean = data.map((value, at) => (value + data[(at % n) * n + Math.floor(at / n)]!) / 2);
  return { kind: 'square', matrix: matrix(n, n, mean) };
}
