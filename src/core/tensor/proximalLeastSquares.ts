import { choleskyOrNothing } from './choleskyOrNothing';
import type { Linalg } from './linalg';
import { type Matrix, matrix } from './matrix';
import { withRidge } from './withRidge';

/** μ's share of the mean eigenvalue of the normal equations. */
const PROXIMAL = 1e-10;

/**
 * argmin over G of ‖X − B · G‖² + μ‖G − G_old‖² from its normal equations, with `normal` = Bᵀ · B (r × r) and
 * `target` = Bᵀ · X (r × n): G = G_old + (BᵀB + μI)⁻¹ · (BᵀX − BᵀB · G_old), r × n. μ is 10⁻¹⁰ of the mean eigenvalue
 * of BᵀB, more only where rounding makes that indefinite. Up to rounding ‖X − B · G‖ is never above
 * ‖X − B · G_old‖. Where B does not determine G, G stays what it was.
 */
export function proximalLeastSquares(
  linalg: Linalg,
  normal: Matrix<Float64Array>,
  target: Matrix<Float64Array>,
  old: Matrix<Float64Array>,
): Matrix<Float64Array> {
  const reached = linalg.multiply(normal, old);
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
    const lower = choleskyOrNothing(linalg, withRidge(normal, (share * trace) / normal.rows));
    if (lower === undefined) continue;
    const step = linalg.solveLower(lower, linalg.solveLower(lower, right), { transpose: true });
    return matrix(
      old.rows,
      old.cols,
      old.data.map((value, i) => value + step.data[i]!),
    );
  }
  return old;
}
