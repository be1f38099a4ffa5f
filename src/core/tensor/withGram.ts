import type { Linalg } from './linalg';
import type { Matrix } from './matrix';

/**
 * An engine that knows one Gram matrix already: that of a matrix with as many rows, and `columns` columns. Meant for
 * a single decomposition, in which no other matrix is of that size.
 */
export function withGram(linalg: Linalg, known: Matrix<Float64Array>, columns: number): Linalg {
  return {
    ...linalg,
    gram(a, onProgress, options) {
      const [rows, cols] = options?.transposeFirst ? [a.cols, a.rows] : [a.rows, a.cols];
      if (rows !== known.rows || cols !== columns) return linalg.gram(a, onProgress, options);
      onProgress?.(1);
      return known;
    },
  };
}
