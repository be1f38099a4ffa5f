import type { Eigen, OnProgress } from '../core/tensor/linalg';
import { LinalgError } from '../core/tensor/linalg';
import { requireCount, requireFiniteLower, requireSquare, safeScale } from '../core/tensor/linalgInput';
import { type Matrix, matrix, zerosLike } from '../core/tensor/matrix';
import type { Arena, Block, Heap } from './arena';
import type { Caller } from './lapackCall';

type Doubles = Block<Float64Array>;

/** Columns that are reduced together: a matrix-vector product each, then one product for the rest of the matrix. */
const PANEL = 32;
/** The share of an n × n problem's time that the reduction to tridiagonal form takes, for the progress report. */
const REDUCTION_SHARE = 0.75;

/**
 * Eigenvalues and leading eigenvectors of a symmetric matrix: reduction to tridiagonal form, all
 * eigenvalues by the root-free QR iteration (DSTERF), the wanted vectors by multiple relatively robust
 * representations (DSTEMR; Dhillon & Parlett 2004) or, when they are not that few, by divide and conquer
 * (DSTEDC), and back.
 *
 * A row-major matrix is its transpose in column-major order: our lower triangle is LAPACK's upper one.
 */
export function eigh(
  heap: Heap,
  caller: Caller,
  a: Matrix<Float64Array>,
  count: number,
  onProgress: OnProgress,
): Eigen {
  const n = a.rows;
  const task = `Eigenvalues of a ${n} × ${a.cols} matrix`;
  requireSquare(task, a);
  requireCount(task, count, n);
  requireFiniteLower(task, a);
  if (n === 0) return { values: new Float64Array(0), vectors: matrix(0, 0, new Float64Array(0)) };
  return heap.scope(task, (arena) => {
    const scale = safeScale(largestLower(a));
    const reduced = arena.f64(n * n);
    fill(reduced, a, scale);
    const d = arena.f64(n);
    const e = arena.f64(n);
    const tau = arena.f64(n);
    tridiagonalise(arena, caller, n, reduced, d, e, tau, (done) => onProgress(done * REDUCTION_SHARE));
    // Before DSTEMR, which never ends on a NaN: DSTERF reports one.
    const values = tridiagonalValues(heap, caller, n, d, e);
    onProgress(REDUCTION_SHARE + 0.05);
    const rows = matrix(count, n, zerosLike(a.data, count * n));
    if (count > 0) {
      // LAPACK counts eigenvalues upwards: the leading vectors are the last columns, from the end.
      const columns =
        (count <= fewVectors(n) && leadingVectors(arena, caller, n, count, d, e)) ||
        allVectors(arena, caller, n, d, e).from((n - count) * n);
      onProgress(0.9);
      caller.lapackWithWork('dormtr', ['L', 'U', 'N', n, count, reduced, n, tau, columns, n]);
      const view = columns.view();
      for (let i = 0; i < count; i++) {
        rows.data.set(view.subarray((count - 1 - i) * n, (count - i) * n), i * n);
      }
    }
    onProgress(1);
    return { values: values.reverse().map((value) => value / scale), vectors: rows };
  });
}

/** How many vectors DSTEMR finds in less time than DSTEDC takes for all of them, as measured: the smaller n, the fewer. */
function fewVectors(n: number): number {
  return Math.floor(n / (n <= 512 ? 6 : 4));
}

function largestLower(a: Matrix<Float64Array>): number {
  let largest = 0;
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j <= i; j++) largest = Math.max(largest, Math.abs(a.data[i * a.cols + j]!));
  }
  return largest;
}

function fill(target: Doubles, a: Matrix<Float64Array>, scale: number): void {
  const view = target.view();
  view.set(a.data);
  if (scale !== 1) for (let i = 0; i < view.length; i++) view[i] = view[i]! * scale;
}

/**
 * A = Q · T · Qᵀ, LAPACK's upper triangle: DSYTRD's loop over panels, here so that the longest step of
 * all can report its progress (and stop, by an `onProgress` that throws).
 */
