import { solveCores } from './blockTermCores';
import { dampedSolve, leastDamping } from './dampedSolve';
import { inPrecision } from './dense';
import { type Alternation, beyond } from './descent';
import type { Linalg } from './linalg';
import { type Matrix, matrix, type Numbers, zerosLike } from './matrix';
import { permuteAxes } from './permute';
import { sumOfSquares } from './tensorScale';
import { transpose } from './transpose';

/** X as the sweeps want it: [S, K, C], the K kernel positions between the channels, as S × (K · C). */
export interface ChannelTensor<T extends Numbers> {
  readonly data: T;
  readonly outputs: number;
  readonly positions: number;
  readonly inputs: number;
}

/** A block-term approximation as the sweeps keep it, in double precision. Block g owns rows g·r … (g + 1)·r. */
export interface Blocks {
  /** (G · rs) × S, the rows of a block orthonormal. */
  readonly left: Matrix<Float64Array>;
  /** (G · rc) × C, the rows of a block orthonormal. */
  readonly right: Matrix<Float64Array>;
  /** For each block [rs, K, rc], as rs × (K · rc). */
  readonly cores: readonly Matrix<Float64Array>[];
}

/**
 * Alternating least squares over a block-term decomposition (De Lathauwer & Nion 2008, "Decompositions of a
 * higher-order tensor in block terms, Part III"): left, right and cores in turn. One product of X with left serves
 * the updates of both right and cores, so that a sweep costs two products of X, 4 · S · K · C · G · rs operations.
 */
export function blockTermAlternation<T extends Numbers>(
  linalg: Linalg,
  x: ChannelTensor<T>,
  count: number,
): Alternation<Blocks> {
  const { outputs, positions, inputs } = x;
  const unfolded = matrix(outputs, positions * inputs, x.data);
  const energy = sumOfSquares(x.data);

  return {
    energy,
    sweep(current, previous, lambda, ceiling) {
      let state = previous ? blocksBeyond(previous, current) : current;
      // `current` follows the changes of coordinates, so that the next step can be told from it.
      let shadow: Blocks | undefined = current;
      let residual = previous ? Infinity : ceiling;
      const weights = [lambda, leastDamping(x.data)] as const;
      const rs = current.left.rows / count;
      const rc = current.right.rows / count;

      const forLeft = timesRight(linalg, x.data, state, positions);
      const leftTarget = inPrecision(
        current.left.data,
        linalg.multiply(forLeft, unfolded, { transposeB: true }),
      );
      const left = dampedSolve(linalg, energy, linalg.gram(forLeft), leftTarget, rs, weights, residual);
      if (left) ({ residual } = left);
      state = { ...state, left: left?.factor ?? state.left };
      [state, shadow] = orthonormal(linalg, 'left', state, shadow, positions);

      const image = linalg.multiply(inPrecision(x.data, state.left), unfolded);
      const images = state.cores.map((_, g) => matrix(rs * positions, inputs, part(image, g * rs, rs)));
      const forRight = timesLeft(linalg, x.data, state, positions);
      const rightTarget = stack(
        current.right.data,
        state.cores.map((core, g) => {
          const flat = inPrecision(x.data, matrix(rs * positions, rc, core.data));
          return linalg.multiply(flat, images[g]!, { transposeA: true });
        }),
      );
      const right = dampedSolve(linalg, energy, linalg.gram(forRight), rightTarget, rc, weights, residual);
      if (right) ({ residual } = right);
      state = { ...state, right: right?.factor ?? state.right };
      [state, shadow] = orthonormal(linalg, 'right', state, shadow, positions);

      const targets = state.cores.map((_, g) => {
        const own = inPrecision(x.data, matrix(rc, inputs, part(state.right, g * rc, rc)));
        const { data } = linalg.multiply(images[g]!, own, { transposeB: true });
        return matrix(rs, positions * rc, Float64Array.from(data));
      });
      const solved = solveCores(linalg, x.data, energy, state, targets);
      if (solved.residual <= residual) {
        state = { ...state, cores: solved.cores };
        residual = solved.residual;
      }
      return { next: state, previous: shadow, residual };
    },
  };
}

