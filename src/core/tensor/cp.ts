import { compress, nestedSvdStart } from './cpStart';
import { type CpProblem, cpProblem, type Rows } from './cpSweep';
import { inPrecision } from './dense';
import { type Linalg, LinalgError, type OnProgress } from './linalg';
import { requireThat } from './linalgInput';
import { type Matrix, matrix, type Numbers, zerosLike } from './matrix';
import type { Tensor } from './tensor';
import { scaleTensor, sumOfSquares } from './tensorScale';
import { transpose } from './transpose';

/** How far {@link cp} goes. */
export interface CpOptions {
  /** Sweeps end when one lowers the error by less than this share of it. Default 1e-5. */
  readonly tolerance?: number;
  /** Default 100. */
  readonly maxSweeps?: number;
  /** Refuse a result whose {@link Cp.degeneracy} is above this. Default 20: rounding the factors to 16 bits then costs up to 1 % of ‖X‖. */
  readonly maxDegeneracy?: number;
  readonly onProgress?: OnProgress;
}

/** `x ≈ Σᵣ factors[0][·, r] ⊗ factors[1][·, r] ⊗ …`, in the precision of x. */
export interface Cp<T extends Numbers> {
  /** For each mode nᵢ × rank. The norm of a term is spread evenly over its columns, terms by descending norm. */
  readonly factors: readonly Matrix<T>[];
  /** ‖X − X̂‖ / ‖X‖ of these factors, measured on the difference itself; 0 for a zero tensor. */
  readonly error: number;
  /** The same after each sweep, never increasing; by a shorter formula, which float32 lets see errors above some 1e-3 only. */
  readonly errors: readonly number[];
  readonly sweeps: number;
  /** √(Σ ‖rank-one term‖²) / ‖X‖: 1 or less for orthogonal terms, large where large terms cancel each other. */
  readonly degeneracy: number;
}

/** Factors as far as the sweeps have come, and their ‖X − X̂‖². */
interface State {
  readonly factors: Rows;
  readonly residual: number;
}

/** How far each sweep starts beyond the last result, as a share of the last step. */
const EXTRAPOLATION = 0.8;
/** The share of the sweeps that the compressed tensor takes. */
const COMPRESSED_SHARE = 0.6;

/**
 * The canonical polyadic decomposition (CANDECOMP/PARAFAC; Harshman 1970, Carroll & Chang 1970) of a tensor of any
 * order ≥ 2 by alternating least squares (Kolda & Bader 2009, §3.4). `rank` is a whole number ≥ 1 and may exceed the
 * tensor's dimensions. The result is a local optimum, or near it where `maxSweeps` ends it.
 *
 * A best approximation need not exist: terms then grow without bound while they cancel each other (de Silva & Lim
 * 2008; Krijnen, Dijkstra & Stegeman 2008). Against that every sweep minimises ‖X − X̂‖² + λ · Σ ‖term‖² (the sum
 * that Phan, Tichavský & Cichocki 2019 bound), λ from 0.1 falling to 1e-6, less wherever it would raise the error.
 * A sweep starts a little beyond the last result in the direction of the last step (Ang, Cohen, Hien & Gillis 2020,
 * with restarts), which halves their number at least; a start that raises the error is taken back. Where the rank is
 * below the dimensions the first sweeps work on X projected on its leading singular vectors, the last ones on X.
 *
 * Throws a LinalgError: 'not-finite', 'bad-argument', 'degenerate' (terms above `maxDegeneracy`), or the engine's.
 */
