import { balanceCores, contractCores } from './coreChain';
import type { Linalg, OnProgress } from './linalg';
import { requireThat } from './linalgInput';
import { type Numbers, zerosLike } from './matrix';
import { randomRing, ringStart } from './ringStart';
import { type RingState, searchRing } from './ringSweeps';
import { type Tensor, tensor } from './tensor';
import { scaleTensor, squaredDistance } from './tensorScale';

/** How far {@link tensorRing} goes. */
export interface TensorRingOptions {
  /** Sweeps end when one lowers the error by less than this share of it. Default 1e-5; 0 goes on as long as anything improves. */
  readonly tolerance?: number;
  /** Default 50; 0 keeps the start. */
  readonly maxSweeps?: number;
  /**
   * How many random starts are tried besides the one by truncations, each for five sweeps; the best of them all goes
   * on. Default 2. None is tried where r₀ = 1 or the order is 2.
   */
  readonly randomStarts?: number;
  readonly onProgress?: OnProgress;
}

/** A closed chain of cores whose product approximates a tensor of dimensions n₀ … n_{d−1}, in that tensor's precision. */
export interface TensorRing<T extends Numbers> {
  /** Core i is r_i × n_i × r_{i+1}, with r_d = r₀. Their norms are equal, unless the product is zero. */
  readonly cores: readonly Tensor<T>[];
  /** r₀ … r_{d−1} as used: the wanted ones, but those of a train (`clipTrainRanks`) where r₀ = 1. */
  readonly ranks: readonly number[];
  /** ‖x − x̂‖ / ‖x‖, of the cores as returned; 0 for a zero tensor. */
  readonly error: number;
  /** The same after each sweep over the cores, of those before they are rounded to the precision of x; never increasing. */
  readonly errors: readonly number[];
  /** That of the start by truncations: up to rounding never below `error`. */
  readonly startError: number;
  /** How many sweeps led to the result; those of starts that were given up are not counted. */
  readonly sweeps: number;
}

/**
 * The tensor ring of a tensor of order 2 or more: the start by sequential truncations (Zhao et al. 2016, "Tensor ring
 * decomposition", Algorithm 1), improved by alternating least squares (ibid., Algorithm 2); for the layers of networks
 * Wang et al. 2018. `ranks` are r₀ … r_{d−1}, whole numbers from 1. With r₀ = 1 it starts from the tensor train.
 *
 * Each step solves for one core G, given the others: argmin ‖X − G · B‖² + μ‖G − G_old‖² by its normal equations, in
 * double precision whatever x's. μ is so small that it matters only where the others leave G undetermined; with it no
 * step raises the error. The end is a stationary point, not always the global optimum: even a tensor that is a ring of
 * these ranks may be missed, more often from the truncations, whose first one fixes a basis that the ring's other
 * ranks need not fit, than from random cores. Therefore both are tried. The same input gives the same result.
 *
 * Throws a LinalgError: 'not-finite', 'bad-argument', or the engine's.
 */
export function tensorRing<T extends Numbers>(
  linalg: Linalg,
  x: Tensor<T>,
  ranks: readonly number[],
  { tolerance = 1e-5, maxSweeps = 50, randomStarts = 2, onProgress = () => {} }: TensorRingOptions = {},
): TensorRing<T> {
  const { dims } = x;
  const task = `Tensor ring of a ${dims.join(' × ')} tensor`;
  requireThat(
    dims.length > 1 && dims.every((n) => n > 0),
    task,
    'it has no elements, or fewer than two dimensions.',
  );
  requireThat(
    ranks.length === dims.length && ranks.every((r) => Number.isInteger(r) && r >= 1),
    task,
    `it takes ${dims.length} ranks, whole numbers from 1, not [${ranks.join(', ')}].`,
  );
  const { x: scaled, scale, energy } = scaleTensor(task, x);
  const errorOf = (cores: readonly Tensor<T>[]) =>
    energy === 0 ? 0 : Math.sqrt(squaredDistance(scaled.data, contractCores(linalg, cores).data) / energy);
  const start = balanceCores(ringStart(linalg, scaled, ranks, (done) => onProgress(START_SHARE * done)));
  const startError = errorOf(start);
  // In a train, and in a ring of two cores, the truncations are close to the best already.
  const others = ranks[0] === 1 || dims.length === 2 ? 0 : randomStarts;
  const starts: readonly RingState[] = [
    { cores: start.map((core) => inPrecision(doubles, core)), error: startError, errors: [] },
    ...Array.from({ length: others }, (_, i) => ({
      cores: randomRing(dims, ranks, i + 1),
      error: Infinity,
      errors: [],
    })),
  ];
  const found = searchRing(linalg, inPrecision(doubles, scaled), energy, starts, {
    tolerance,
    maxSweeps,
    onProgress: (done) => onProgress(START_SHARE + (1 - START_SHARE) * done),
  });
  const sweeps = found.errors.length;
  const balanced = sweeps === 0 ? start : balanceCores(found.cores.map((core) => inPrecision(x.data, core)));
  onProgress(1);
  return {
    cores: scale === 1 ? balanced : balanceCores(balanced, scale),
    ranks: balanced.map((core) => core.dims[0]!),
    error: sweeps === 0 ? startError : errorOf(balanced),
    errors: found.errors,
    startError,
    sweeps,
  };
}

/** The share of the work that the start is, for the progress report: a guess. */
const START_SHARE = 0.1;

const doubles = new Float64Array(0);

/** The tensor in the precision of `like`: itself where it has it. */
function inPrecision<T extends Numbers>(like: T, x: Tensor): Tensor<T> {
  if (x.data.constructor === like.constructor) return x as Tensor<T>;
  const data = zerosLike(like, x.data.length);
  data.set(x.data);
  return tensor(x.dims, data);
}
