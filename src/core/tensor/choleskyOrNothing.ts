import { type Linalg, LinalgError } from './linalg';
import type { Matrix } from './matrix';

/** The lower Cholesky factor, or undefined where rounding has left the matrix indefinite. Other errors are thrown. */
export function choleskyOrNothing(linalg: Linalg, a: Matrix<Float64Array>): Matrix<Float64Array> | undefined {
  try {
    return linalg.cholesky(a);
  } catch (error) {
    if (error instanceof LinalgError && error.code === 'not-positive-definite') return undefined;
    throw error;
  }
}
