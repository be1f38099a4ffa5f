import { balanceCores, contractCores } from './coreChain';
import type { Linalg, OnProgress } from './linalg';
import { requireThat } from './linalgInput';
import { type Matrix, matrix, type Numbers, zerosLike } from './matrix';
import { type Tensor, tensor } from './tensor';
import { scaleTensor, squaredDistance } from './tensorScale';
import { truncatedSvd } from './truncatedSvd';

/** A chain of cores whose product approximates a tensor of dimensions n₁ … n_d, in that tensor's precision. */
export interface TensorTrain<T extends Numbers> {
  /** Core k is r_{k−1} × n_k × r_k, with r₀ = r_d = 1. Their norms are equal, unless the product is zero. */
  readonly cores: readonly Tensor<T>[];
  /** r₁ … r_{d−1} as used: see {@link clipTrainRanks}. */
  readonly ranks: readonly number[];
  /** √(Σ tails²) / ‖x‖ over the truncations as they were made, each tail the norm of the singular values it cut. Up to rounding it is the error. */
  readonly bound: number;
  /** ‖x − x̂‖ / ‖x‖, of the cores as returned; 0 for a zero tensor. */
  readonly error: number;
}

/**
 * The tensor train of a tensor of any order by successive truncated singular value decompositions (Oseledets 2011,
 * Algorithm 1). `ranks` are r₁ … r_{d−1}, whole numbers from 1; they are clipped to what the unfoldings allow.
 *
 * The algorithm may run from either end. Both ends have the same guarantee: an error of at most √(Σ tails²) of the
 * unfoldings of x itself (theorem 2.2), so within √(d − 1) of the best train of these ranks (corollary 2.4), and no
 * less than the largest of these tails. The errors themselves differ. Taken is the end that costs fewer operations,
 * the first where they cost the same.
 *
 * Throws a LinalgError: 'not-finite', 'bad-argument', or the engine's.
 */
export function tensorTrain<T extends Numbers>(
  linalg: Linalg,
  x: Tensor<T>,
  ranks: readonly number[],
  { onProgress = () => {} }: { readonly onProgress?: OnProgress } = {},
): TensorTrain<T> {
  const { dims } = x;
  const task = `Tensor train of a ${dims.join(' × ')} tensor`;
  requireThat(dims.length > 0 && dims.every((n) => n > 0), task, 'it has no elements or no dimensions.');
  requireThat(
    ranks.length === dims.length - 1 && ranks.every((r) => Number.isInteger(r) && r >= 1),
    task,
    `it takes ${dims.length - 1} ranks, whole numbers from 1, not [${ranks.join(', ')}].`,
  );
  const { x: scaled, scale, energy } = scaleTensor(task, x);
  const used = clipTrainRanks(dims, ranks);
  const forwards = steps(dims, used);
  const backwards = steps(dims.toReversed(), used.toReversed());
  const [fromStart, fromEnd] = [forwards, backwards].map(totalWork) as [number, number];
  const { cores, lost } =
    fromStart <= fromEnd
      ? sweepForwards(linalg, scaled, forwards, onProgress)
      : sweepBackwards(linalg, scaled, backwards, onProgress);
  // Measured before the scale is undone: what x̂ is made of then is in range for sure.
  const balanced = balanceCores(cores);
  const distance = squaredDistance(scaled.data, contractCores(linalg, balanced).data);
  onProgress(1);
  return {
    cores: scale === 1 ? balanced : balanceCores(balanced, scale),
    ranks: used,
    bound: energy === 0 ? 0 : Math.sqrt(lost / energy),
    error: energy === 0 ? 0 : Math.sqrt(distance / energy),
  };
}

/**
 * The ranks r₁ … r_{d−1} that a train for these dimensions can use, the wanted ones where they can be:
 * r_k ≤ r_{k−1} · n_k and r_k ≤ n_{k+1} · r_{k+1}, and with that no more than either side of the unfolding has.
 */
export function clipTrainRanks(dims: readonly number[], ranks: readonly number[]): readonly number[] {
  const clipped = [...ranks];
  for (let k = 0, most = 1; k < ranks.length; k++) {
    most = Math.min(clipped[k]!, most * dims[k]!);
    clipped[k] = most;
  }
  for (let k = ranks.length - 1, most = 1; k >= 0; k--) {
    most = Math.min(clipped[k]!, most * dims[k + 1]!);
    clipped[k] = most;
  }
  return clipped;
}

