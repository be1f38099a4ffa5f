import type { OnProgress } from './linalg';

/** Alternating least squares over one tensor, `S` being its factors. */
export interface Alternation<S> {
  /** ‖X‖² of the tensor it works on. */
  readonly energy: number;
  /**
   * Updates every factor once from `current`, or from a point beyond it as seen from `previous`, with λ as the weight
   * of the terms' squared norms. Without `previous` it keeps ‖X − X̂‖² from rising above `ceiling`.
   */
  sweep(current: S, previous: S | undefined, lambda: number, ceiling: number): Swept<S>;
}

/** What a sweep ends with. */
export interface Swept<S> {
  readonly next: S;
  /** The `current` of the sweep, in such coordinates that a difference to `next` makes sense. */
  readonly previous: S | undefined;
  /** ‖X − X̂‖², to the precision of X's products: values about 0 are rounding. */
  readonly residual: number;
}

/** How long a {@link createDescent} goes on. */
export interface DescentOptions {
  /** It ends when each of five sweeps in a row lowers the error by less than this share of it. */
  readonly tolerance: number;
  readonly maxSweeps: number;
  /** The λ of late sweeps. */
  readonly damping: number;
  readonly onProgress: OnProgress;
}

/** One sweep that gains little may be one that passes a saddle point. */
const QUIET = 5;

/** How far a sweep starts beyond the last result, as a share of the last step. Measured: 0.8 halves the sweeps at least. */
const EXTRAPOLATION = 0.8;

/** The point that much beyond `current`. */
export function beyond(previous: Float64Array, current: Float64Array): Float64Array {
  const out = new Float64Array(current.length);
  for (let i = 0; i < out.length; i++) out[i] = current[i]! + EXTRAPOLATION * (current[i]! - previous[i]!);
  return out;
}

/**
 * Sweeps until they gain no more, first over a compressed tensor perhaps, then over the whole one of squared norm
 * `energy`. A sweep starts beyond the last result (extrapolation with restarts: Ang, Cohen, Hien & Gillis 2020,
 * "Extrapolated alternating algorithms for approximate canonical polyadic decomposition"); where that raises the
 * error it is taken back, and the next sweep starts from the result itself. `single` says that products of the tensor
 * are single precision.
 */
export function createDescent(energy: number, single: boolean, options: DescentOptions) {
  const { tolerance, maxSweeps, damping, onProgress } = options;
  const errors: number[] = [];
  const run = <S>(problem: Alternation<S>, start: S, startResidual: number, limit: number): S => {
    // What a projection has left out is lost for all factors alike.
    const outside = Math.max(0, energy - problem.energy);
    // Below this the residual is rounding.
    const floor = problem.energy * (single ? 1e-8 : 1e-15);
    let state = start;
    let previous: S | undefined;
    let residual = startResidual;
    let quiet = 0;
    while (errors.length < limit && residual > floor) {
      const last = errors.at(-1) ?? Infinity;
      // Terms weigh much at first, and no more than little beside the error towards an exact decomposition.
      const lambda = Math.min(Math.max(0.1 * 0.7 ** errors.length, damping), 0.01 * last ** 2);
      const swept = problem.sweep(state, previous, lambda, residual);
      const extrapolated = previous !== undefined;
      const better = swept.residual < residual;
      previous = better ? swept.previous : undefined;
      if (better) ({ next: state, residual } = swept);
      const error = Math.min(last, Math.sqrt((Math.max(0, residual) + outside) / energy));
      errors.push(error);
      onProgress((0.98 * errors.length) / maxSweeps);
      quiet = last - error < tolerance * last ? quiet + 1 : 0;
      if (better ? quiet === QUIET : !extrapolated) break;
    }
    return state;
  };
  return {
    /** ‖X − X̂‖ / ‖X‖ after each sweep, never increasing. */
    errors: errors as readonly number[],
    /** Goes on from `start`, whose ‖X − X̂‖² on the problem's tensor is given, until `limit` sweeps are done, all runs together. */
    run,
  };
}
