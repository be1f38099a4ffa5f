import { effectiveWeight, type WeightRecipe } from '../core/compress/weight';
import type { Constant } from '../core/onnx/constants';
import { locateTensor, readFloats, type TensorLocation } from '../core/onnx/tensorData';
import type { OpenModel } from './openModel';

/** The recipe from a constant's stored elements to its effective ones. */
export function recipeOf({ source, steps, type }: Constant): WeightRecipe {
  const storedType = source.tensor?.type ?? type;
  return { storedType, storedDims: source.dims, isFill: source.kind === 'fill', steps };
}

/** The effective elements of a constant. Throws ModelErrors. */
export function readConstant(open: OpenModel, constant: Constant): Float32Array | Float64Array {
  return effectiveWeight(readStored(open, constant), recipeOf(constant));
}

/** The stored elements of a constant. */
export function readStored(
  { model, openExternal }: OpenModel,
  { source }: Constant,
): Float32Array | Float64Array {
  return source.tensor ? readFloats(model, source.tensor, openExternal) : new Float32Array(1);
}

/** Where the stored elements are as plain bytes of a file; undefined where they have to be decoded. */
export function locateStored(
  { model, openExternal }: OpenModel,
  { source }: Constant,
): TensorLocation | undefined {
  return source.tensor && locateTensor(model, source.tensor, openExternal);
}
