import type { ConstantStep } from '../onnx/constants';
import { Element, elementCount } from '../onnx/elements';
import type { ElementType } from '../onnx/model';
import { decodeFloats, encodeFloats } from '../onnx/tensorData';
import { zerosLike } from '../tensor/matrix';
import { permuteAxes } from '../tensor/permute';
import type { FoldableNorm } from './layer';

type Floats = Float32Array | Float64Array;

/** What turns the stored elements of a constant into the weight a layer multiplies with; plain data, for threads. */
export interface WeightRecipe {
  /** Element type and dimensions as stored; a fill stores one element for all. */
  readonly storedType: ElementType;
  readonly storedDims: readonly number[];
  readonly isFill: boolean;
  readonly steps: readonly ConstantStep[];
  /** One factor per output channel, from a normalisation folded in. */
  readonly scale?: ChannelScale;
}

/** Factors per output channel of a convolution weight. */
export interface ChannelScale {
  readonly factors: Float64Array;
  /** The weight is that of a transposed convolution: `[in, out / groups, …]`. */
  readonly isTransposed: boolean;
  readonly groups: number;
}

/** The weight a layer multiplies with. `stored` is not modified, but may be returned. */
export function effectiveWeight(stored: Floats, recipe: WeightRecipe): Floats {
  let dims = recipe.storedDims;
  let values = recipe.isFill ? filled(stored, recipe) : stored;
  for (const step of recipe.steps) {
    switch (step.kind) {
      case 'transpose':
        values = permuteAxes(values, dims, step.permutation);
        break;
      case 'cast':
        values = decodeFloats(step.type, encodeFloats(step.type, values));
        break;
      case 'reshape':
        break;
    }
    dims = step.dims;
  }
  return recipe.scale ? scaled(values, dims, recipe.scale) : values;
}

function filled(stored: Floats, { storedType, storedDims }: WeightRecipe): Floats {
  const count = elementCount(storedDims);
  const values = storedType === Element.double ? new Float64Array(count) : new Float32Array(count);
  return values.fill(stored[0] ?? 0);
}

function scaled(
  values: Floats,
  dims: readonly number[],
  { factors, isTransposed, groups }: ChannelScale,
): Floats {
  const out = zerosLike(values, values.length);
  out.set(values);
  const rows = dims[0]!;
  const inner = isTransposed ? elementCount(dims.slice(2)) : elementCount(dims.slice(1));
  const columns = isTransposed ? dims[1]! : 1;
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      // The output channels of a group of a transposed convolution are those of its columns.
      const channel = isTransposed ? Math.floor((row * groups) / rows) * columns + column : row;
      for (let i = 0; i < inner; i++, at++) out[at] = out[at]! * factors[channel]!;
    }
  }
  return out;
}

/** A normalisation as one factor and one bias per channel. */
export interface FoldedNorm {
  readonly factors: Float64Array;
  readonly bias: Float64Array;
}

/**
 * γ (x + b − μ) / √(σ² + ε) + β as s · x + t with s = γ / √(σ² + ε) and t = β + (b − μ) s, where b is the bias in front
 * of the normalisation (Jacob et al. 2018, §3.2).
 */
export function foldNorm(
  { epsilon }: FoldableNorm,
  constants: {
    readonly scale: Floats;
    readonly shift: Floats;
    readonly mean: Floats;
    readonly variance: Floats;
    readonly bias: Floats | undefined;
  },
): FoldedNorm {
  const { scale, shift, mean, variance, bias } = constants;
  const factors = Float64Array.from(scale, (gamma, i) => gamma / Math.sqrt(variance[i]! + epsilon));
  return { factors, bias: factors.map((s, i) => shift[i]! + ((bias?.[i] ?? 0) - mean[i]!) * s) };
}
