import type { Linalg, OnProgress } from '../tensor/linalg';
import type { Numbers } from '../tensor/matrix';
import { squaredDistance, sumOfSquares } from '../tensor/tensorScale';
import type { Candidate, Ranks } from './method';

/** What factoring a weight gives. */
export interface Factored<T extends Numbers> {
  /** In the layout in which they are written, in the order in which they are applied. */
  readonly factors: readonly T[];
  /** ‖W − Ŵ‖ / ‖W‖ of the factors as written; 0 for a zero weight. */
  readonly weightError: number;
}

/**
 * Factors a weight with one method. `weight` is the effective weight, groups one behind the other. `round` puts a
 * factor through the model's element type, so that the error is that of the factors as written. Errors are
 * LinalgErrors.
 */
export function factorWeight<T extends Numbers>(
  linalg: Linalg,
  weight: T,
  candidate: Candidate,
  ranks: Ranks,
  round: (factor: T) => T,
  onProgress: OnProgress = () => {},
): Factored<T> {
  const factors = candidate.factor(linalg, weight, ranks, onProgress).map(round);
  const approximation = candidate.expand(linalg, factors, ranks);
  const total = sumOfSquares(weight);
  const weightError = total === 0 ? 0 : Math.sqrt(squaredDistance(weight, approximation) / total);
  return { factors, weightError };
}
