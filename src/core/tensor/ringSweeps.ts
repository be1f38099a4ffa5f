import { balanceCores, mergeCores } from './coreChain';
import type { Linalg, OnProgress } from './linalg';
import { type Matrix, matrix } from './matrix';
import { proximalLeastSquares } from './proximalLeastSquares';
import { fold, type Tensor, unfold } from './tensor';
import { squaredDistance } from './tensorScale';
import { transpose } from './transpose';

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
  const rows = matrix(x.dims[0]!, x.data.length / x.dims[0]!, x.data);
  const trial = Math.min(maxSweeps, TRIAL_SWEEPS);
  const most = starts.length * trial + maxSweeps - trial;
  let sweeps = 0;
  const onSweep = () => onProgress(++sweeps / most);
  const tried = starts.map((start) =>
    improve(linalg, rows, energy, start, { tolerance, maxSweeps: trial }, onSweep),
  );
  const best = tried.reduce((one, other) => (other.error < one.error ? other : one));
  return improve(linalg, rows, energy, best, { tolerance, maxSweeps: maxSweeps - trial }, onSweep);
}

/**
 * Sweeps until one lowers the error by no more than `tolerance` of it. One that rounding made worse is undone and
 * ends them.
 */
function improve(
  linalg: Linalg,
  rows: Matrix<Float64Array>,
  energy: number,
  start: RingState,
  { tolerance, maxSweeps }: Limits,
  onSweep: () => void,
): RingState {
  let state = start;
  for (let sweep = 0; sweep < maxSweeps; sweep++) {
    const { cores, distance } = sweepOnce(linalg, rows, state.cores);
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

/** Solves for each core in turn, given all the others as they are by then; and ‖x − x̂‖² after the last one. `x` is n₀ × rest. */
function sweepOnce(
  linalg: Linalg,
  x: Matrix<Float64Array>,
  start: readonly Tensor<Float64Array>[],
): { readonly cores: readonly Tensor<Float64Array>[]; readonly distance: number } {
  const cores = [...start];
  let rows = x;
  let distance = 0;
  for (const [k, core] of start.entries()) {
    // x's unfolding by axis k, the others after it in cyclic order: the one by the axis before, turned.
    if (k > 0) rows = matrix(core.dims[1]!, x.data.length / core.dims[1]!, transpose(rows).data);
    const others = unfold(mergeCores(linalg, [...cores.slice(k + 1), ...cores.slice(0, k)]), [2, 0]);
    const solution = proximalLeastSquares(linalg, rows, others, unfold(core, [1]));
    cores[k] = fold(solution, [1], core.dims);
    if (k === start.length - 1) distance = squaredDistance(rows.data, linalg.multiply(solution, others).data);
  }
  return { cores, distance };
}
