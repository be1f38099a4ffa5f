import { permuteAxes } from '../../tensor/permute';
import type { ConvForm } from '../layer';
import { product } from '../method';

/**
 * The axes of a patch `[in, …kernel]` in two parts, for weights that share a basis: Ŵ[o, (g, t)] = Σᵣ D[o, r, t] · A[r, g].
 * The first factor acts on the axes of g alone, the second on those of t.
 */
export interface PatchSplit {
  /** Number of different g and t. */
  readonly g: number;
  readonly t: number;
  /** index[t · g + k]: where element (k, t) stands in the patch. */
  readonly index: Int32Array;
}

/** The split whose first factor acts on the input channels and, where given, on one spatial axis. */
export function splitPatch({ groupChannels, kernel }: ConvForm, axis?: number): PatchSplit {
  const dims = [groupChannels, ...kernel];
  const first = axis === undefined ? [0] : [0, 1 + axis];
  const second = dims.map((_, i) => i).filter((i) => !first.includes(i));
  const places = Float64Array.from({ length: product(dims) }, (_, i) => i);
  const g = product(first.map((i) => dims[i]!));
  return {
    g,
    t: places.length / g,
    index: Int32Array.from(permuteAxes(places, dims, [...second, ...first])),
  };
}
