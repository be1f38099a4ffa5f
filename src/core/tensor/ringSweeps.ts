import { balanceCores, contractCores, identityCore, mergeCores } from './coreChain';
import type { Linalg, OnProgress } from './linalg';
import { proximalLeastSquares } from './proximalLeastSquares';
import {
  contractFirstHalf,
  contractSecondHalf,
  normalMatrix,
  targetInFirstHalf,
  targetInSecondHalf,
} from './ringEquations';
import { fold, type Tensor, unfold } from './tensor';
import { squaredDistance } from './tensorScale';

/** A start, or what sweeps have made of it. */
export interface RingState {
  readonly cores: readonly Tensor<Float64Array>[];
  /** ‖x − x̂‖ / ‖x‖ of the cores; infinite for a start that nobody has measured. */
  readonly error: number;
  /** The same after each sweep so far; never increasing. */
  readonly errors: readonly number[];
}

/** How far the sweeps go; see `TensorRingOptions`. */
interface Limits {
  readonly tolerance: number;
  readonly maxSweeps: number;
}

/** How many sweeps each start gets before the best one goes on alone. */
const TRIAL_SWEEPS = 5;

/**
 * A few sweeps of alternating least squares over the cores of a ring (Zhao et al. 2016, Algorithm 2) from each start,
 * the rest from where they led furthest. `energy` is ‖x‖²; for a zero tensor the first start is the answer.
 */
export function searchRing(
  linalg: Linalg,
  x: Tensor<Float64Array>,
  energy: number,
  starts: readonly RingState[],
  { tolerance, maxSweeps, onProgress }: Limits & { readonly onProgress: OnProgress },
): RingState {
  const [first] = starts as readonly [RingState];
  if (energy === 0 || maxSweeps === 0) return first;
  const trial = Math.min(maxSweeps, TRIAL_SWEEPS);
  const most = starts.length * trial + maxSweeps - trial;
  let sweeps = 0;
  const onSweep = () => onProgress(++sweeps / most);
  const tried = starts.map((start) =>
    improve(linalg, x, energy, start, { tolerance, maxSweeps: trial }, onSweep),
  );
  const best = tried.reduce((one, other) => (other.error < one.error ? other : one));
  return improve(linalg, x, energy, best, { tolerance, maxSweeps: maxSweeps - trial }, onSweep);
}

/**
 * Sweeps until one lowers the error by no more than `tolerance` of it. One that rounding made worse is undone and
 * ends them.
 */
function improve(
  linalg: Linalg,
  x: Tensor<Float64Array>,
  energy: number,
  start: RingState,
  { tolerance, maxSweeps }: Limits,
  onSweep: () => void,
): RingState {
  let state = start;
  for (let sweep = 0; sweep < maxSweeps; sweep++) {
    const { cores, distance } = sweepOnce(linalg, x, state.cores);
    const error = Math.sqrt(distance / energy);
    onSweep();
    if (!(error <= state.error)) break;
    const gain = state.error - error;
    // Balanced, so that no core is far from the range of the others, and μ means the same for each.
    state = { cores: balanceCores(cores), error, errors: [...state.errors, error] };
    if (gain <= tolerance * error) break;
  }
  return state;
}

/** Solves for each core in turn, the others as they are by then; and ‖x − x̂‖² after the last one. */
function sweepOnce(
  linalg: Linalg,
  x: Tensor<Float64Array>,
  start: readonly Tensor<Float64Array>[],
): { readonly cores: readonly Tensor<Float64Array>[]; readonly distance: number } {
  // The cores after each one, merged, as the start has them: each is used before any of them changes.
  const after = [identityCore(start.at(-1)!)];
  for (const core of start.slice(1).toReversed()) after.unshift(mergeCores(linalg, [core, after[0]!]));
  let before = identityCore(start.at(-1)!);
  const middle = Math.ceil(start.length / 2);
  const cores: Tensor<Float64Array>[] = [];
  let contracted = contractSecondHalf(linalg, x, after[middle - 1]!);
  for (const [k, old] of start.entries()) {
    if (k === middle) contracted = contractFirstHalf(linalg, x, before);
    const target =
      k < middle
        ? targetInFirstHalf(linalg, contracted, before, mergeBetween(linalg, start.slice(k + 1, middle), old))
        : targetInSecondHalf(
            linalg,
            contracted,
            mergeBetween(linalg, cores.slice(middle), cores.at(-1)!),
            after[k]!,
          );
    const normal = normalMatrix(linalg, before, after[k]!);
    const solution = proximalLeastSquares(linalg, normal, target, unfold(old, [0, 2]));
    const core = fold(solution, [0, 2], old.dims);
    cores.push(core);
    // All of them merged would be x itself, r₀² times.
    if (k < start.length - 1) before = mergeCores(linalg, [before, core]);
  }
  return { cores, distance: squaredDistance(x.data, contractCores(linalg, cores).data) };
}

/** The product of a chain; without cores, the identity on the last rank of the core before it. */
function mergeBetween(
  linalg: Linalg,
  chain: readonly Tensor<Float64Array>[],
  previous: Tensor<Float64Array>,
): Tensor<Float64Array> {
  return chain.length === 0 ? identityCore(previous) : mergeCores(linalg, chain);
}
