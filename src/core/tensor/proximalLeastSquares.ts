import { type Linalg, LinalgError } from './linalg';
import { type Matrix, matrix } from './matrix';
import { transpose } from './transpose';

/** μ's share of the mean eigenvalue of the normal equations. */
const PROXIMAL = 1e-10;

/**
 * argmin over G of ‖X − G · B‖² + μ‖G − G_old‖² (X m × n, B r × n, G m × r), by the normal equations:
 * G = G_old + (X · Bᵀ − G_old · B · Bᵀ) · (B · Bᵀ + μI)⁻¹. μ is 10⁻¹⁰ of the mean eigenvalue of B · Bᵀ, more only where
 * rounding makes that indefinite. Up to rounding ‖X − G · B‖ is never above ‖X − G_old · B‖. Where B does not
 * determine G, G stays what it was.
 */
export function proximalLeastSquares(
  linalg: Linalg,
  x: Matrix<Float64Array>,
  b: Matrix<Float64Array>,
  old: Matrix<Float64Array>,
): Matrix<Float64Array> {
  const normal = linalg.gram(b);
  const target = linalg.multiply(b, x, { transposeB: true });
  const reached = linalg.multiply(normal, old, { transposeB: true });
  const right = matrix(
    target.rows,
    target.cols,
    target.data.map((value, i) => value - reached.data[i]!),
  );
  let trace = 0;
  for (let i = 0; i < normal.rows; i++) trace += normal.data[i * normal.rows + i]!;
  if (trace === 0) return old;
  // A matrix that rounding has left indefinite takes a stronger term: a shorter step, still downhill.
  for (let share = PROXIMAL; share < 1; share *= 100) {
    const lower = choleskyOrNothing(linalg, shifted(normal, (share * trace) / normal.rows));
    if (lower === undefined) continue;
    const step = linalg.solveLower(lower, linalg.solveLower(lower, right), { transpose: true });
    const change = transpose(step).data;
    return matrix(
      old.rows,
      old.cols,
      old.data.map((value, i) => value + change[i]!),
    );
  }
  return old;
}

function choleskyOrNothing(linalg: Linalg, a: Matrix<Float64Array>): Matrix<Float64Array> | undefined {
  try {
    return linalg.cholesky(a);
  } catch (error) {
    if (error instanceof LinalgError && error.code === 'not-positive-definite') return undefined;
    throw error;
  }
}

/** A + μI. */
function shifted(a: Matrix<Float64Array>, mu: number): Matrix<Float64Array> {
  const data = a.data.slice();
  for (let i = 0; i < a.rows; i++) data[i * a.rows + i] = data[i * a.rows + i]! + mu;
  return { ...a, data };
}
