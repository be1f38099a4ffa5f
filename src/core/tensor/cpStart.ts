import type { Rows } from './cpSweep';
import { inPrecision } from './dense';
import type { Linalg } from './linalg';
import { matrix } from './matrix';
import { seededNormals } from './seeded';
import { type Tensor, unfold } from './tensor';

/** σ times the outer product of unit vectors, one for each mode. */
interface Term {
  readonly sigma: number;
  readonly vectors: readonly Float64Array[];
}

/** Orthogonal terms may be a saddle point, which nothing leaves: seeded noise of this relative size takes them off it. */
const SHAKE = 1e-2;

/**
 * The factors (rank × nᵢ) that alternating least squares start from: the leading terms of nested singular value
 * decompositions (Salmi, Richter & Koivunen 2009, "Sequential unfolding SVD for tensors"). X is cut along its
 * first or last mode, the smaller one, into left vectors ⊗ what is left, and each of those in turn. The terms
 * are orthogonal to each other, so that the start is no degenerate one and already lowers the error; the singular
 * vectors of all modes paired by index (HOSVD) would be an arbitrary pairing. Terms beyond theirs are seeded noise,
 * small enough not to disturb and large enough to grow. A matrix starts at its optimum.
 */
export function nestedSvdStart(linalg: Linalg, x: Tensor, rank: number): Rows {
  const order = x.dims.length;
  const terms = nestedTerms(linalg, x, x.dims[0]! <= x.dims[order - 1]! ? 0 : order - 1, rank);
  const next = seededNormals(rank);
  const noise = 1e-2 * (terms[0]?.sigma ?? 0);
  while (terms.length < rank) {
    const vectors = x.dims.map((n) => Float64Array.from({ length: n }, () => next() / Math.sqrt(n)));
    terms.push({ sigma: noise, vectors });
  }
  return x.dims.map((n, mode) => {
    const factor = matrix(rank, n, new Float64Array(rank * n));
    for (const [r, { sigma, vectors }] of terms.entries()) {
      const scale = sigma ** (1 / order);
      const shake = order === 2 ? 0 : SHAKE / Math.sqrt(n);
      for (let i = 0; i < n; i++) factor.data[r * n + i] = scale * (vectors[mode]![i]! + shake * next());
    }
    return factor;
  });
}

/** At most `count` terms, descending: cut along `mode` first, then always along the shortest mode. */
function nestedTerms(linalg: Linalg, x: Tensor, mode: number, count: number): Term[] {
  const { dims, data } = x;
  if (dims.length === 1) {
    const sigma = Math.hypot(...data);
    return sigma === 0 ? [] : [{ sigma, vectors: [Float64Array.from(data, (value) => value / sigma)] }];
  }
  const rows = unfold(x, [mode]);
  const gram = linalg.gram(rows);
  const { values, vectors } = linalg.eigh(gram, Math.min(count, rows.rows));
  const images = linalg.multiply(inPrecision(data, vectors), rows);
  const restDims = dims.filter((_, m) => m !== mode);
  const shortest = restDims.indexOf(Math.min(...restDims));
  const terms: Term[] = [];
  for (let i = 0; i < vectors.rows; i++) {
    // Directions without energy hold rounding noise: no terms are better than those.
    if (!(values[i]! > 1e-14 * values[0]!)) break;
    const rest = images.data.subarray(i * images.cols, (i + 1) * images.cols);
    const own = vectors.data.slice(i * vectors.cols, (i + 1) * vectors.cols);
    for (const term of nestedTerms(linalg, { dims: restDims, data: rest }, shortest, count)) {
      terms.push({ sigma: term.sigma, vectors: term.vectors.toSpliced(mode, 0, own) });
    }
  }
  return terms.sort((a, b) => b.sigma - a.sigma).slice(0, count);
}
