import { compressModes } from './compressModes';
import { nestedSvdStart } from './cpStart';
import { cpAlternation } from './cpSweep';
import { byNorm, spread, termNorms } from './cpTerms';
import { inPrecision } from './dense';
import { createDescent } from './descent';
import { type Linalg, LinalgError, type OnProgress } from './linalg';
import { requireThat } from './linalgInput';
import { type Matrix, matrix, type Numbers, zerosLike } from './matrix';
import type { Tensor } from './tensor';
import { scaleTensor } from './tensorScale';
import { transpose } from './transpose';

/** How far {@link cp} goes. */
export interface CpOptions {
  /** Sweeps end when each of five in a row lowers the error by less than this share of it. Default 1e-5. */
  readonly tolerance?: number;
  /** Default 100. */
  readonly maxSweeps?: number;
  /** The least weight λ of the terms' squared norms, see {@link cp}. Default 1e-4; 0 lets terms grow that cancel each other. */
  readonly damping?: number;
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

/** The share of the sweeps that the compressed tensor takes. */
const COMPRESSED_SHARE = 0.7;

/**
 * The canonical polyadic decomposition (CANDECOMP/PARAFAC; Harshman 1970, Carroll & Chang 1970) of a tensor of any
 * order ≥ 2 by alternating least squares (Kolda & Bader 2009, §3.4). `rank` is a whole number ≥ 1 and may exceed the
 * tensor's dimensions. The result is a local optimum, or near it where `maxSweeps` ends it.
 *
 * A best approximation need not exist: terms then grow without bound while they cancel each other (de Silva & Lim
 * 2008; Krijnen, Dijkstra & Stegeman 2008). Against that every sweep minimises ‖X − X̂‖² + λ · Σ ‖term‖², the sum that
 * Phan, Tichavský & Cichocki 2019 ("Error preserving correction") minimise at a bounded error. λ falls from 0.1 to
 * `damping`, to a hundredth of the squared error where that is less, and further wherever it would raise the error.
 * Measured on trained 3 × 3 layers: the error of plain or proximal sweeps within 0.1 %, with smaller terms. Divergence is
 * slow: what is refused is terms too large to be of use, not every tensor without a best approximation.
 *
 * A sweep starts beyond the last result in the direction of the last step, see {@link createDescent}. Where the rank is
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
  const { tolerance = 1e-5, maxSweeps = 100, damping = 1e-4, maxDegeneracy = 20 } = options;
  const { onProgress = () => {} } = options;
  const task = `CP decomposition of a ${x.dims.join(' × ')} tensor`;
  requireThat(x.dims.length >= 2, task, 'it takes two modes at least.');
  requireThat(Number.isInteger(rank) && rank >= 1, task, `the rank must be a whole number ≥ 1, not ${rank}.`);
  const { x: scaled, scale, energy } = scaleTensor(task, x);
  if (energy === 0) {
    const factors = x.dims.map((n) => matrix(n, rank, zerosLike(x.data, n * rank)));
    return { factors, error: 0, errors: [], sweeps: 0, degeneracy: 0 };
  }
  const single = x.data instanceof Float32Array;
  const descent = createDescent(energy, single, { tolerance, maxSweeps, damping, onProgress });
  const ranks = x.dims.map(() => rank);
  const small = compressModes(linalg, scaled, ranks);
  const core = small?.core ?? scaled;
  let start = spread(nestedSvdStart(linalg, core, rank));
  if (small) {
    const alternation = cpAlternation(linalg, core);
    const sweeps = Math.floor(COMPRESSED_SHARE * maxSweeps);
    start = descent
      .run(alternation, start, alternation.residual(start), sweeps)
      .map((rows, mode) => small.expand(mode, rows));
  }
  const alternation = cpAlternation(linalg, scaled);
  const rows = descent.run(alternation, start, alternation.residual(start), maxSweeps);
  const degeneracy = Math.sqrt(termNorms(rows).reduce((sum, norm) => sum + norm ** 2, 0) / energy);
  if (degeneracy > maxDegeneracy) {
    throw new LinalgError(
      'degenerate',
      `${task}: at rank ${rank} the rank-one terms are ${degeneracy.toPrecision(3)} times as large as the tensor and cancel each other; a best approximation of this rank may not exist.`,
    );
  }
  const result = byNorm(rows).map((factor) => inPrecision(x.data, factor));
  const error = Math.sqrt(alternation.residual(result) / energy);
  onProgress(1);
  const unit = scale ** (-1 / x.dims.length);
  const factors = result.map((factor) => scaledBy(unit, transpose(factor)));
  return { factors, error, errors: descent.errors, sweeps: descent.errors.length, degeneracy };
}

function scaledBy<T extends Numbers>(scale: number, a: Matrix<T>): Matrix<T> {
  return scale === 1 ? a : matrix(a.rows, a.cols, a.data.map((value) => value * scale) as T);
}
