import type { Blocks, ChannelTensor } from './blockTermSweep';
import type { Linalg } from './linalg';
import { type Matrix, matrix, type Numbers } from './matrix';
import { tensor } from './tensor';
import { sumOfSquares } from './tensorScale';
import { transpose } from './transpose';
import { tucker2 } from './tucker2';

/**
 * The blocks that alternating least squares start from, and their ‖X − X̂‖²: each a Tucker-2 approximation of what the earlier ones have
 * left. Measured against bases of X dealt out to the blocks in order, in turn, or after a seeded rotation: it is ahead
 * by five to ten sweeps, and stays so. A single block is Tucker-2 at its optimum, several are truncated HOSVDs.
 */
export function blockTermStart<T extends Numbers>(
  linalg: Linalg,
  x: ChannelTensor<T>,
  count: number,
  ranks: readonly [number, number],
): { readonly start: Blocks; readonly residual: number } {
  const dims = [x.outputs, x.positions, x.inputs];
  let rest = x.data;
  const found: { left: Matrix<T>; right: Matrix<T>; core: Matrix<T> }[] = [];
  for (let g = 0; g < count; g++) {
    const { factors, core } = tucker2(
      linalg,
      tensor(dims, rest),
      [0, 2],
      ranks,
      count === 1 ? {} : { maxSweeps: 0 },
    );
    const [left, right] = factors;
    found.push({ left, right, core: matrix(ranks[0], x.positions * ranks[1], core.data) });
    const flat = matrix(ranks[0] * x.positions, ranks[1], core.data);
    const { data } = linalg.multiply(flat, right, { transposeB: true });
    const block = linalg.multiply(left, matrix(ranks[0], x.positions * x.inputs, data)).data;
    const lower = rest.slice() as T;
    for (let i = 0; i < lower.length; i++) lower[i] = lower[i]! - block[i]!;
    rest = lower;
  }
  const rows = (sides: readonly Matrix<T>[]) => {
    const data = sides.flatMap((side) => [transpose(side)]);
    const { rows: rank, cols } = data[0]!;
    const all = matrix(count * rank, cols, new Float64Array(count * rank * cols));
    for (const [g, own] of data.entries()) all.data.set(own.data, g * rank * cols);
    return all;
  };
  const start = {
    left: rows(found.map(({ left }) => left)),
    right: rows(found.map(({ right }) => right)),
    cores: found.map(({ core }) => matrix(core.rows, core.cols, Float64Array.from(core.data))),
  };
  return { start, residual: sumOfSquares(rest) };
}
