import { choleskyOrNothing } from '../../tensor/choleskyOrNothing';
import { type Linalg, LinalgError, type OnProgress } from '../../tensor/linalg';
import { type Matrix, matrix } from '../../tensor/matrix';
import { transpose } from '../../tensor/transpose';
import { withRidge } from '../../tensor/withRidge';
import type { PatchSplit } from './patchSplit';
import type { Regression } from './regression';

/**
 * A basis that all positions t share, and the regression on the features it makes. Nested: the first r rows of
 * `basis`, and what belongs to their r · t features, are the answer at rank r.
 */
export interface SharedBasis {
  /** A, r × g: its rows are orthonormal in the mean covariance Σ_s + λI of the positions. */
  readonly basis: Matrix<Float64Array>;
  /** L_z of M(Σ + λI)Mᵀ = L_z · L_zᵀ, (r · t) × (r · t); M(A), (r · t) × d, applies A at each position. */
  readonly lower: Matrix<Float64Array>;
  /** T = L_z⁻¹ M (R + λW)ᵀ, (r · t) × S: squares of its rows are what the features explain, one by one. */
  readonly targets: Matrix<Float64Array>;
}

/**
 * Shared-basis factors in the data norm: minimising tr((Ŵ − W*)(Σ + λI)(Ŵ − W*)ᵀ) over Ŵ = D · M(A). A comes from the
 * closed form for Σ ≈ Σ_s ⊗ I, the mean over t of the diagonal blocks of Σ: with Σ_s + λI = L · Lᵀ and W* unfolded as
 * g × (o, t), the left singular vectors U of Lᵀ W* give A = Uᵀ L⁻¹ (the generalised SVD of Jaderberg et al. 2014 and
 * Tai et al. 2015, Theorem 1, with the norm of Zhang et al. 2015, §3). D then is exact, by linear least squares on
 * the features M(A) · p (Izenman 1975, at full rank). Throws LinalgErrors.
 *
 * @param rank rows of A, at most min(g, S · t)
 */
export function sharedBasis(
  linalg: Linalg,
  regression: Regression,
  split: PatchSplit,
  rank: number,
  onProgress: OnProgress = () => {},
): SharedBasis {
  const basis = startBasis(linalg, regression, split, rank);
  onProgress(0.3);
  const normal = featureCovariance(linalg, regression, split, basis, (done) => onProgress(0.3 + 0.3 * done));
  const lower = lowerFactor(linalg, normal);
  onProgress(0.8);
  const targets = linalg.solveLower(lower, featureCross(linalg, regression, split, basis));
  onProgress(1);
  return { basis, lower, targets };
}

/** D of the first `targets.rows / t` basis rows, (r · t) × k, for targets that may be projected to k outputs. */
export function solveFeatures(
  linalg: Linalg,
  { lower }: SharedBasis,
  targets: Matrix<Float64Array>,
): Matrix<Float64Array> {
  return linalg.solveLower(lower, targets, { transpose: true });
}

function startBasis(
  linalg: Linalg,
  { inputs: { covariance }, best, lambda }: Regression,
  split: PatchSplit,
  rank: number,
): Matrix<Float64Array> {
  const { g, t } = split;
  const mean = matrix(g, g, new Float64Array(g * g));
  for (let position = 0; position < t; position++) {
    const { data } = blockOf(covariance, split, position, position);
    for (let i = 0; i < data.length; i++) mean.data[i] = mean.data[i]! + data[i]! / t;
  }
  const lower = lowerFactor(linalg, withRidge(mean, lambda));
  // Rows (t, o): W* unfolded, transposed.
  const unfolded = matrix(t * best.rows, g, new Float64Array(t * best.rows * g));
  for (let position = 0; position < t; position++) {
    unfolded.data.set(columnsAt(best, split, position).data, position * best.rows * g);
  }
  const weighted = linalg.gram(linalg.multiply(unfolded, lower), undefined, { transposeFirst: true });
  const { vectors } = linalg.eigh(weighted, rank);
  return transpose(linalg.solveLower(lower, transpose(vectors), { transpose: true }));
}