/** (G · rs) × (K · C): what left's rows are multiplied with, core × right block by block; in the precision of `like`. */
function timesRight<T extends Numbers>(
  linalg: Linalg,
  like: T,
  { left, right, cores }: Blocks,
  positions: number,
): Matrix<T> {
  const rs = left.rows / cores.length;
  const rc = right.rows / cores.length;
  return stack(
    like,
    cores.map((core, g) => {
      const own = inPrecision(like, matrix(rc, right.cols, part(right, g * rc, rc)));
      const flat = inPrecision(like, matrix(rs * positions, rc, core.data));
      return matrix(rs, positions * right.cols, linalg.multiply(flat, own).data);
    }),
  );
}

/** (G · rc) × (K · S): what right's rows are multiplied with. */
function timesLeft<T extends Numbers>(
  linalg: Linalg,
  like: T,
  { left, right, cores }: Blocks,
  positions: number,
): Matrix<T> {
  const rs = left.rows / cores.length;
  const rc = right.rows / cores.length;
  return stack(
    like,
    cores.map((core, g) => {
      const own = inPrecision(like, matrix(rs, left.cols, part(left, g * rs, rs)));
      const turned = permuteAxes(core.data, [rs, positions, rc], [0, 2, 1]);
      const flat = inPrecision(like, matrix(rs, rc * positions, turned));
      return matrix(rc, positions * left.cols, linalg.multiply(flat, own, { transposeA: true }).data);
    }),
  );
}

/**
 * The same approximation with orthonormal rows on one side, the triangles moved into the cores; and `shadow` in the
 * new coordinates, or nothing where a row has become dependent on the others.
 */
function orthonormal(
  linalg: Linalg,
  side: 'left' | 'right',
  state: Blocks,
  shadow: Blocks | undefined,
  positions: number,
): [Blocks, Blocks | undefined] {
  const rank = state[side].rows / state.cores.length;
  const split = state.cores.map((_, g) => {
    const rows = matrix(rank, state[side].cols, part(state[side], g * rank, rank));
    return linalg.qr(transpose(rows));
  });
  const absorb = (cores: Blocks['cores']) =>
    cores.map((core, g) => {
      const r = split[g]!.r;
      if (side === 'left') return linalg.multiply(r, core);
      const flat = matrix(core.data.length / rank, rank, core.data);
      return matrix(core.rows, positions * rank, linalg.multiply(flat, r, { transposeB: true }).data);
    });
  const next = {
    ...state,
    [side]: stack(
      state[side].data,
      split.map(({ q }) => transpose(q)),
    ),
    cores: absorb(state.cores),
  };
  if (!shadow || !split.every(({ r }) => wellConditioned(r))) return [next, undefined];
  const seen = shadow[side];
  const rows = split.map(({ r }, g) =>
    linalg.solveLower(transpose(r), matrix(rank, seen.cols, part(seen, g * rank, rank))),
  );
  return [next, { ...shadow, [side]: stack(state[side].data, rows), cores: absorb(shadow.cores) }];
}

function wellConditioned(r: Matrix<Float64Array>): boolean {
  const diagonal = Array.from({ length: r.rows }, (_, i) => Math.abs(r.data[i * (r.cols + 1)]!));
  return Math.min(...diagonal) > 1e-6 * Math.max(...diagonal);
}

function blocksBeyond(previous: Blocks, current: Blocks): Blocks {
  const step = (a: Matrix<Float64Array>, b: Matrix<Float64Array>) =>
    matrix(b.rows, b.cols, beyond(a.data, b.data));
  return {
    left: step(previous.left, current.left),
    right: step(previous.right, current.right),
    cores: current.cores.map((core, g) => step(previous.cores[g]!, core)),
  };
}

/** Consecutive rows, not copied. */
function part<T extends Numbers>(a: Matrix<T>, first: number, count: number): T {
  return a.data.subarray(first * a.cols, (first + count) * a.cols) as T;
}

function stack<T extends Numbers>(like: T, parts: readonly Matrix[]): Matrix<T> {
  const { rows, cols } = parts[0]!;
  const data = zerosLike(like, parts.length * rows * cols);
  for (const [g, { data: own }] of parts.entries()) data.set(own, g * rows * cols);
  return matrix(parts.length * rows, cols, data);
}
