import { coreDims, leadingVectors, orthogonalIteration, relativeError, type Tucker2Problem } from './hooi';
import type { Linalg, OnProgress } from './linalg';
import { requireThat } from './linalgInput';
import { type Matrix, matrix, type Numbers, zerosLike } from './matrix';
import { fold, type Tensor, unfold } from './tensor';
import { scaleTensor } from './tensorScale';

/** How far {@link tucker2} goes, and what it need not compute. */
export interface Tucker2Options {
  /**
   * 'hosvd' (default): both factors from x itself. 'sequential': the second one from x projected on the first, the
   * sequentially truncated HOSVD (Vannieuwenhoven, Vandebril & Meerbergen 2012). That one is never the worse start
   * and spares a Gram matrix and an eigenproblem of x.
   */
  readonly start?: 'hosvd' | 'sequential';
  /** Sweeps end when one lowers the error by less than this share of it. Default 1e-5; 0 goes on as long as anything improves. */
  readonly tolerance?: number;
  /** Default 50; 0 keeps the start. */
  readonly maxSweeps?: number;
  /** For either mode, where it is at hand: the Gram matrix of x's unfolding by that mode alone, n × n. */
  readonly grams?: readonly [Matrix<Float64Array> | undefined, Matrix<Float64Array> | undefined];
  readonly onProgress?: OnProgress;
}

/** `x ≈ core ×₁ factors[0] ×₂ factors[1]`, where ×₁ and ×₂ are the products along the two modes; in the precision of x. */
export interface Tucker2<T extends Numbers> {
  /** By mode, n × rank: orthonormal columns; the identity where the rank is n. */
  readonly factors: readonly [Matrix<T>, Matrix<T>];
  /** x projected on both factors: the dimensions of x with the two modes replaced by their ranks. */
  readonly core: Tensor<T>;
  /** ‖x − x̂‖ / ‖x‖; 0 for a zero tensor. */
  readonly error: number;
  /** The error of the start: never below `error`. */
  readonly startError: number;
  /** Sweeps over both modes; 0 where a full rank leaves at most one of them to project on. */
  readonly sweeps: number;
}

/**
 * The Tucker decomposition of two modes of a tensor: with the output and the input channels of a convolution
 * Kim et al. 2016, §3.1. It starts from the truncated higher-order SVD (De Lathauwer, De Moor & Vandewalle 2000,
 * "A multilinear singular value decomposition", property 10) and improves it by higher-order orthogonal iteration (the same
 * 2000, "On the best rank-1 and rank-(R1, …, RN) approximation", algorithm 4.2): each factor in turn becomes the leading
 * eigenvectors of the Gram matrix of x projected on the other one. No step raises the error. The end is a stationary
 * point, not always the global optimum; the start is within a factor √2 of that already.
 *
 * `modes` are two different axes of x, `ranks` are theirs, 1…n. With a full rank in one mode the higher-order SVD is
 * optimal and nothing is iterated. Throws a LinalgError: 'not-finite', 'bad-argument', or the engine's.
 */
export function tucker2<T extends Numbers>(
  linalg: Linalg,
  x: Tensor<T>,
  modes: readonly [number, number],
  ranks: readonly [number, number],
  options: Tucker2Options = {},
): Tucker2<T> {
  const task = `Tucker decomposition of a ${x.dims.join(' × ')} tensor`;
  const sizes = modes.map((mode) => x.dims[mode] ?? 0);
  requireThat(modes[0] !== modes[1], task, 'the two modes must differ.');
  for (const k of [0, 1] as const) {
    requireThat(
      Number.isInteger(ranks[k]) && ranks[k] >= 1 && ranks[k] <= sizes[k]!,
      task,
      `the rank of mode ${modes[k]} must be a whole number from 1 to ${sizes[k]}, not ${ranks[k]}.`,
    );
  }
  const { x: scaled, scale, energy } = scaleTensor(task, x);
  // Gram matrices of the unscaled tensor may have overflowed with it.
  const grams = scale === 1 ? (options.grams ?? []) : [];
  const problem: Tucker2Problem<T> = { ...options, linalg, x: scaled, modes, ranks, energy, grams };
  const full = modes.map((_, k) => ranks[k] === sizes[k]);
  const solve =
    energy === 0 || (full[0] && full[1])
      ? withoutWork<T>
      : full[0] || full[1]
        ? oneMode<T>
        : orthogonalIteration<T>;
  const result = solve(problem);
  options.onProgress?.(1);
  if (scale === 1) return result;
  return {
    ...result,
    core: { dims: result.core.dims, data: result.core.data.map((value) => value / scale) as T },
  };
}

/** A zero tensor, or full rank in both modes: columns of the identity, and what they leave of x. */
function withoutWork<T extends Numbers>({ x, modes, ranks }: Tucker2Problem<T>): Tucker2<T> {
  const dims = coreDims(x.dims, modes, ranks);
  // Shorter than x only where x is zero.
  const data = x.data.slice(
    0,
    dims.reduce((a, b) => a * b, 1),
  ) as T;
  const [one, other] = [identity(x, modes[0], ranks[0]), identity(x, modes[1], ranks[1])];
  return { factors: [one, other], core: { dims, data }, error: 0, startError: 0, sweeps: 0 };
}

/** One mode at full rank: the leading singular vectors of the other one's unfolding, and no more to gain. */
function oneMode<T extends Numbers>({
  linalg,
  x,
  modes,
  ranks,
  energy,
  grams,
}: Tucker2Problem<T>): Tucker2<T> {
  const [cut, full] = ranks[0] === x.dims[modes[0]] ? ([1, 0] as const) : ([0, 1] as const);
  const a = unfold(x, [modes[cut]]);
  const { factor, kept } = leadingVectors(linalg, grams[cut] ?? linalg.gram(a), ranks[cut], x.data);
  const core = linalg.multiply(factor, a, { transposeA: true });
  const error = relativeError(energy, kept, a.data, () => linalg.multiply(factor, core).data);
  const whole = identity(x, modes[full], ranks[full]);
  return {
    factors: cut === 0 ? [factor, whole] : [whole, factor],
    core: fold(core, [modes[cut]], coreDims(x.dims, modes, ranks)),
    error,
    startError: error,
    sweeps: 0,
  };
}

/** The first columns of the identity of the mode's size. */
function identity<T extends Numbers>({ dims, data }: Tensor<T>, mode: number, cols: number): Matrix<T> {
  const rows = dims[mode]!;
  const result = matrix(rows, cols, zerosLike(data, rows * cols));
  for (let i = 0; i < cols; i++) result.data[i * cols + i] = 1;
  return result;
}
