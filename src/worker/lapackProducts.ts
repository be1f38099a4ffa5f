import type { OnProgress } from '../core/tensor/linalg';
import { holdsFinite, requireFinite, requireThat, shapeOf } from '../core/tensor/linalgInput';
import { type Matrix, matrix, type Numbers, zerosLike } from '../core/tensor/matrix';
import type { Instance } from './lapack';
import { routine } from './lapackCall';

/** Stands for its precision. */
const doubles = new Float64Array(0);

/** How much of a matrix is copied into the heap at a time. */
const SLAB_BYTES = 32 * 2 ** 20;

/** Row-major C = op(A) · op(B) is Cᵀ = op(B)ᵀ · op(A)ᵀ in column-major order. */
export function multiply<T extends Numbers>(
  instance: Instance,
  a: Matrix<T>,
  b: Matrix<T>,
  {
    transposeA = false,
    transposeB = false,
  }: { readonly transposeA?: boolean; readonly transposeB?: boolean },
): Matrix<T> {
  const [m, k] = shapeOf(a, transposeA);
  const [rowsB, n] = shapeOf(b, transposeB);
  const task = `Product of a ${m} × ${k} and a ${rowsB} × ${n} matrix`;
  requireThat(k === rowsB, task, 'the inner dimensions differ.');
  const c = matrix(m, n, zerosLike(a.data, m * n));
  if (m * n * k === 0) {
    requireFinite(task, a, b);
    return c;
  }
  for (const part of slabsOf(m, n, k, a.data.BYTES_PER_ELEMENT)) {
    multiplySlab(instance, task, a, b, c, transposeA, transposeB, part);
  }
  // NaN and infinity in either operand are NaN or infinity in the product, which is smaller most of the time.
  if (!holdsFinite(c)) requireFinite(task, a, b);
  return c;
}

/** What is large passes through the heap in slabs: rows of A and C past all of B, or columns of B and C past A. */
function* slabsOf(m: number, n: number, k: number, bytes: number): Generator<Part> {
  const whole = m * k + k * n + m * n <= (3 * SLAB_BYTES) / bytes;
  const byRows = k * n <= m * k;
  const [length, along] = byRows ? [m, n + k] : [n, m + k];
  const step = whole ? length : Math.max(1, Math.floor(SLAB_BYTES / (along * bytes)));
  for (let from = 0; from < length; from += step) {
    const slab = [from, Math.min(length, from + step)] as const;
    yield byRows ? { rows: slab, cols: [0, n] } : { rows: [0, m], cols: slab };
  }
}

interface Part {
  readonly rows: readonly [number, number];
  readonly cols: readonly [number, number];
}

/** The part of C in these rows and columns. */
function multiplySlab<T extends Numbers>(
  { heap, caller }: Instance,
  task: string,
  a: Matrix<T>,
  b: Matrix<T>,
  c: Matrix<T>,
  transposeA: boolean,
  transposeB: boolean,
  { rows: [top, bottom], cols: [first, last] }: Part,
): void {
  const k = transposeA ? a.rows : a.cols;
  const [m, n] = [bottom - top, last - first];
  heap.scope(task, (arena) => {
    const [partA, partB] = [
      transposeA ? block(a, 0, k, top, bottom) : block(a, top, bottom, 0, k),
      transposeB ? block(b, first, last, 0, k) : block(b, 0, k, first, last),
    ];
    const blockC = arena.like(c.data, m * n);
    const blockA = arena.like(a.data, m * k);
    const blockB = arena.like(b.data, k * n);
    fill(blockA.view(), partA);
    fill(blockB.view(), partB);
    const [letterA, letterB] = [transposeA, transposeB].map((flag) => (flag ? 'T' : 'N')) as [string, string];
    const [widthA, widthB] = [transposeA ? m : k, transposeB ? k : n];
    caller.blas(
      routine(a.data, 'gemm'),
      ...[letterB, letterA, n, m, k, { real: 1 }, blockB, widthB, blockA, widthA, { real: 0 }, blockC, n],
    );
    const view = blockC.view();
    for (let i = 0; i < m; i++) c.data.set(view.subarray(i * n, (i + 1) * n), (top + i) * c.cols + first);
  });
}

