import type { Linalg } from './linalg';
import { type Matrix, matrix, type Numbers, zerosLike } from './matrix';
import { permuteAxes } from './permute';
import { fold, type Tensor, unfold } from './tensor';
import { squaredDistance } from './tensorScale';
import { transpose } from './transpose';
import type { Tucker2, Tucker2Options } from './tucker2';

/** What `tucker2` has checked and brought into range. */
export interface Tucker2Problem<T extends Numbers> extends Omit<Tucker2Options, 'grams'> {
  readonly linalg: Linalg;
  readonly x: Tensor<T>;
  readonly modes: readonly [number, number];
  readonly ranks: readonly [number, number];
  /** ‖x‖², above 0. */
  readonly energy: number;
  /** By mode, where known: the Gram matrix of x unfolded by it. */
  readonly grams: readonly (Matrix<Float64Array> | undefined)[];
}

/** One mode, and the layout of x that a projection on it is one plain product of. */
interface Side<T extends Numbers> {
  readonly n: number;
  readonly rank: number;
  /** (n of the other mode · t) × n: times a factor it is the other mode's unfolding of the projected tensor. */
  readonly layout: Matrix<T>;
}

/**
 * Higher-order orthogonal iteration over two modes, both of rank below n; see
 * `tucker2`. A sweep is two products, two Gram matrices and two eigenproblems: x is kept in two layouts, so that
 * nothing is permuted between them.
 */
export function orthogonalIteration<T extends Numbers>(problem: Tucker2Problem<T>): Tucker2<T> {
  const { linalg, x, modes, ranks, energy, grams } = problem;
  const { tolerance = 1e-5, maxSweeps = 50, onProgress = () => {} } = problem;
  const { start = 'hosvd' } = problem;
  const sides = layouts(x, modes, ranks);
  // The mode that shrinks the most goes first: what it leaves is what the rest of the first sweep costs.
  const [first, second] =
    sides[0].n * ranks[1] >= sides[1].n * ranks[0] ? ([0, 1] as const) : ([1, 0] as const);
  const [a, b] = [sides[first], sides[second]];
  const lead = (gram: Matrix<Float64Array>, { rank }: Side<T>) => leadingVectors(linalg, gram, rank, x.data);

  let forA = lead(grams[first] ?? linalg.gram(rowsOf(a, b.layout)), a);
  onProgress(0.1);
  const gramForB = () => linalg.gram(rowsOf(b, linalg.multiply(a.layout, forA.factor)));
  const ofStart = gramForB();
  onProgress(0.2);
  let forB = lead(start === 'sequential' ? ofStart : (grams[second] ?? linalg.gram(rowsOf(b, a.layout))), b);
  let kept = start === 'sequential' ? forB.kept : energyWithin(linalg, ofStart, forB.vectors);
  onProgress(0.3);
  const startError = Math.sqrt(Math.max(0, 1 - kept / energy));
  let projected: Matrix<T> | undefined;
  let sweeps = 0;
  for (let before = startError, gain = Infinity; sweeps < maxSweeps && gain > tolerance * before; sweeps++) {
    // The sequential start has gone the first step already.
    if (sweeps > 0 || start !== 'sequential') forB = lead(sweeps === 0 ? ofStart : gramForB(), b);
    projected = rowsOf(a, linalg.multiply(b.layout, forB.factor));
    forA = lead(linalg.gram(projected), a);
    kept = forA.kept;
    const now = Math.sqrt(Math.max(0, 1 - kept / energy));
    gain = before - now;
    before = now;
    // How many more there will be is not known: half of the rest in four.
    onProgress(1 - 0.7 * 0.84 ** (sweeps + 1));
  }
  projected ??= rowsOf(a, linalg.multiply(b.layout, forB.factor));
  const core = linalg.multiply(forA.factor, projected, { transposeA: true });
  const error = relativeError(energy, kept, b.layout.data, () => {
    const { data } = linalg.multiply(forA.factor, core);
    return linalg.multiply(matrix(data.length / b.rank, b.rank, data), forB.factor, { transposeB: true })
      .data;
  });
  const t = core.cols / b.rank;
  const inOrder = first === 0 ? [0, 2, 1] : [2, 0, 1];
  const ordered = permuteAxes(core.data, [a.rank, t, b.rank], inOrder);
  return {
    factors: first === 0 ? [forA.factor, forB.factor] : [forB.factor, forA.factor],
    core: fold(matrix(ranks[0] * ranks[1], t, ordered), modes, coreDims(x.dims, modes, ranks)),
    error,
    // Below `error` by rounding only: the start's is the less exact of the two figures.
    startError: Math.max(error, startError),
    sweeps,
  };
}

