import type { Matrix, Numbers } from './matrix';

/** What a linear-algebra call can fail with; everything else is a bug and throws a plain error. */
export type LinalgErrorCode =
  /** The input holds NaN or infinity. */
  | 'not-finite'
  /** An iteration of LAPACK did not converge (`info > 0`). */
  | 'no-convergence'
  /** The matrix handed to a Cholesky factorisation is not positive definite. */
  | 'not-positive-definite'
  /** The engine's heap cannot hold the problem. */
  | 'out-of-memory'
  /** LAPACK refused an argument (`info < 0` or XERBLA): shapes that do not fit. */
  | 'bad-argument'
  /** The terms of a decomposition grow without bound while they cancel each other: no best one of this rank exists, or none is in reach. */
  | 'degenerate';

/** A numerical failure, as a whole sentence that names the routine. */
export class LinalgError extends Error {
  constructor(
    readonly code: LinalgErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'LinalgError';
  }
}

/** `A ≈ u · diag(sigma[0…r)) · vt`. */
export interface Svd<T extends Numbers = Numbers> {
  /** All min(m, n) singular values, descending, whatever the number of vectors. */
  readonly sigma: Float64Array;
  /** m × r, orthonormal columns. */
  readonly u: Matrix<T>;
  /** r × n, orthonormal rows. */
  readonly vt: Matrix<T>;
}

/** Eigenpairs of a symmetric n × n matrix. */
export interface Eigen {
  /** All n eigenvalues, descending. */
  readonly values: Float64Array;
  /** count × n: row i is the unit eigenvector of `values[i]`. */
  readonly vectors: Matrix<Float64Array>;
}

/** Called with the finished share of a call's work, 0…1, between the library calls it consists of. */
export type OnProgress = (done: number) => void;

/**
 * The linear algebra the decompositions stand on: a port with two engines, LAPACK in WebAssembly
 * (`worker/lapack.ts`) and ml-matrix (`mlMatrix.ts`: small problems, and the oracle of the tests).
 * Matrices go in and come out row-major; inputs are never modified; results share no memory with them.
 * Calls are synchronous. Numerical trouble is a {@link LinalgError}.
 */
export interface Linalg {
  /** For people and logs: library, version, precision of the kernels. */
  readonly name: string;
  /** op(A) · op(B), in the operands' precision. */
  multiply<T extends Numbers>(
    a: Matrix<T>,
    b: Matrix<T>,
    options?: { readonly transposeA?: boolean; readonly transposeB?: boolean },
  ): Matrix<T>;
  /**
   * A · Aᵀ (m × m, full), or Aᵀ · A (n × n); products and sums in double precision whatever A's. With `into`, a
   * symmetric matrix, it is added to that, which is what comes back.
   */
  gram(
    a: Matrix,
    onProgress?: OnProgress,
    options?: { readonly transposeFirst?: boolean; readonly into?: Matrix<Float64Array> },
  ): Matrix<Float64Array>;
  /** All eigenvalues and the `count` leading eigenvectors of a symmetric matrix (0 ≤ count ≤ n; only the lower triangle is read). */
  eigh(a: Matrix<Float64Array>, count: number, onProgress?: OnProgress): Eigen;
  /** Singular value decomposition, backward stable (xGESDD): all values, the `rank` leading vectors (0 ≤ rank ≤ min(m, n)). */
  svd<T extends Numbers>(a: Matrix<T>, rank: number, onProgress?: OnProgress): Svd<T>;
  /** Thin QR: q is m × k with orthonormal columns, r is k × n upper triangular, k = min(m, n). */
  qr<T extends Numbers>(a: Matrix<T>): { readonly q: Matrix<T>; readonly r: Matrix<T> };
  /**
   * Lower Cholesky factor L of a symmetric positive definite matrix, A = L · Lᵀ, zeros above the diagonal. `inPlace` it
   * takes the memory of A, which stays as it is where there is none.
   */
  cholesky(a: Matrix<Float64Array>, options?: { readonly inPlace?: boolean }): Matrix<Float64Array>;
  /** X of op(L) · X = B with L lower triangular, n × n, and B n × k. */
  solveLower<T extends Numbers>(
    l: Matrix<T>,
    b: Matrix<T>,
    options?: { readonly transpose?: boolean },
  ): Matrix<T>;
  /** Minimum-norm least squares, argmin ‖A · X − B‖ (xGELSD). Singular values below `rcond · σ₁` count as zero (default: machine precision). */
  leastSquares<T extends Numbers>(
    a: Matrix<T>,
    b: Matrix<T>,
    rcond?: number,
  ): { readonly x: Matrix<T>; readonly rank: number; readonly sigma: Float64Array };
}
