import { type Linalg, LinalgError, type OnProgress, type Svd } from '../core/tensor/linalg';
import {
  requireCount,
  requireFinite,
  requireFiniteLower,
  requireNonsingular,
  requireSquare,
  requireThat,
} from '../core/tensor/linalgInput';
import { type Matrix, matrix, type Numbers, zerosLike } from '../core/tensor/matrix';
import { transpose } from '../core/tensor/transpose';
import { createHeap, type Heap } from './arena';
import { type Caller, createCaller, type LapackExports, routine, take } from './lapackCall';
import { eigh } from './lapackEigen';
import { gram, multiply } from './lapackProducts';

/** LAPACK 3.11 in WebAssembly behind the {@link Linalg} port. */
export interface Lapack extends Linalg {
  /** The size of its memory in bytes: the largest call so far, as memory never shrinks. */
  heapBytes(): number;
  /** Gives the memory back. The next call starts a fresh instance, which takes a millisecond. */
  release(): void;
}

/** A started instance: its exports and the two ways in. For tests; everyone else has {@link createLapack}. */
export interface Instance {
  readonly wasm: LapackExports;
  readonly heap: Heap;
  readonly caller: Caller;
}

/** Starts an instance of the module. Throws LinalgError 'out-of-memory' when there is no room for its memory. */
export function instantiate(module: WebAssembly.Module): Instance {
  try {
    return attach(new WebAssembly.Instance(module).exports as unknown as LapackExports);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new LinalgError('out-of-memory', `LAPACK could not be started: ${error.message}.`);
  }
}

/** The ways into an instance with these exports. */
export function attach(wasm: LapackExports): Instance {
  const heap = createHeap(wasm);
  return { wasm, heap, caller: createCaller(wasm, heap) };
}

/**
 * The port on `module` (one of the two that `wasm/build.mjs` makes). Nothing is copied twice: a
 * row-major matrix is its transpose in LAPACK's column-major order, and every call is chosen so that the
 * transposes cancel. An `onProgress` that throws ends the call; the instance stays usable after any error.
 */
export function createLapack(module: WebAssembly.Module, start: typeof instantiate = instantiate): Lapack {
  let instance: Instance | undefined;
  const running = () => {
    instance ??= start(module);
    return instance;
  };
  const run = <R>(call: (running: Instance) => R): R => {
    try {
      return call(running());
    } catch (error) {
      if (isTrap(error)) instance = undefined;
      throw asLinalgError(error);
    }
  };
  const fused = running().wasm.relaxed_simd() === 1;
  return {
    name: `LAPACK 3.11.0 in WebAssembly (128-bit SIMD${fused ? ', fused multiply-add' : ''}; float and double)`,
    heapBytes: () => instance?.heap.bytes() ?? 0,
    release: () => {
      instance = undefined;
    },
    multiply: (a, b, options = {}) => run((started) => multiply(started, a, b, options)),
    gram: (a, onProgress = () => {}, { transposeFirst = false, into } = {}) =>
      run((started) => gram(started, a, onProgress, transposeFirst, into)),
    eigh: (a, count, onProgress = () => {}) =>
      run(({ heap, caller }) => eigh(heap, caller, a, count, onProgress)),
    svd: (a, rank, onProgress = () => {}) => run((started) => svd(started, a, rank, onProgress)),
    qr: (a) => run((started) => qr(started, a)),
    cholesky: (a, { inPlace = false } = {}) => run((started) => cholesky(started, a, inPlace)),
    solveLower: (l, b, options = {}) => run((started) => solveLower(started, l, b, options)),
    leastSquares: (a, b, rcond) => run((started) => leastSquares(started, a, b, rcond)),
  };
}

/**
 * Whether WebAssembly was left in the middle of a routine: by a trap, which would be a bug of ours, or by a
 * JavaScript stack that ended. The module's own stack isn't unwound then, so the instance isn't used again.
 */
function isTrap(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'RuntimeError' || error.message === 'Maximum call stack size exceeded';
}

