import type { LayerGroup } from '../core/compress/compare/layerGroup';
import { shapesOf } from '../core/compress/compare/layerGroup';
import { recogniseMethods } from '../core/compress/compare/recogniseMethod';
import type { Form, Layer } from '../core/compress/layer';
import type { MethodId, Ranks } from '../core/compress/method';
import { effectiveWeight } from '../core/compress/weight';
import type { Linalg } from '../core/tensor/linalg';
import { squaredDistance, sumOfSquares } from '../core/tensor/tensorScale';
import { readConstant, readStored, recipeOf } from './constantValues';
import { channelScale, readNorm } from './modelWeights';
import type { OpenModel } from './openModel';

/** What a weight and its factors say of each other. */
export interface FactoredChange {
  readonly method: MethodId;
  readonly ranks: Ranks;
  /** ‖W − Ŵ‖ / ‖W‖ (Frobenius), W of the first model, Ŵ of the second; null where W is zero. */
  readonly weightError: number | null;
}

/** A group of layers in its file. */
interface Side {
  readonly open: OpenModel;
  readonly group: LayerGroup;
}

/**
 * Holds a weight against the one that factors elsewhere stand for, whichever of the two is the original. Of several
 * decompositions with factors of these shapes it is the one that comes nearest. Undefined where none has them, or the numbers
 * can't be computed with. Throws ModelErrors.
 */
export function factoredChange(
  linalg: Linalg,
  whole: Side,
  parts: Side,
  form: Form,
  original: 'whole' | 'factors',
): FactoredChange | undefined {
  const [placed] = whole.group.layers;
  if (!placed) return undefined;
  const [weight, ...factors] = ofOneKind([
    wholeWeight(whole.open, placed.layer, form, parts.group),
    ...parts.group.weights.map((constant) => readConstant(parts.open, constant)),
  ]);
  let nearest: { readonly change: FactoredChange; readonly distance: number } | undefined;
  for (const { method, ranks, candidate } of recogniseMethods(form, shapesOf(parts.group))) {
    const expanded = candidate.expand(linalg, factors, ranks);
    const distance = squaredDistance(weight!, expanded);
    // Methods that write the same differ by rounding only: then the first is named.
    if (!Number.isFinite(distance) || (nearest && distance >= nearest.distance * (1 - 1e-9))) continue;
    const relative = Math.sqrt(distance / sumOfSquares(original === 'whole' ? weight! : expanded));
    const weightError = Number.isFinite(relative) ? relative : null;
    nearest = { change: { method, ranks, weightError }, distance };
  }
  return nearest?.change;
}

/** The weight of a layer; with the normalisation behind it where the factors have that in them. */
function wholeWeight(open: OpenModel, layer: Layer, form: Form, { layers }: LayerGroup): Floats {
  const norm = layers.at(-1)?.layer.norm ? undefined : readNorm(open, layer);
  const scale = norm && channelScale({ ...layer, form }, norm);
  const recipe = { ...recipeOf(layer.weight), ...(scale ? { scale } : {}) };
  return effectiveWeight(readStored(open, layer.weight), recipe);
}

type Floats = Float32Array | Float64Array;

/** Numbers that are computed with together are of one precision: the higher. */
function ofOneKind(all: readonly Floats[]): readonly Floats[] {
  return all.some((each) => each instanceof Float64Array) ? all.map((each) => Float64Array.from(each)) : all;
}
