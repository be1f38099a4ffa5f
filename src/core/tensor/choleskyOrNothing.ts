import { type Linalg, LinalgError } from './linalg';
import type { Matrix } from './matrix';

/**
 * The lower Cholesky factor, or undefined where rounding has left the matrix indefinite. Other errors are thrown.
 *
 * @param inPlace it takes the memory of the matrix, if there is one
 */
export function choleskyOrNothing(
  linalg: Linalg,
  a: Matrix<Float64Array>,
  inPlace = false,
): Matrix<Float64Array> | undefined {
  try {
    return linalg.cholesky(a, { inPlace });
  } catch (error) {
    if (error instanceof LinalgError && error.code === 'not-positive-definite') return undefined;
    throw error;
  }
}
