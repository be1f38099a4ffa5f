import { type Linalg, LinalgError, type OnProgress } from './linalg';
import { type Matrix, matrix, type Numbers, zerosLike } from './matrix';
import { transpose } from './transpose';

/** A rank-r approximation `a ≈ left · right` with σ shared out evenly, and all singular values of `a`. */
export interface BalancedFactors<T extends Numbers> {
  /** All min(m, n) singular values, descending. Those below {@link noiseFloor} · σ₁ are not meaningful. */
  readonly sigma: Float64Array;
  /** m × r: U · diag(√σ). */
  readonly left: Matrix<T>;
  /** r × n: diag(√σ) · Vᵀ. */
  readonly right: Matrix<T>;
}

/**
 * Singular values below this multiple of σ₁ are rounding noise: of the weights' own precision for float32, of the
 * Gram matrix (√ε of double) for float64.
 */
export const noiseFloor = 3e-8;

/** Below this σ_r / σ₁ the Gram matrix has lost too many digits of a double-precision weight. */
const GRAM_LIMIT = 1e-6;
/** Squares of larger or smaller magnitudes leave the range of doubles. */
const LARGEST_SQUARE = 1e140;
const SMALLEST_SQUARE = 1e-140;

/**
 * The best rank-r approximation of `a` (m × n; Eckart & Young 1936) and all its singular values.
 *
 * The way there is the eigenproblem of the smaller Gram matrix, accumulated in double precision: for m ≤ n,
 * A·Aᵀ = U·Σ²·Uᵀ, then right = Uᵀ·A. It costs m²n + O(m³) instead of a full SVD's many m²n, and the product
 * left·right = U·Uᵀ·A is an orthogonal projection whatever the accuracy of small σ. Double-precision weights
 * whose cut lies where the Gram matrix has lost its digits take xGESDD instead.
 *
 * `rank` is 0…min(m, n); 0 computes singular values only. Throws {@link LinalgError}, 'not-finite' among others.
 */
export function truncatedSvd<T extends Numbers>(
  linalg: Linalg,
  a: Matrix<T>,
  rank: number,
  onProgress: OnProgress = () => {},
): BalancedFactors<T> {
  if (squaresFit(a.data)) {
    const factors = gramFactors(linalg, a, rank, onProgress);
    const { sigma } = factors;
    const cut = sigma[Math.max(0, (rank || sigma.length) - 1)] ?? 0;
    const lossy = a.data instanceof Float64Array && sigma[0]! > 0 && cut < GRAM_LIMIT * sigma[0]!;
    if (!lossy) return factors;
  }
  return balance(linalg.svd(a, rank, onProgress));
}

/**
 * Leading eigenvectors of the Gram matrix of the shorter side, then one product: for m ≤ n those of A·Aᵀ are U, and
 * Uᵀ·A is Σ·Vᵀ; else those of Aᵀ·A are V, and A·V is U·Σ.
 */
function gramFactors<T extends Numbers>(
  linalg: Linalg,
  a: Matrix<T>,
  rank: number,
  onProgress: OnProgress,
): BalancedFactors<T> {
  const isTall = a.rows > a.cols;
  const [m, n] = isTall ? [a.cols, a.rows] : [a.rows, a.cols];
  // Shares of the work: m²n for the Gram matrix, some 3m³ for the eigenproblem, 2mnr for the product.
  const work = [m * m * n, 3 * m * m * m, 2 * m * n * rank];
  const total = work[0]! + work[1]! + work[2]! || 1;
  const part = (before: number, share: number) => (done: number) =>
    onProgress((before + done * share) / total);
  const gram = gramOf(linalg, a, isTall, part(0, work[0]!));
  const { values, vectors } = linalg.eigh(gram, rank, part(work[0]!, work[1]!));
  const sigma = values.map((value) => Math.sqrt(Math.max(0, value)));
  const basis = matrix(rank, m, zerosLike(a.data, rank * m));
  basis.data.set(vectors.data);
  const floor = noiseFloor * (sigma[0] ?? 0);
  // A direction without energy is dropped rather than scaled up from noise.
  const roots = Array.from(sigma.subarray(0, rank), (value) => (value > floor ? Math.sqrt(value) : 0));
  const inverses = roots.map((root) => (root === 0 ? 0 : 1 / root));
  // One side is the basis times √σ, the other holds σ already and is divided by √σ.
  if (isTall) {
    const left =
      rank === 0 ? matrix(n, 0, zerosLike(a.data, 0)) : linalg.multiply(a, basis, { transposeB: true });
    scaleColumns(left, inverses);
    scaleRows(basis, roots);
    onProgress(1);
    return { sigma, left, right: basis };
  }
  const right = rank === 0 ? matrix(0, n, zerosLike(a.data, 0)) : linalg.multiply(basis, a);
  scaleRows(right, inverses);
  scaleRows(basis, roots);
  onProgress(1);
  return { sigma, left: transpose(basis), right };
}

function scaleRows({ rows, cols, data }: Matrix, factors: readonly number[]): void {
  for (let i = 0; i < rows; i++) {
    const factor = factors[i]!;
    for (let at = i * cols; at < (i + 1) * cols; at++) data[at] = data[at]! * factor;
  }
}

function scaleColumns({ rows, cols, data }: Matrix, factors: readonly number[]): void {
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++, at++) data[at] = data[at]! * factors[j]!;
  }
}

function balance<T extends Numbers>({
  sigma,
  u,
  vt,
}: {
  sigma: Float64Array;
  u: Matrix<T>;
  vt: Matrix<T>;
}): BalancedFactors<T> {
  const rank = u.cols;
  const left = u.data.slice() as T;
  const right = vt.data.slice() as T;
  for (let i = 0; i < left.length; i++) left[i] = left[i]! * Math.sqrt(sigma[i % rank]!);
  for (let i = 0; i < right.length; i++) right[i] = right[i]! * Math.sqrt(sigma[Math.floor(i / vt.cols)]!);
  return { sigma, left: matrix(u.rows, rank, left), right: matrix(rank, vt.cols, right) };
}

/** Whether the squares of all elements are doubles: those of floats always are. Throws 'not-finite'. */
function squaresFit(data: Numbers): boolean {
  if (data instanceof Float32Array) return true;
  let largest = 0;
  for (let i = 0; i < data.length; i++) {
    const magnitude = Math.abs(data[i]!);
    // Written so that NaN gets through, too.
    if (!(magnitude <= largest)) largest = magnitude;
    if (!(magnitude < Infinity)) throw notFinite();
  }
  return largest === 0 || (largest <= LARGEST_SQUARE && largest >= SMALLEST_SQUARE);
}

function gramOf(linalg: Linalg, a: Matrix, transposeFirst: boolean, onProgress: OnProgress) {
  try {
    return linalg.gram(a, onProgress, { transposeFirst });
  } catch (error) {
    throw error instanceof LinalgError && error.code === 'not-finite' ? notFinite() : error;
  }
}

function notFinite(): LinalgError {
  return new LinalgError('not-finite', 'The weight holds NaN or infinite values.');
}