/** The lower triangle of M(Σ + λI)Mᵀ, features in the order (r, t). */
function featureCovariance(
  linalg: Linalg,
  { inputs: { covariance }, lambda }: Regression,
  split: PatchSplit,
  basis: Matrix<Float64Array>,
  onProgress: OnProgress,
): Matrix<Float64Array> {
  const { g, t } = split;
  const rank = basis.rows;
  const size = rank * t;
  const normal = matrix(size, size, new Float64Array(size * size));
  for (let one = 0; one < t; one++) {
    // A · Σ[one, 0…one], its columns (other, g), as rows (r, other): one product does them all.
    const left = linalg.multiply(basis, slabOf(covariance, split, one));
    const rows = matrix(rank * (one + 1), g, left.data);
    const { data } = linalg.multiply(rows, basis, { transposeB: true });
    for (let r = 0, at = 0; r < rank; r++) {
      for (let other = 0; other <= one; other++) {
        for (let s = 0; s < rank; s++, at++) {
          const [i, j] = [r * t + one, s * t + other];
          normal.data[Math.max(i, j) * size + Math.min(i, j)] = data[at]!;
        }
      }
    }
    onProgress((one + 1) / t);
  }
  // λMMᵀ: the features of different positions have no input in common.
  const { data } = linalg.gram(basis);
  for (let r = 0; r < rank; r++) {
    for (let s = 0; s <= r; s++) {
      for (let position = 0; position < t; position++) {
        const at = (r * t + position) * size + s * t + position;
        normal.data[at] = normal.data[at]! + lambda * data[r * rank + s]!;
      }
    }
  }
  return normal;
}

/** M(R + λW)ᵀ, (r · t) × S. */
function featureCross(
  linalg: Linalg,
  { cross }: Regression,
  split: PatchSplit,
  basis: Matrix<Float64Array>,
): Matrix<Float64Array> {
  const { t } = split;
  const outputs = cross.rows;
  const out = matrix(basis.rows * t, outputs, new Float64Array(basis.rows * t * outputs));
  for (let position = 0; position < t; position++) {
    const { data } = linalg.multiply(basis, columnsAt(cross, split, position), { transposeB: true });
    for (let r = 0; r < basis.rows; r++)
      out.data.set(data.subarray(r * outputs, (r + 1) * outputs), (r * t + position) * outputs);
  }
  return out;
}

/** Least share of the mean diagonal that is added where rounding leaves a covariance indefinite. */
const LEAST_SHIFT = 1e-12;

/** Takes the memory of the matrix. */
function lowerFactor(linalg: Linalg, a: Matrix<Float64Array>): Matrix<Float64Array> {
  let mean = 0;
  for (let i = 0; i < a.rows; i++) mean += a.data[i * (a.rows + 1)]! / a.rows;
  for (let share = 0; share < 1e-3; share = Math.max(LEAST_SHIFT, share * 100)) {
    const lower = choleskyOrNothing(linalg, share === 0 ? a : withRidge(a, share * mean), true);
    if (lower) return lower;
  }
  throw new LinalgError('not-positive-definite', 'The covariance of the features is not positive definite.');
}

/** The columns of position t, rows × g. */
function columnsAt(
  { rows, cols, data }: Matrix<Float64Array>,
  { g, index }: PatchSplit,
  position: number,
): Matrix<Float64Array> {
  const out = matrix(rows, g, new Float64Array(rows * g));
  for (let i = 0, at = 0; i < rows; i++)
    for (let k = 0; k < g; k++, at++) out.data[at] = data[i * cols + index[position * g + k]!]!;
  return out;
}

/** The block of a covariance between two positions, g × g. */
function blockOf(
  { cols, data }: Matrix<Float64Array>,
  { g, index }: PatchSplit,
  one: number,
  other: number,
): Matrix<Float64Array> {
  const out = matrix(g, g, new Float64Array(g * g));
  for (let i = 0, at = 0; i < g; i++) {
    const row = index[one * g + i]! * cols;
    for (let k = 0; k < g; k++, at++) out.data[at] = data[row + index[other * g + k]!]!;
  }
  return out;
}

/** The blocks between a position and all up to it, g × ((one + 1) · g). */
function slabOf(
  { cols, data }: Matrix<Float64Array>,
  { g, index }: PatchSplit,
  one: number,
): Matrix<Float64Array> {
  const width = (one + 1) * g;
  const out = matrix(g, width, new Float64Array(g * width));
  for (let i = 0, at = 0; i < g; i++) {
    const row = index[one * g + i]! * cols;
    for (let k = 0; k < width; k++, at++) out.data[at] = data[row + index[k]!]!;
  }
  return out;
}