function tridiagonalise(
  arena: Arena,
  { blas }: Caller,
  n: number,
  a: Doubles,
  d: Doubles,
  e: Doubles,
  tau: Doubles,
  onProgress: OnProgress,
): void {
  const panels = n <= 2 * PANEL ? 0 : Math.ceil((n - PANEL) / PANEL);
  const rest = n - panels * PANEL;
  const work = arena.f64(panels === 0 ? 1 : n * PANEL);
  for (let first = n - PANEL; first >= rest; first -= PANEL) {
    blas('dlatrd', 'U', first + PANEL, PANEL, a, n, e, tau, work, n);
    blas('dsyr2k', 'U', 'N', first, PANEL, { real: -1 }, a.from(first * n), n, work, n, { real: 1 }, a, n);
    const [matrixView, diagonal, beside] = [a.view(), d.view(), e.view()];
    for (let j = first; j < first + PANEL; j++) {
      matrixView[j - 1 + j * n] = beside[j - 1]!;
      diagonal[j] = matrixView[j + j * n]!;
    }
    onProgress(1 - (first / n) ** 3);
  }
  const info = arena.i32(1);
  blas('dsytd2', 'U', rest, a, n, d, e, tau, info);
}

/** All eigenvalues of the tridiagonal matrix, ascending. */
function tridiagonalValues(heap: Heap, { lapack }: Caller, n: number, d: Doubles, e: Doubles): Float64Array {
  return heap.scope('Eigenvalues of a tridiagonal matrix', (arena) => {
    const values = arena.duplicate(d);
    const info = lapack('dsterf', n, values, arena.duplicate(e));
    if (info > 0)
      throw new LinalgError(
        'no-convergence',
        `DSTERF did not converge: ${info} of ${n} off-diagonal elements remain.`,
      );
    return values.view().slice();
  });
}

/**
 * The last `count` eigenvectors of the tridiagonal matrix by relatively robust representations, or
 * undefined when DSTEMR gives up. Where eigenvalues cluster it leaves departures from orthogonality of up to
 * 10⁻¹³; one step of Newton's iteration for the polar factor, V := V · (3I − VᵀV) / 2, squares them away.
 */
function leadingVectors(
  arena: Arena,
  { blas, lapack }: Caller,
  n: number,
  count: number,
  d: Doubles,
  e: Doubles,
): Doubles | undefined {
  // Of order 2 DSTEMR (3.11) picks by magnitude what it should pick by value.
  if (n <= 2) return undefined;
  const vectors = arena.f64(n * count);
  const found = arena.i32(1);
  const tryHighAccuracy = arena.i32(1);
  tryHighAccuracy.view()[0] = 1;
  const info = lapack(
    'dstemr',
    ...['V', 'I', n, arena.duplicate(d), arena.duplicate(e), { real: 0 }, { real: 0 }, n - count + 1, n],
    ...[found, arena.f64(n), vectors, n, count, arena.i32(2 * count), tryHighAccuracy],
    ...[arena.f64(18 * n), 18 * n, arena.i32(10 * n), 10 * n],
  );
  if (info !== 0 || found.view()[0] !== count) return undefined;
  const products = arena.f64(count * count);
  blas('dgemm', 'T', 'N', count, count, n, { real: 1 }, vectors, n, vectors, n, { real: 0 }, products, count);
  const polished = arena.f64(n * count);
  polished.view().set(vectors.view());
  const [half, threeHalves] = [{ real: -0.5 }, { real: 1.5 }];
  blas('dgemm', 'N', 'N', n, count, count, half, vectors, n, products, count, threeHalves, polished, n);
  return polished;
}

/** All eigenvectors of the tridiagonal matrix, n × n, by divide and conquer (DSTEDC): for many of them, and where DSTEMR gives up. */
function allVectors(arena: Arena, { lapack }: Caller, n: number, d: Doubles, e: Doubles): Doubles {
  const vectors = arena.f64(n * n);
  const [work, whole] = [1 + 4 * n + n * n, 3 + 5 * n];
  const [values, beside] = [arena.duplicate(d), arena.duplicate(e)];
  const info = lapack(
    'dstedc',
    'I',
    n,
    values,
    beside,
    vectors,
    n,
    arena.f64(work),
    work,
    arena.i32(whole),
    whole,
  );
  if (info > 0) throw new LinalgError('no-convergence', `DSTEDC did not converge (INFO = ${info}).`);
  return vectors;
}