export function cp<T extends Numbers>(
  linalg: Linalg,
  x: Tensor<T>,
  rank: number,
  options: CpOptions = {},
): Cp<T> {
  const { tolerance = 1e-5, maxSweeps = 100, maxDegeneracy = 20, onProgress = () => {} } = options;
  const task = `CP decomposition of a ${x.dims.join(' × ')} tensor`;
  requireThat(x.dims.length >= 2, task, 'it takes two modes at least.');
  requireThat(Number.isInteger(rank) && rank >= 1, task, `the rank must be a whole number ≥ 1, not ${rank}.`);
  const { x: scaled, scale, energy } = scaleTensor(task, x);
  if (energy === 0) {
    const factors = x.dims.map((n) => matrix(n, rank, zerosLike(x.data, n * rank)));
    return { factors, error: 0, errors: [], sweeps: 0, degeneracy: 0 };
  }
  const errors: number[] = [];
  const descend = (problem: CpProblem, start: Rows, limit: number): Rows => {
    // What a projection has left out is lost for all factors alike.
    const outside = Math.max(0, energy - problem.energy);
    // Below this the sweeps' residual is rounding, and so is any difference.
    const floor = problem.energy * (x.data instanceof Float32Array ? 1e-8 : 1e-15);
    const reached = errors.length === 0 ? Infinity : errors.at(-1)! ** 2 * energy - outside;
    let state: State = { factors: spread(start), residual: reached };
    let previous: Rows | undefined;
    while (errors.length < limit) {
      const lambda = Math.max(0.1 * 0.7 ** errors.length, 1e-6);
      const from = previous ? beyond(previous, state.factors) : state.factors;
      const ceiling = previous || state.residual === Infinity ? undefined : state.residual;
      const next = problem.sweep(from, lambda, ceiling);
      const last = errors.at(-1) ?? Infinity;
      const better = next.residual < state.residual;
      if (better) {
        previous = state.residual === Infinity ? undefined : state.factors;
        state = { factors: spread(next.factors), residual: next.residual };
      }
      errors.push(Math.min(last, Math.sqrt((Math.max(0, state.residual) + outside) / energy)));
      onProgress((errors.length / maxSweeps) * 0.98);
      if (state.residual <= floor) break;
      const settled = last - errors.at(-1)! < tolerance * last;
      if (better ? settled : !previous) break;
      if (!better) previous = undefined;
    }
    return state.factors;
  };

  const small = compress(linalg, scaled, rank);
  const core = small?.core ?? scaled;
  let start = nestedSvdStart(linalg, core, rank);
  if (small) {
    start = small.expand(descend(cpProblem(linalg, core), start, Math.floor(COMPRESSED_SHARE * maxSweeps)));
  }
  const problem = cpProblem(linalg, scaled);
  const rows = descend(problem, start, maxSweeps);
  const degeneracy = Math.sqrt(termNorms(rows).reduce((sum, norm) => sum + norm ** 2, 0) / energy);
  if (degeneracy > maxDegeneracy) {
    throw new LinalgError(
      'degenerate',
      `${task}: at rank ${rank} the rank-one terms are ${degeneracy.toPrecision(3)} times as large as the tensor and cancel each other; a best approximation of this rank may not exist.`,
    );
  }
  const result = byNorm(rows).map((factor) => inPrecision(x.data, factor));
  const error = Math.sqrt(problem.residual(result) / energy);
  onProgress(1);
  const unit = scale ** (-1 / x.dims.length);
  const factors = result.map((factor) => scaledBy(unit, transpose(factor)));
  return { factors, error, errors, sweeps: errors.length, degeneracy };
}

/** The factors with the norm of each term spread evenly over its rows. */
function spread(factors: Rows): Rows {
  const norms = factors.map(rowNorms);
  const terms = termNorms(factors);
  return factors.map((factor, mode) => {
    const data = factor.data.map((value, at) => {
      const r = Math.floor(at / factor.cols);
      return terms[r] === 0 ? 0 : (value / norms[mode]![r]!) * terms[r]! ** (1 / factors.length);
    });
    return matrix(factor.rows, factor.cols, data);
  });
}

/** The factors with their terms by descending norm. */
function byNorm(factors: Rows): Rows {
  const norms = termNorms(factors);
  const order = Array.from(norms.keys()).sort((a, b) => norms[b]! - norms[a]!);
  return factors.map(({ rows, cols, data }) => {
    const out = new Float64Array(data.length);
    for (const [r, from] of order.entries()) out.set(data.subarray(from * cols, (from + 1) * cols), r * cols);
    return matrix(rows, cols, out);
  });
}

/** The norm of each rank-one term. */
function termNorms(factors: Rows): Float64Array {
  const norms = factors.map(rowNorms);
  return norms[0]!.map((_, r) => norms.reduce((product, norm) => product * norm[r]!, 1));
}

function rowNorms({ rows, cols, data }: Matrix<Float64Array>): Float64Array {
  return Float64Array.from({ length: rows }, (_, r) =>
    Math.sqrt(sumOfSquares(data.subarray(r * cols, (r + 1) * cols))),
  );
}

/** current + EXTRAPOLATION · (current − previous). */
function beyond(previous: Rows, current: Rows): Rows {
  return current.map(({ rows, cols, data }, mode) => {
    const before = previous[mode]!.data;
    return matrix(
      rows,
      cols,
      data.map((value, at) => value + EXTRAPOLATION * (value - before[at]!)),
    );
  });
}

function scaledBy<T extends Numbers>(scale: number, a: Matrix<T>): Matrix<T> {
  return scale === 1 ? a : matrix(a.rows, a.cols, a.data.map((value) => value * scale) as T);
}
