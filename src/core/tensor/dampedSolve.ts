import { choleskyOrNothing } from './choleskyOrNothing';
import { dot } from './dense';
import type { Linalg } from './linalg';
import { type Matrix, matrix, type Numbers } from './matrix';

/** A factor with its Gram matrix A · Aᵀ, and ‖X − X̂‖² with it. */
export interface DampedSolution {
  readonly factor: Matrix<Float64Array>;
  readonly gram: Matrix<Float64Array>;
  readonly residual: number;
}

/**
 * The least λ for a target whose products are single or double precision: where there are more terms than X needs,
 * Γ is singular, and a smaller one would let rounding grow into terms that cancel each other.
 */
export function leastDamping(data: Numbers): number {
  return data instanceof Float32Array ? 1e-6 : 1e-12;
}

/** Added to the diagonal, relative to its largest element: terms that vanish stay solvable. */
const FLOOR = 1e-13;

/**
 * One factor A (rank × n) of alternating least squares: argmin ‖X − X̂‖² + λ · Σ ‖term‖², from the normal equations
 * (Γ + λ · Γ_terms) · A = target. Γ = K · Kᵀ belongs to what A's rows are multiplied with; a term owns `size`
 * consecutive rows, and Γ_terms are its blocks on the diagonal of Γ. `energy` is ‖X‖². λ is lowered, not
 * below `least`, until the residual stays below `ceiling`; nothing where it never does, as the factor is the best one up
 * to rounding.
 */
export function dampedSolve(
  linalg: Linalg,
  energy: number,
  normal: Matrix<Float64Array>,
  target: Matrix<Float64Array>,
  size: number,
  [lambda, least]: readonly [number, number],
  ceiling: number,
): DampedSolution | undefined {
  const n = normal.rows;
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, normal.data[i * (n + 1)]!);
  // A zero matrix has a zero target: any floor will do.
  let floor = FLOOR * largest || 1;
  for (let weight = Math.max(lambda, least); ; ) {
    const l = choleskyOrNothing(linalg, damped(normal, size, weight, least, floor));
    if (l === undefined) {
      floor *= 100;
      continue;
    }
    const factor = linalg.solveLower(l, linalg.solveLower(l, target), { transpose: true });
    const gram = linalg.gram(factor);
    const residual = energy - 2 * dot(factor.data, target.data) + dot(gram.data, normal.data);
    if (residual <= ceiling) return { factor, gram, residual };
    if (weight === least) return undefined;
    weight = Math.max(weight / 30, least);
  }
}

/** Within a term, too, rows may be dependent: `least` of its largest diagonal element holds them. */
function damped(
  normal: Matrix<Float64Array>,
  size: number,
  weight: number,
  least: number,
  floor: number,
): Matrix<Float64Array> {
  const n = normal.rows;
  const data = normal.data.slice();
  for (let first = 0; first < n; first += size) {
    let largest = 0;
    for (let i = first; i < first + size; i++) largest = Math.max(largest, data[i * (n + 1)]!);
    for (let i = first; i < first + size; i++) {
      for (let j = i * n + first; j < i * n + first + size; j++) data[j] = data[j]! * (1 + weight);
      data[i * (n + 1)] = data[i * (n + 1)]! + least * largest + floor;
    }
  }
  return matrix(n, n, data);
}