interface Window<T extends Numbers> {
  readonly of: Matrix<T>;
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

function block<T extends Numbers>(
  of: Matrix<T>,
  top: number,
  bottom: number,
  left: number,
  right: number,
): Window<T> {
  return { of, top, bottom, left, right };
}

/** Copies a window of a matrix, row by row, or at once where its rows follow each other. */
function fill<T extends Numbers>(
  target: T,
  { of: { cols, data }, top, bottom, left, right }: Window<T>,
): void {
  const width = right - left;
  if (width === cols) {
    target.set(data.subarray(top * cols, bottom * cols));
    return;
  }
  for (let i = top; i < bottom; i++) {
    target.set(data.subarray(i * cols + left, i * cols + right), (i - top) * width);
  }
}

/** The kernels' own blocking of the inner dimension: slabs are multiples of it. */
const DEPTH = 256;

/** Sums the products of slabs of columns (of rows, for Aᵀ · A), so that the heap holds a slab and the result but never all of A. */
export function gram(
  { heap, caller, wasm }: Instance,
  a: Matrix,
  onProgress: OnProgress,
  transposeFirst: boolean,
  into?: Matrix<Float64Array>,
): Matrix<Float64Array> {
  const { data, cols: stride } = a;
  const [order, depth] = shapeOf(a, transposeFirst);
  const task = `Gram matrix of a ${order} × ${depth} matrix`;
  requireThat(!into || (into.rows === order && into.cols === order), task, 'the sum has other sizes.');
  if (order * depth === 0) return into ?? matrix(order, order, new Float64Array(order * order));
  const slabs = Math.floor(SLAB_BYTES / (order * data.BYTES_PER_ELEMENT * DEPTH));
  const width = Math.min(depth, Math.max(1, slabs) * DEPTH);
  const g = heap.scope(task, (arena) => {
    const sum = arena.f64(order * order);
    const slab = arena.like(data, order * width);
    for (let first = 0; first < depth; first += width) {
      const last = Math.min(depth, first + width);
      const count = last - first;
      const view = slab.view();
      if (transposeFirst) fill(view, block(a, first, last, 0, stride));
      else fill(view, block(a, 0, order, first, last));
      const beta = first === 0 ? 0 : 1;
      // Rows of the operand and steps along them, as they lie in the slab.
      const [rowStride, step, ld] = transposeFirst ? [1, order, order] : [count, 1, count];
      if (data instanceof Float32Array) {
        wasm.gram_f32(order, count, slab.pointer, rowStride, step, beta, sum.pointer, order);
      } else {
        const letter = transposeFirst ? 'N' : 'T';
        caller.blas('dsyrk', 'L', letter, order, count, { real: 1 }, slab, ld, { real: beta }, sum, order);
      }
      onProgress(last / depth);
    }
    if (into) {
      addUpper(into, sum.view());
      return into;
    }
    const result = matrix(order, order, zerosLike(doubles, order * order));
    result.data.set(sum.view());
    return result;
  });
  // NaN or infinity in a row of A is one on the diagonal of its Gram matrix.
  for (let i = 0; i < order; i++) {
    if (!Number.isFinite(g.data[i * (order + 1)])) requireFinite(task, a);
  }
  mirror(g);
  return g;
}

/** Adds the upper triangle of a matrix, the one that is computed. */
function addUpper({ rows: n, data }: Matrix<Float64Array>, more: Float64Array): void {
  for (let i = 0; i < n; i++) {
    for (let at = i * n + i; at < (i + 1) * n; at++) data[at] = data[at]! + more[at]!;
  }
}

/** Copies the upper triangle to the lower one, in tiles that the cache holds. */
function mirror({ rows: n, data }: Matrix<Float64Array>): void {
  const tile = 32;
  for (let i0 = 0; i0 < n; i0 += tile) {
    for (let j0 = 0; j0 <= i0; j0 += tile) {
      for (let i = i0; i < Math.min(n, i0 + tile); i++) {
        for (let j = j0; j < Math.min(i, j0 + tile); j++) data[i * n + j] = data[j * n + i]!;
      }
    }
  }
}
