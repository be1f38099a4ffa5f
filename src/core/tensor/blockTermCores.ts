import type { Blocks } from './blockTermSweep';
import { leastDamping } from './dampedSolve';
import { dot, inPrecision } from './dense';
import type { Linalg } from './linalg';
import { type Matrix, matrix, type Numbers, zerosLike } from './matrix';

type Cores = readonly Matrix<Float64Array>[];

/** Measured: more steps a sweep gain nothing, the next sweep goes on from here. */
const STEPS = 5;

/**
 * Better cores of a block-term approximation with both sides fixed. The normal equations, Σₕ LᵍLʰᵀ · coreʰ · RʰRᵍᵀ =
 * targetᵍ, have G · rs · rc unknowns for each kernel position, too many for a Cholesky factor; conjugate gradients
 * (Hestenes & Stiefel 1952) need products of small matrices only, converge in few steps as the blocks on the diagonal
 * are the identity, and lower the residual with each. `targets[g]` is X projected on both sides of block g; products are made in the precision of `like`.
 */
export function solveCores<T extends Numbers>(
  linalg: Linalg,
  like: T,
  energy: number,
  { left, right, cores: start }: Blocks,
  targets: Cores,
): { readonly cores: Cores; readonly residual: number } {
  const operator = normalOperator(
    linalg,
    inPrecision(like, linalg.gram(left)),
    inPrecision(like, linalg.gram(right)),
  );
  const inner = (a: Cores, b: Cores) => a.reduce((sum, own, g) => sum + dot(own.data, b[g]!.data), 0);
  let cores = start;
  let rest = combine(targets, -1, operator(cores));
  let direction = rest;
  let size = inner(rest, rest);
  const least = 100 * leastDamping(like);
  const enough = 1e-26 * inner(targets, targets);
  for (let step = 0; step < STEPS && size > enough; step++) {
    const image = operator(direction);
    const curvature = inner(direction, image);
    // Along directions that the sides of several blocks share, rounding would grow into blocks that cancel each other.
    if (!(curvature > least * inner(direction, direction))) break;
    cores = combine(cores, size / curvature, direction);
    rest = combine(rest, -size / curvature, image);
    const next = inner(rest, rest);
    direction = combine(rest, next / size, direction);
    size = next;
  }
  return { cores, residual: energy - inner(targets, cores) - inner(rest, cores) };
}

/** a + scale · b. */
function combine(a: Cores, scale: number, b: Cores): Cores {
  return a.map(({ rows, cols, data }, g) => {
    const other = b[g]!.data;
    const out = new Float64Array(data.length);
    for (let i = 0; i < out.length; i++) out[i] = data[i]! + scale * other[i]!;
    return matrix(rows, cols, out);
  });
}

/** The left-hand side of the normal equations, given the Gram matrices of both sides; products in their precision. */
function normalOperator<T extends Numbers>(linalg: Linalg, leftGram: Matrix<T>, rightGram: Matrix<T>) {
  const like = leftGram.data;
  const width = rightGram.rows;
  return (cores: Cores): Cores => {
    const { rows: rs, cols } = cores[0]!;
    const rc = width / cores.length;
    const positions = cols / rc;
    // By block h: all LᵍLʰᵀ · coreʰ, then one product a block g with the others' laid side by side.
    const halfway = cores.map((core, h) =>
      linalg.multiply(rowsOf(leftGram, h * rs, rs), inPrecision(like, core), { transposeA: true }),
    );
    return cores.map((_, g) => {
      const wide = zerosLike(like, rs * positions * width);
      for (const [h, { data }] of halfway.entries()) {
        let from = g * rs * positions * rc;
        for (let to = h * rc; to < wide.length; to += width - rc) {
          for (const end = to + rc; to < end; to++) wide[to] = data[from++]!;
        }
      }
      const flat = matrix(rs * positions, width, wide);
      const { data } = linalg.multiply(flat, rowsOf(rightGram, g * rc, rc), { transposeB: true });
      return inPrecision(new Float64Array(0), matrix(rs, cols, data));
    });
  };
}

function rowsOf<T extends Numbers>(a: Matrix<T>, first: number, count: number): Matrix<T> {
  return matrix(count, a.cols, a.data.subarray(first * a.cols, (first + count) * a.cols) as T);
}
