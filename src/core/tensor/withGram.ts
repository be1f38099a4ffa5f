import type { Linalg } from './linalg';
import type { Matrix } from './matrix';

/**
 * An engine that knows one Gram matrix already: that of a matrix with as many rows, and `columns` columns. Meant for
 * a single decomposition, in which no other matrix is of that size.
 */
export function withGram(linalg: Linalg, known: Matrix<Float64Array>, columns: number): Linalg {
  return {
    ...linalg,
    gram(a, onProgress) {
      if (a.rows !== known.rows || a.cols !== columns) return linalg.gram(a, onProgress);
      onProgress?.(1);
      return known;
    },
  };
}
