import {
  CholeskyDecomposition,
  EigenvalueDecomposition,
  Matrix as Mat,
  QrDecomposition,
  SVD,
} from 'ml-matrix';
import { type Eigen, type Linalg, LinalgError, type OnProgress, type Svd } from './linalg';
import {
  requireCount,
  requireFinite,
  requireFiniteLower,
  requireNonsingular,
  requireSquare,
  requireThat,
  safeScale,
  shapeOf,
} from './linalgInput';
import { type Matrix, matrix, type Numbers, zerosLike } from './matrix';

/**
 * The port on ml-matrix, in double precision throughout: for problems too small to be worth a copy, for
 * engines without WebAssembly SIMD, and as the oracle of the tests. A hundred times slower than LAPACK
 * for large matrices.
 */
export function createMlMatrix(): Linalg {
  return {
    name: 'ml-matrix (JavaScript, double precision)',
    multiply,
    gram,
    eigh,
    svd,
    qr,
    cholesky,
    solveLower,
    leastSquares,
  };
}

/** ml-matrix has no matrix without elements: callers return before they come here with one. */
function toMat({ rows, cols, data }: Matrix, scale = 1): Mat {
  const result = new Mat(rows, cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) result.set(i, j, data[i * cols + j]! * scale);
  return result;
}

/** The first `rows × cols` elements, in the precision of `like`. */
function fromMat<T extends Numbers>(
  source: Mat,
  like: T,
  rows = source.rows,
  cols = source.columns,
): Matrix<T> {
  const result = matrix(rows, cols, zerosLike(like, rows * cols));
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) result.data[i * cols + j] = source.get(i, j);
  return result;
}

function multiply<T extends Numbers>(
  a: Matrix<T>,
  b: Matrix<T>,
  {
    transposeA = false,
    transposeB = false,
  }: { readonly transposeA?: boolean; readonly transposeB?: boolean } = {},
): Matrix<T> {
  const [m, k] = shapeOf(a, transposeA);
  const [rowsB, n] = shapeOf(b, transposeB);
  const task = `Product of a ${m} × ${k} and a ${rowsB} × ${n} matrix`;
  requireThat(k === rowsB, task, 'the inner dimensions differ.');
  requireFinite(task, a, b);
  if (m * n * k === 0) return matrix(m, n, zerosLike(a.data, m * n));
  const [left, right] = [toMat(a), toMat(b)];
  return fromMat((transposeA ? left.transpose() : left).mmul(transposeB ? right.transpose() : right), a.data);
}

function gram(
  a: Matrix,
  onProgress: OnProgress = () => {},
  {
    transposeFirst = false,
    into,
  }: { readonly transposeFirst?: boolean; readonly into?: Matrix<Float64Array> } = {},
): Matrix<Float64Array> {
  const [m, n] = shapeOf(a, transposeFirst);
  const task = `Gram matrix of a ${m} × ${n} matrix`;
  requireThat(!into || (into.rows === m && into.cols === m), task, 'the sum has other sizes.');
  requireFinite(task, a);
  if (m * n === 0) return into ?? matrix(m, m, new Float64Array(m * m));
  const wide = transposeFirst ? toMat(a).transpose() : toMat(a);
  const result = fromMat(wide.mmul(wide.transpose()), new Float64Array(0));
  if (into) {
    for (let i = 0; i < into.data.length; i++) into.data[i] = into.data[i]! + result.data[i]!;
    return into;
  }
  onProgress(1);
  return result;
}

function eigh(a: Matrix<Float64Array>, count: number, onProgress: OnProgress = () => {}): Eigen {
  const n = a.rows;
  const task = `Eigenvalues of a ${n} × ${a.cols} matrix`;
  requireSquare(task, a);
  requireCount(task, count, n);
  requireFiniteLower(task, a);
  const vectors = matrix(count, n, new Float64Array(count * n));
  if (n === 0) return { values: new Float64Array(0), vectors };
  const full = symmetric(a);
  const scale = safeScale(full.clone().abs().max());
  const decomposition = new EigenvalueDecomposition(full.mul(scale), { assumeSymmetric: true });
  const ascending = decomposition.realEigenvalues;
  const order = Array.from(ascending.keys()).sort((i, j) => ascending[j]! - ascending[i]!);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < n; j++) vectors.data[i * n + j] = decomposition.eigenvectorMatrix.get(j, order[i]!);
  }
  onProgress(1);
  return { values: Float64Array.from(order, (i) => ascending[i]! / scale), vectors };
}

/** The whole of a symmetric matrix, from its lower triangle. */
function symmetric({ rows: n, data }: Matrix<Float64Array>): Mat {
  const full = new Mat(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      full.set(i, j, data[i * n + j]!);
      full.set(j, i, data[i * n + j]!);
    }
  }
  return full;
}

/** Thin factors of a matrix with elements, by way of the one shape that ml-matrix's SVD is right for: not wider than tall. */
function thinSvd(a: Matrix): { sigma: Float64Array; u: Mat; v: Mat } {
  let largest = 0;
  for (const x of a.data) largest = Math.max(largest, Math.abs(x));
  const scale = safeScale(largest);
  const wide = a.rows < a.cols;
  const mat = toMat(a, scale);
  const decomposition = new SVD(wide ? mat.transpose() : mat);
  const { leftSingularVectors: left, rightSingularVectors: right } = decomposition;
  const sigma = Float64Array.from(decomposition.diagonal, (value) => value / scale);
  return wide ? { sigma, u: right, v: left } : { sigma, u: left, v: right };
}