/** JavaScript refuses arrays that it has no room for, such as those of a result, by a RangeError. */
function asLinalgError(error: unknown): unknown {
  if (!(error instanceof RangeError)) return error;
  if (!/Array buffer allocation failed|Invalid typed array length/.test(error.message)) return error;
  return new LinalgError('out-of-memory', `There is no room for the result: ${error.message}.`);
}

/** Column-major, A is Aᵀ = V · Σ · Uᵀ: LAPACK's U is our vt as it lies in memory, and its VT our u. */
function svd<T extends Numbers>(
  { heap, caller }: Instance,
  a: Matrix<T>,
  rank: number,
  onProgress: OnProgress,
): Svd<T> {
  const { rows: m, cols: n } = a;
  const k = Math.min(m, n);
  const task = `Singular values of a ${m} × ${n} matrix`;
  requireCount(task, rank, k);
  requireFinite(task, a);
  const u = matrix(m, rank, zerosLike(a.data, m * rank));
  const vt = matrix(rank, n, zerosLike(a.data, rank * n));
  if (k === 0) return { sigma: new Float64Array(0), u, vt };
  return heap.scope(task, (arena) => {
    const sigma = arena.like(a.data, k);
    const [left, right] = [
      arena.like(a.data, rank === 0 ? 1 : n * k),
      arena.like(a.data, rank === 0 ? 1 : k * m),
    ];
    const info = caller.lapackWithWork(
      routine(a.data, 'gesdd'),
      [rank === 0 ? 'N' : 'S', n, m, arena.copy(a.data), n, sigma, left, n, right, k],
      [arena.i32(8 * k)],
    );
    if (info > 0)
      throw new LinalgError('no-convergence', `${task}: xGESDD did not converge (INFO = ${info}).`);
    vt.data.set(left.view().subarray(0, rank * n));
    const rows = right.view();
    for (let i = 0; i < m; i++) u.data.set(rows.subarray(i * k, i * k + rank), i * rank);
    onProgress(1);
    return { sigma: Float64Array.from(sigma.view()), u, vt };
  });
}

/** Column-major, A is Aᵀ; its LQ factors, Aᵀ = L · Q, transposed are A = Qᵀ · Lᵀ. */
function qr<T extends Numbers>({ heap, caller }: Instance, a: Matrix<T>): { q: Matrix<T>; r: Matrix<T> } {
  const { rows: m, cols: n } = a;
  const k = Math.min(m, n);
  const task = `QR factors of a ${m} × ${n} matrix`;
  requireFinite(task, a);
  const q = matrix(m, k, zerosLike(a.data, m * k));
  const r = matrix(k, n, zerosLike(a.data, k * n));
  if (k === 0) return { q, r };
  return heap.scope(task, (arena) => {
    const factors = arena.copy(a.data);
    const tau = arena.like(a.data, k);
    caller.lapackWithWork(routine(a.data, 'gelqf'), [n, m, factors, n, tau]);
    for (let i = 0; i < k; i++) r.data.set(factors.view().subarray(i * n + i, (i + 1) * n), i * n + i);
    caller.lapackWithWork(routine(a.data, 'orglq'), [k, m, k, factors, n, tau]);
    for (let i = 0; i < m; i++) q.data.set(factors.view().subarray(i * n, i * n + k), i * k);
    return { q, r };
  });
}