/** One truncation: `rank` of the singular values of an unfolding with r_{k−1} · n_k on one side and `rest` on the other. */
interface Step {
  readonly n: number;
  readonly before: number;
  readonly rest: number;
  readonly rank: number;
  /** About how many multiplications it takes: Gram matrix, eigenproblem, product. */
  readonly work: number;
}

function steps(dims: readonly number[], ranks: readonly number[]): readonly Step[] {
  let rest = dims.reduce((a, b) => a * b, 1);
  return ranks.map((rank, k) => {
    const n = dims[k]!;
    rest /= n;
    const before = ranks[k - 1] ?? 1;
    const [fewer, more] = [Math.min(before * n, rest), Math.max(before * n, rest)];
    return { n, before, rest, rank, work: fewer * fewer * (more + 3 * fewer) + 2 * fewer * more * rank };
  });
}

function totalWork(all: readonly Step[]): number {
  return all.reduce((sum, { work }) => sum + work, 0);
}

/** The cores, the last one holding all the scale, and Σ tails². */
interface Sweep<T extends Numbers> {
  readonly cores: readonly Tensor<T>[];
  readonly lost: number;
}

function sweepForwards<T extends Numbers>(
  linalg: Linalg,
  x: Tensor<T>,
  all: readonly Step[],
  onProgress: OnProgress,
): Sweep<T> {
  const cores: Tensor<T>[] = [];
  let carried = x.data;
  const lost = runSteps(all, onProgress, ({ n, before, rest, rank }, part) => {
    const { sigma, left, right } = truncatedSvd(linalg, matrix(before * n, rest, carried), rank, part);
    // What is carried on keeps all of σ, so that the next truncation weighs it by what it is worth.
    cores.push(tensor([before, n, rank], scaleColumns(left, sigma, -0.5).data));
    carried = scaleRows(right, sigma, 0.5).data;
    return sigma;
  });
  const before = all.at(-1)?.rank ?? 1;
  return { cores: [...cores, tensor([before, x.dims.at(-1)!, 1], carried)], lost };
}

/** The same from the other end, on the same memory: no axis has to be moved. */
function sweepBackwards<T extends Numbers>(
  linalg: Linalg,
  x: Tensor<T>,
  all: readonly Step[],
  onProgress: OnProgress,
): Sweep<T> {
  const cores: Tensor<T>[] = [];
  let carried = x.data;
  const lost = runSteps(all, onProgress, ({ n, before, rest, rank }, part) => {
    const { sigma, left, right } = truncatedSvd(linalg, matrix(rest, n * before, carried), rank, part);
    cores.unshift(tensor([rank, n, before], scaleRows(right, sigma, -0.5).data));
    carried = scaleColumns(left, sigma, 0.5).data;
    return sigma;
  });
  const before = all.at(-1)?.rank ?? 1;
  return { cores: [tensor([1, x.dims[0]!, before], carried), ...cores], lost };
}

/** Runs the truncations, each of which returns all its singular values, and adds up what they cut. */
function runSteps(
  all: readonly Step[],
  onProgress: OnProgress,
  run: (step: Step, part: OnProgress) => Float64Array,
): number {
  const total = totalWork(all);
  let [done, lost] = [0, 0];
  for (const step of all) {
    const before = done;
    const sigma = run(step, (share) => onProgress((before + share * step.work) / total));
    for (let i = step.rank; i < sigma.length; i++) lost += sigma[i]! ** 2;
    done += step.work;
  }
  return lost;
}

/** m · diag(σ^power); a direction without energy is zero. */
function scaleColumns<T extends Numbers>(m: Matrix<T>, sigma: Float64Array, power: number): Matrix<T> {
  const scales = powers(sigma, power);
  const data = zerosLike(m.data, m.data.length);
  for (let at = 0; at < data.length; at += m.cols) {
    for (let j = 0; j < m.cols; j++) data[at + j] = m.data[at + j]! * scales[j]!;
  }
  return { ...m, data };
}

/** diag(σ^power) · m. */
function scaleRows<T extends Numbers>(m: Matrix<T>, sigma: Float64Array, power: number): Matrix<T> {
  const scales = powers(sigma, power);
  const data = zerosLike(m.data, m.data.length);
  for (let i = 0, at = 0; i < m.rows; i++) {
    for (const end = at + m.cols; at < end; at++) data[at] = m.data[at]! * scales[i]!;
  }
  return { ...m, data };
}

function powers(sigma: Float64Array, power: number): Float64Array {
  return sigma.map((value) => (value > 0 ? value ** power : 0));
}
