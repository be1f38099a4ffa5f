import type { Rows } from './cpSweep';
import { type Matrix, matrix } from './matrix';
import { sumOfSquares } from './tensorScale';

/** The factors (rank × nᵢ) with the norm of each term spread evenly over its rows. */
export function spread(factors: Rows): Rows {
  const norms = factors.map(rowNorms);
  const terms = termNorms(factors);
  return factors.map(({ rows, cols, data }, mode) => {
    const out = new Float64Array(data.length);
    for (let r = 0; r < rows; r++) {
      // A term that has vanished keeps no direction.
      const scale = terms[r] === 0 ? 0 : terms[r]! ** (1 / factors.length) / norms[mode]![r]!;
      for (let i = r * cols; i < (r + 1) * cols; i++) out[i] = data[i]! * scale;
    }
    return matrix(rows, cols, out);
  });
}

/** The factors with their terms by descending norm. */
export function byNorm(factors: Rows): Rows {
  const norms = termNorms(factors);
  const order = Array.from(norms.keys()).sort((a, b) => norms[b]! - norms[a]!);
  return factors.map(({ rows, cols, data }) => {
    const out = new Float64Array(data.length);
    for (const [r, from] of order.entries()) out.set(data.subarray(from * cols, (from + 1) * cols), r * cols);
    return matrix(rows, cols, out);
  });
}

/** The norm of each rank-one term. */
export function termNorms(factors: Rows): Float64Array {
  const norms = factors.map(rowNorms);
  return norms[0]!.map((_, r) => norms.reduce((product, norm) => product * norm[r]!, 1));
}

function rowNorms({ rows, cols, data }: Matrix<Float64Array>): Float64Array {
  return Float64Array.from({ length: rows }, (_, r) =>
    Math.sqrt(sumOfSquares(data.subarray(r * cols, (r + 1) * cols))),
  );
}
