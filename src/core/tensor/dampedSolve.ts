import { dot } from './dense';
import { type Linalg, LinalgError } from './linalg';
import { type Matrix, matrix } from './matrix';

/** A factor with its Gram matrix A · Aᵀ, and ‖X − X̂‖² with it. */
export interface DampedSolution {
  readonly factor: Matrix<Float64Array>;
  readonly gram: Matrix<Float64Array>;
  readonly residual: number;
}

/** Added to the diagonal, relative to its largest element: terms that vanish stay solvable. */
const FLOOR = 1e-13;

/**
 * One factor A (rank × n) of alternating least squares: argmin ‖X − X̂‖² + λ · Σ ‖term‖², from the normal equations
 * (Γ + λ · Γ_terms) · A = target. Γ = K · Kᵀ belongs to what A's rows are multiplied with; a term owns `size`
 * consecutive rows, and Γ_terms are its blocks on the diagonal of Γ. `energy` is ‖X‖². λ is lowered until the residual
 * stays below `ceiling`; nothing where that is so for no λ, as the factor is the best one up to rounding.
 */
export function dampedSolve(
  linalg: Linalg,
  energy: number,
  normal: Matrix<Float64Array>,
  target: Matrix<Float64Array>,
  size: number,
  lambda: number,
  ceiling: number,
): DampedSolution | undefined {
  const n = normal.rows;
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, normal.data[i * (n + 1)]!);
  // A zero matrix has a zero target: any floor will do.
  let floor = FLOOR * largest || 1;
  for (let weight = lambda; ; ) {
    const l = factorOrNothing(linalg, damped(normal, size, weight, floor));
    if (l === undefined) {
      floor *= 100;
      continue;
    }
    const factor = linalg.solveLower(l, linalg.solveLower(l, target), { transpose: true });
    const gram = linalg.gram(factor);
    const residual = energy - 2 * dot(factor.data, target.data) + dot(gram.data, normal.data);
    if (residual <= ceiling) return { factor, gram, residual };
    if (weight === 0) return undefined;
    weight = weight > 1e-9 ? weight / 30 : 0;
  }
}

function damped(
  normal: Matrix<Float64Array>,
  size: number,
  weight: number,
  floor: number,
): Matrix<Float64Array> {
  const n = normal.rows;
  const data = normal.data.slice();
  for (let i = 0; i < n; i++) {
    const first = i - (i % size);
    for (let j = i * n + first; j < i * n + Math.min(n, first + size); j++) data[j] = data[j]! * (1 + weight);
    data[i * (n + 1)] = data[i * (n + 1)]! + floor;
  }
  return matrix(n, n, data);
}

/** Rounding may leave a nearly singular matrix indefinite. */
function factorOrNothing(linalg: Linalg, a: Matrix<Float64Array>): Matrix<Float64Array> | undefined {
  try {
    return linalg.cholesky(a);
  } catch (error) {
    if (error instanceof LinalgError && error.code === 'not-positive-definite') return undefined;
    throw error;
  }
}
