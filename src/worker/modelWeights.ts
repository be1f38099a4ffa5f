import type { Layer } from '../core/compress/layer';
import { type ChannelScale, type FoldedNorm, foldNorm } from '../core/compress/weight';
import type { Constant } from '../core/onnx/constants';
import { locateStored, readConstant, readStored, recipeOf } from './constantValues';
import type { WeightSource } from './factorJob';
import type { OpenModel } from './openModel';
import type { WeightFile } from './runTask';

/** The weights of a model's layers, with the normalisations folded in that the layers say. */
export function modelWeights(open: OpenModel, foldNorms = true): WeightFile<Layer> {
  return {
    path: open.path,
    // A weight with its normalisation folded in is another weight.
    version: foldNorms ? open.version : `${open.version}:unfolded`,
    weightOf(layer) {
      const norm = readNorm(open, layer);
      const recipe = { ...recipeOf(layer.weight), ...(norm ? { scale: channelScale(layer, norm) } : {}) };
      return { weight: weightSource(open, layer), recipe, type: layer.weight.type };
    },
  };
}

/** A thread reads a plainly stored weight itself; only the rare others travel as numbers. */
function weightSource(open: OpenModel, { weight }: Layer): WeightSource {
  const location = locateStored(open, weight);
  if (!location) return { kind: 'values', values: readStored(open, weight) };
  return { kind: 'file', path: location.source.name, offset: location.offset, length: location.length };
}

/** A folded normalisation as the recipe of the layer's weight carries it. */
export function channelScale({ form }: Layer, { factors }: FoldedNorm): ChannelScale {
  if (form.kind !== 'conv')
    throw new Error(`A normalisation is folded into convolutions only, not into ${form.kind}.`);
  return { factors, isTransposed: form.isTransposed, groups: form.groups };
}

/** The normalisation behind a layer as factors and a bias; undefined where there is none to fold. */
export function readNorm(open: OpenModel, { norm, bias }: Layer): FoldedNorm | undefined {
  if (!norm) return undefined;
  const read = (constant: Constant) => readConstant(open, constant);
  const { scale, shift, mean, variance } = norm;
  return foldNorm(norm, {
    scale: read(scale),
    shift: read(shift),
    mean: read(mean),
    variance: read(variance),
    bias: bias && read(bias),
  });
}