function svd<T extends Numbers>(a: Matrix<T>, rank: number, onProgress: OnProgress = () => {}): Svd<T> {
  const { rows: m, cols: n } = a;
  const task = `Singular values of a ${m} × ${n} matrix`;
  requireCount(task, rank, Math.min(m, n));
  requireFinite(task, a);
  if (m * n === 0) {
    const none = zerosLike(a.data, 0);
    return { sigma: new Float64Array(0), u: matrix(m, 0, none), vt: matrix(0, n, none) };
  }
  const { sigma, u, v } = thinSvd(a);
  onProgress(1);
  return { sigma, u: fromMat(u, a.data, m, rank), vt: fromMat(v.transpose(), a.data, rank, n) };
}

/** ml-matrix factors matrices that are not wider than tall; of a wider one that settles Q, and R = Qᵀ · A. */
function qr<T extends Numbers>(a: Matrix<T>): { q: Matrix<T>; r: Matrix<T> } {
  const { rows: m, cols: n } = a;
  const k = Math.min(m, n);
  requireFinite(`QR factors of a ${m} × ${n} matrix`, a);
  if (k === 0) return { q: matrix(m, 0, zerosLike(a.data, 0)), r: matrix(0, n, zerosLike(a.data, 0)) };
  const mat = toMat(a);
  const decomposition = new QrDecomposition(mat.subMatrix(0, m - 1, 0, k - 1));
  const q = decomposition.orthogonalMatrix;
  const r = q.transpose().mmul(mat);
  for (let i = 0; i < k; i++) for (let j = 0; j < i; j++) r.set(i, j, 0);
  return { q: fromMat(q, a.data), r: fromMat(r, a.data) };
}

function cholesky(
  a: Matrix<Float64Array>,
  { inPlace = false }: { readonly inPlace?: boolean } = {},
): Matrix<Float64Array> {
  const n = a.rows;
  const task = `Cholesky factor of a ${n} × ${a.cols} matrix`;
  requireSquare(task, a);
  requireFiniteLower(task, a);
  if (n === 0) return matrix(0, 0, new Float64Array(0));
  const decomposition = new CholeskyDecomposition(symmetric(a));
  if (!decomposition.isPositiveDefinite()) {
    throw new LinalgError('not-positive-definite', `${task}: it is not positive definite.`);
  }
  const lower = fromMat(decomposition.lowerTriangularMatrix, a.data);
  if (!inPlace) return lower;
  a.data.set(lower.data);
  return a;
}

/** Substitution, forwards with L and backwards with Lᵀ: ml-matrix solves general systems only. */
function solveLower<T extends Numbers>(
  l: Matrix<T>,
  b: Matrix<T>,
  { transpose = false }: { readonly transpose?: boolean } = {},
): Matrix<T> {
  const [n, k] = [l.rows, b.cols];
  const task = `Solution of a triangular ${n} × ${l.cols} system`;
  requireSquare(task, l);
  requireThat(b.rows === n, task, `the right-hand side has ${b.rows} rows.`);
  requireFiniteLower(task, l);
  requireFinite(task, b);
  requireNonsingular(task, l);
  const x = Float64Array.from(b.data);
  for (let step = 0; step < n; step++) {
    const row = transpose ? n - 1 - step : step;
    for (let other = transpose ? row + 1 : 0; other < (transpose ? n : row); other++) {
      const factor = l.data[transpose ? other * n + row : row * n + other]!;
      for (let j = 0; j < k; j++) x[row * k + j] = x[row * k + j]! - factor * x[other * k + j]!;
    }
    for (let j = 0; j < k; j++) x[row * k + j] = x[row * k + j]! / l.data[row * n + row]!;
  }
  const result = matrix(n, k, zerosLike(b.data, n * k));
  result.data.set(x);
  return result;
}

/** X = V · Σ⁺ · Uᵀ · B, with the singular values below `rcond · σ₁` left out of Σ⁺. */
function leastSquares<T extends Numbers>(
  a: Matrix<T>,
  b: Matrix<T>,
  rcond?: number,
): { x: Matrix<T>; rank: number; sigma: Float64Array } {
  const [m, n, k] = [a.rows, a.cols, b.cols];
  const task = `Least squares with a ${m} × ${n} matrix`;
  requireThat(b.rows === m, task, `the right-hand side has ${b.rows} rows.`);
  requireFinite(task, a, b);
  const x = matrix(n, k, zerosLike(a.data, n * k));
  if (m * n === 0) return { x, rank: 0, sigma: new Float64Array(0) };
  const epsilon = a.data instanceof Float32Array ? 2 ** -24 : 2 ** -53;
  const { sigma, u, v } = thinSvd(a);
  const floor = (rcond === undefined || rcond < 0 ? epsilon : rcond) * sigma[0]!;
  const rank = sigma.findLastIndex((value) => value > floor) + 1;
  if (k * rank === 0) return { x, rank, sigma };
  const coordinates = u
    .transpose()
    .mmul(toMat(b))
    .subMatrix(0, rank - 1, 0, k - 1);
  for (let i = 0; i < rank; i++)
    for (let j = 0; j < k; j++) coordinates.set(i, j, coordinates.get(i, j) / sigma[i]!);
  return { x: fromMat(v.subMatrix(0, n - 1, 0, rank - 1).mmul(coordinates), a.data), rank, sigma };
}
