import { inPrecision } from './dense';
import type { Linalg } from './linalg';
import type { Matrix, Numbers } from './matrix';
import { fold, type Tensor, unfold } from './tensor';

/** A tensor on orthonormal bases of some of its modes. */
export interface Compressed<T extends Numbers> {
  readonly core: Tensor<T>;
  /** rows · basis of this mode: a factor of x (rank × n) from the core's; itself where the mode is whole. */
  expand(mode: number, rows: Matrix<Float64Array>): Matrix<Float64Array>;
}

/**
 * x projected on the leading `ranks[mode]` left singular vectors of its unfolding by each mode that is much larger than
 * that, one mode after the other (sequentially truncated HOSVD: Vannieuwenhoven, Vandebril & Meerbergen 2012). Nothing
 * where no mode is. What the projection loses is ‖x‖² − ‖core‖².
 */
export function compressModes<T extends Numbers>(
  linalg: Linalg,
  x: Tensor<T>,
  ranks: readonly number[],
): Compressed<T> | undefined {
  let core = x;
  const bases = x.dims.map((n, mode) => {
    const rank = ranks[mode]!;
    // A little smaller is not worth the eigenproblem.
    if (rank > 0.75 * n) return undefined;
    const rows = unfold(core, [mode]);
    const { vectors } = linalg.eigh(linalg.gram(rows), rank);
    const projected = linalg.multiply(inPrecision(x.data, vectors), rows);
    core = fold(projected, [mode], core.dims.with(mode, rank));
    return vectors;
  });
  if (core === x) return undefined;
  return {
    core,
    expand: (mode, rows) => (bases[mode] ? linalg.multiply(rows, bases[mode]!) : rows),
  };
}