/** With x as n₀ × n₁ × t: (n₁·t) × n₀ and (n₀·t) × n₁. */
function layouts<T extends Numbers>(
  x: Tensor<T>,
  modes: readonly [number, number],
  ranks: readonly [number, number],
): readonly [Side<T>, Side<T>] {
  const [n0, n1] = [x.dims[modes[0]]!, x.dims[modes[1]]!];
  const { data } = unfold(x, modes);
  const t = data.length / (n0 * n1);
  return [
    { n: n0, rank: ranks[0], layout: transpose(matrix(n0, n1 * t, data)) },
    { n: n1, rank: ranks[1], layout: matrix(n0 * t, n1, permuteAxes(data, [n0, n1, t], [0, 2, 1])) },
  ];
}

/** The same numbers as the unfolding by this side's mode. */
function rowsOf<T extends Numbers>({ n }: Side<T>, { data }: Matrix<T>): Matrix<T> {
  return matrix(n, data.length / n, data);
}

/**
 * The leading eigenvectors of a Gram matrix: as the rows they are computed in, as a factor n × rank in the precision
 * of `like`, and the sum of their eigenvalues, the energy they keep.
 */
export function leadingVectors<T extends Numbers>(
  linalg: Linalg,
  gram: Matrix<Float64Array>,
  rank: number,
  like: T,
): { readonly vectors: Matrix<Float64Array>; readonly factor: Matrix<T>; readonly kept: number } {
  const { values, vectors } = linalg.eigh(gram, rank);
  const columns = transpose(vectors);
  const data = zerosLike(like, columns.data.length);
  data.set(columns.data);
  let kept = 0;
  for (let i = 0; i < rank; i++) kept += values[i]!;
  return { vectors, factor: matrix(columns.rows, rank, data), kept };
}

/** tr(V · G · Vᵀ): the energy that orthonormal rows keep. */
function energyWithin(linalg: Linalg, gram: Matrix<Float64Array>, vectors: Matrix<Float64Array>): number {
  const image = linalg.multiply(vectors, gram).data;
  let sum = 0;
  for (let i = 0; i < image.length; i++) sum += image[i]! * vectors.data[i]!;
  return sum;
}

/** Below this squared error, 1 − ‖core‖² / ‖x‖² has lost too many digits. */
const SMALL_IN_SINGLE = 1e-2;
const SMALL_IN_DOUBLE = 1e-8;

/** ‖x − x̂‖ / ‖x‖ from the energy that is kept, or where that would cancel from the approximation itself. */
export function relativeError<T extends Numbers>(
  energy: number,
  kept: number,
  data: T,
  approximation: () => T,
): number {
  const lost = 1 - kept / energy;
  if (lost > (data instanceof Float32Array ? SMALL_IN_SINGLE : SMALL_IN_DOUBLE)) return Math.sqrt(lost);
  return Math.sqrt(squaredDistance(data, approximation()) / energy);
}

/** The dimensions of a tensor with these modes replaced by their ranks. */
export function coreDims(
  dims: readonly number[],
  modes: readonly number[],
  ranks: readonly number[],
): readonly number[] {
  return dims.map((n, axis) => ranks[modes.indexOf(axis)] ?? n);
}