/** Our lower triangle is LAPACK's upper one, and L = (Lᵀ)ᵀ likewise. */
function cholesky(
  { heap, caller }: Instance,
  a: Matrix<Float64Array>,
  inPlace: boolean,
): Matrix<Float64Array> {
  const n = a.rows;
  const task = `Cholesky factor of a ${n} × ${a.cols} matrix`;
  requireSquare(task, a);
  requireFiniteLower(task, a);
  if (n === 0) return matrix(0, 0, new Float64Array(0));
  return heap.scope(task, (arena) => {
    const factor = arena.copy(a.data);
    const info = caller.lapack('dpotrf', 'U', n, factor, n);
    if (info > 0) {
      throw new LinalgError(
        'not-positive-definite',
        `${task}: its leading block of order ${info} is not positive definite.`,
      );
    }
    const l = inPlace ? a : matrix(n, n, new Float64Array(n * n));
    for (let i = 0; i < n; i++) {
      l.data.set(factor.view().subarray(i * n, i * n + i + 1), i * n);
      if (inPlace) l.data.fill(0, i * n + i + 1, (i + 1) * n);
    }
    return l;
  });
}

/** op(L) · X = B is Xᵀ · op(L)ᵀ = Bᵀ: in column-major order a solve from the right with the upper triangle Lᵀ. */
function solveLower<T extends Numbers>(
  { heap, caller }: Instance,
  l: Matrix<T>,
  b: Matrix<T>,
  { transpose: transposed = false }: { readonly transpose?: boolean },
): Matrix<T> {
  const [n, k] = [l.rows, b.cols];
  const task = `Solution of a triangular ${n} × ${l.cols} system`;
  requireSquare(task, l);
  requireThat(b.rows === n, task, `the right-hand side has ${b.rows} rows.`);
  requireFiniteLower(task, l);
  requireFinite(task, b);
  requireNonsingular(task, l);
  if (n * k === 0) return matrix(n, k, zerosLike(b.data, n * k));
  return heap.scope(task, (arena) => {
    const x = arena.copy(b.data);
    const letters = ['R', 'U', transposed ? 'T' : 'N', 'N'];
    caller.blas(routine(b.data, 'trsm'), ...letters, k, n, { real: 1 }, arena.copy(l.data), n, x, k);
    return matrix(n, k, take(x));
  });
}

/** xGELSD on column-major copies: of this one the transpose is a different problem. */
function leastSquares<T extends Numbers>(
  { heap, caller }: Instance,
  a: Matrix<T>,
  b: Matrix<T>,
  rcond = -1,
): { x: Matrix<T>; rank: number; sigma: Float64Array } {
  const [m, n, k] = [a.rows, a.cols, b.cols];
  const task = `Least squares with a ${m} × ${n} matrix`;
  requireThat(b.rows === m, task, `the right-hand side has ${b.rows} rows.`);
  requireFinite(task, a, b);
  const [fewer, more] = [Math.min(m, n), Math.max(m, n)];
  if (fewer === 0) return { x: matrix(n, k, zerosLike(a.data, n * k)), rank: 0, sigma: new Float64Array(0) };
  // Without a right-hand side the rank and the singular values are still asked for.
  const rhs = Math.max(1, k);
  return heap.scope(task, (arena) => {
    const target = arena.like(b.data, more * rhs);
    const view = target.view().fill(0);
    const columns = transpose(b).data;
    for (let j = 0; j < k; j++) view.set(columns.subarray(j * m, (j + 1) * m), j * more);
    const sigma = arena.like(a.data, fewer);
    const rank = arena.i32(1);
    // ⌈log₂ fewer⌉ + 1 levels of the divide and conquer at most; LAPACK needs a little less.
    const whole = 3 * fewer * (Math.ceil(Math.log2(fewer)) + 1) + 11 * fewer;
    const info = caller.lapackWithWork(
      routine(a.data, 'gelsd'),
      [m, n, rhs, arena.copy(transpose(a).data), m, target, more, sigma, { real: rcond }, rank],
      [arena.i32(whole)],
    );
    if (info > 0)
      throw new LinalgError('no-convergence', `${task}: xGELSD did not converge (INFO = ${info}).`);
    const solution = matrix(k, n, zerosLike(a.data, n * k));
    for (let j = 0; j < k; j++) solution.data.set(target.view().subarray(j * more, j * more + n), j * n);
    return { x: transpose(solution), rank: rank.view()[0] ?? 0, sigma: Float64Array.from(sigma.view()) };
  });
}
