import { spread } from './cpTerms';
import { dampedSolve, leastDamping } from './dampedSolve';
import { columnsOf, inPrecision } from './dense';
import { type Alternation, beyond } from './descent';
import type { Linalg } from './linalg';
import { type Matrix, matrix, type Numbers } from './matrix';
import type { Tensor } from './tensor';
import { squaredDistance, sumOfSquares } from './tensorScale';

/** Factors as the sweeps keep them: rank × nᵢ, in double precision, one for each mode. */
export type Rows = readonly Matrix<Float64Array>[];

/** Alternating least squares over one tensor. */
export interface CpAlternation extends Alternation<Rows> {
  /** ‖X − X̂‖², the difference itself summed up: exact where the short formula of a sweep cancels. */
  residual(factors: readonly Matrix[]): number;
}

/** Elements of X̂ that are held at a time while the residual is summed up. */
const SLAB = 2 ** 20;

/**
 * The sweeps over `x`. Its modes are split into two halves, x lying in memory as their matrix; one product of x with
 * the Khatri–Rao product of one half serves all modes of the other (the idea of Phan, Tichavský & Cichocki 2013, "Fast
 * alternating LS algorithms for high order CP tensor factorizations"), so that a sweep costs two products of x,
 * 4 · ∏n · rank operations. Nothing is held that is larger than rank times the larger half.
 */
export function cpAlternation<T extends Numbers>(linalg: Linalg, x: Tensor<T>): CpAlternation {
  const { dims } = x;
  const half = balancedSplit(dims);
  const size = (modes: readonly number[]) => modes.reduce((count, mode) => count * dims[mode]!, 1);
  const modes = dims.map((_, mode) => mode);
  const halves = [modes.slice(0, half), modes.slice(half)] as const;
  const unfolded = matrix(size(halves[0]), size(halves[1]), x.data);
  const energy = sumOfSquares(x.data);
  const least = leastDamping(x.data);

  return {
    energy,
    sweep(current, previous, lambda, ceiling) {
      const factors = previous ? pointBeyond(previous, current) : [...current];
      const grams = factors.map((factor, mode) => (mode === 0 ? factor : linalg.gram(factor)));
      let residual = previous ? Infinity : ceiling;
      for (const [side, own] of halves.entries()) {
        const other = khatriRao(halves[1 - side]!.map((mode) => factors[mode]!));
        const product = linalg.multiply(inPrecision(x.data, other), unfolded, { transposeB: side === 0 });
        for (const mode of own) {
          const before = own.filter((m) => m < mode).map((m) => factors[m]!);
          const after = own.filter((m) => m > mode).map((m) => factors[m]!);
          const target = contract(product, before, dims[mode]!, after);
          const normal = hadamard(grams.filter((_, m) => m !== mode));
          const update = dampedSolve(linalg, energy, normal, target, 1, [lambda, least], residual);
          if (update === undefined) {
            // Rounding alone stands between the old factor and the best one.
            grams[mode] = linalg.gram(factors[mode]!);
            continue;
          }
          factors[mode] = update.factor;
          grams[mode] = update.gram;
          residual = update.residual;
        }
      }
      return { next: spread(factors), previous: current, residual };
    },
    residual(factors) {
      const [left, right] = halves.map((own) => inPrecision(x.data, khatriRao(own.map((m) => factors[m]!))));
      const slab = Math.max(1, Math.floor(SLAB / unfolded.cols));
      let sum = 0;
      for (let first = 0; first < unfolded.rows; first += slab) {
        const rows = Math.min(slab, unfolded.rows - first);
        const part = linalg.multiply(columnsOf(left!, first, rows), right!, { transposeA: true }).data;
        const offset = first * unfolded.cols;
        sum += squaredDistance(part, x.data.subarray(offset, offset + part.length) as T);
      }
      return sum;
    },
  };
}

/** The point beyond `current` that a sweep starts from. */
function pointBeyond(previous: Rows, current: Rows): Matrix<Float64Array>[] {
  return current.map(({ rows, cols, data }, mode) => matrix(rows, cols, beyond(previous[mode]!.data, data)));
}

/** Where to cut the modes in two so that the larger half is smallest. */
function balancedSplit(dims: readonly number[]): number {
  const larger = (at: number) =>
    Math.max(
      dims.slice(0, at).reduce((a, b) => a * b, 1),
      dims.slice(at).reduce((a, b) => a * b, 1),
    );
  let best = 1;
  for (let at = 2; at < dims.length; at++) if (larger(at) < larger(best)) best = at;
  return best;
}

/** Row by row the outer product of the factors' rows: rank × ∏ nᵢ. */
export function khatriRao(factors: readonly Matrix[]): Matrix<Float64Array> {
  return factors.reduce<Matrix<Float64Array> | undefined>((a, b) => {
    if (!a) return inPrecision(new Float64Array(0), b);
    const out = new Float64Array(a.rows * a.cols * b.cols);
    let at = 0;
    for (let r = 0; r < a.rows; r++) {
      for (let i = r * a.cols; i < (r + 1) * a.cols; i++) {
        const scale = a.data[i]!;
        for (let j = r * b.cols; j < (r + 1) * b.cols; j++) out[at++] = scale * b.data[j]!;
      }
    }
    return matrix(a.rows, a.cols * b.cols, out);
  }, undefined)!;
}

/** target[r, i] = Σ before[r, l] · product[r, l, i, t] · after[r, t]. */
function contract(product: Matrix, before: Rows, n: number, after: Rows): Matrix<Float64Array> {
  const rank = product.rows;
  const { data } = product;
  const target = matrix(rank, n, new Float64Array(rank * n));
  const one = matrix(rank, 1, new Float64Array(rank).fill(1));
  const lead = khatriRao([one, ...before]);
  const trail = khatriRao([one, ...after]);
  const { cols: width, data: weights } = trail;
  let at = 0;
  for (let r = 0; r < rank; r++) {
    for (let l = 0; l < lead.cols; l++) {
      const scale = lead.data[r * lead.cols + l]!;
      for (let i = r * n; i < (r + 1) * n; i++) {
        let sum = 0;
        for (let t = r * width, end = t + width; t < end; t++) sum += data[at++]! * weights[t]!;
        target.data[i] = target.data[i]! + scale * sum;
      }
    }
  }
  return target;
}

function hadamard(grams: Rows): Matrix<Float64Array> {
  const out = grams[0]!.data.slice();
  for (const { data } of grams.slice(1)) for (let i = 0; i < out.length; i++) out[i] = out[i]! * data[i]!;
  return matrix(grams[0]!.rows, grams[0]!.cols, out);
}
