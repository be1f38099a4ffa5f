import type { Linalg, OnProgress } from '../tensor/linalg';
import { type Matrix, matrix, type Numbers, zerosLike } from '../tensor/matrix';
import { permuteAxes } from '../tensor/permute';
import { truncatedSvd } from '../tensor/truncatedSvd';
import { type Fold, product, type Unfolding } from './method';

/** What the singular values of a weight tell, summed over its groups. */
export interface Spectrum {
  /** energies[k]: Σ over groups of σ²_k, descending; min(rows, cols) entries. */
  readonly energies: Float64Array;
  /** Σ of all of them: ‖W‖². */
  readonly total: number;
}

/** What factoring a weight gives. */
export interface Factored<T extends Numbers> {
  readonly spectrum: Spectrum;
  /** One array per fold, in the fold's layout; empty for rank 0. */
  readonly factors: readonly T[];
}

/**
 * Factors a weight with one method: unfolds each group, takes its best rank-r approximation, folds the factors
 * into the tensors of the new graph. `weight` is the effective weight, groups one behind the other; with rank 0
 * only the spectrum is computed. `round` puts a factor through the model's element type, so that the error is
 * that of the factors as written. Errors are LinalgErrors.
 */
export function factorWeight<T extends Numbers>(
  linalg: Linalg,
  weight: T,
  unfolding: Unfolding,
  rank: number,
  folds: readonly Fold[],
  round: (factor: T) => T,
  onProgress: OnProgress = () => {},
): Factored<T> & { readonly weightError: number } {
  const groupSize = product(unfolding.dims);
  const sizes = unfolding.permutation.map((axis) => unfolding.dims[axis]!);
  const rows = product(sizes.slice(0, unfolding.rowAxes));
  const cols = product(sizes.slice(unfolding.rowAxes));
  const energies = new Float64Array(Math.min(rows, cols));
  const factors = folds.map((fold) => zerosLike(weight, product(fold.shape)));
  let residual = 0;
  for (let g = 0; g < unfolding.groups; g++) {
    const block = weight.subarray(g * groupSize, (g + 1) * groupSize) as T;
    const a = matrix(rows, cols, permuteAxes(block, unfolding.dims, unfolding.permutation));
    const { sigma, left, right } = truncatedSvd(linalg, a, rank, (done) =>
      onProgress((g + done) / unfolding.groups),
    );
    for (let k = 0; k < sigma.length; k++) energies[k] = energies[k]! + sigma[k]! ** 2;
    if (rank === 0) continue;
    const written = {
      left: matrix(rows, rank, round(left.data)),
      right: matrix(rank, cols, round(right.data)),
    };
    residual += distanceSquared(a, linalg.multiply(written.left, written.right));
    folds.forEach((fold, i) => {
      const part = permuteAxes(written[fold.side].data, fold.dims, fold.permutation);
      factors[i]!.set(part, g * part.length);
    });
  }
  const total = energies.reduce((sum, e) => sum + e, 0);
  const weightError = total === 0 ? 0 : Math.sqrt(residual / total);
  return { spectrum: { energies, total }, factors, weightError };
}

/** ‖a − b‖² (Frobenius), summed in double precision. */
function distanceSquared(a: Matrix, b: Matrix): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i]! - b.data[i]!) ** 2;
  return sum;
}

/** Share of Σ σ² that the first `rank` values hold; 1 for a zero weight. */
export function energyOfRank({ energies, total }: Spectrum, rank: number): number {
  if (total === 0) return 1;
  let kept = 0;
  for (let k = 0; k < Math.min(rank, energies.length); k++) kept += energies[k]!;
  return Math.min(1, kept / total);
}

/** The smallest rank whose energy is at least `share` (never below 1). */
export function rankOfEnergy({ energies, total }: Spectrum, share: number): number {
  // From the tail, so that a share of nearly 1 is not lost in the rounding of a long sum.
  let discarded = 0;
  let rank = energies.length;
  while (rank > 1 && discarded + energies[rank - 1]! <= (1 - share) * total) {
    discarded += energies[rank - 1]!;
    rank--;
  }
  return rank;
}
