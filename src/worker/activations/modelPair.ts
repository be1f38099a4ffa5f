import type { Layer } from '../../core/compress/layer';
import type { ShapedModel } from './exposedSession';
import type { LayerUse } from './layerUses';

/** The models whose activations belong together: they run on the same batches. */
export interface ModelPair {
  /** y is its, and so are layers and names; x too, as long as there is no other model. */
  readonly original: ShapedModel;
  /** The model as it is compressed so far: x is what its layers see (asymmetric; Zhang et al. 2015, §3.3). */
  readonly compressed?: ShapedModel | undefined;
}

/** A layer with the nodes that use its weight. */
export interface UsedLayer {
  readonly layer: Layer;
  readonly uses: readonly LayerUse[];
  /**
   * The tensor that is added to y behind the layer, on a residual branch: what the compressed model lacks of it is for
   * the layer to make up for.
   */
  readonly shortcut?: string | undefined;
}

/** The tensors that each of the models has to give out for a layer. */
export function tensorsOf(pair: ModelPair, { uses, shortcut }: UsedLayer): TensorNames {
  const [xs, ys] = [uses.map(({ x }) => x), uses.map(({ y }) => y)];
  if (!pair.compressed) return { original: [...xs, ...ys], compressed: [] };
  const both = shortcut === undefined ? [] : [shortcut];
  return { original: [...ys, ...both], compressed: [...xs, ...both] };
}

/** Names by model; there may be some more than once. */
export interface TensorNames {
  readonly original: readonly string[];
  readonly compressed: readonly string[];
}

/** The tensors that each of the models has to give out for some layers. */
export function allTensorsOf(pair: ModelPair, layers: readonly UsedLayer[]): TensorNames {
  const names = layers.map((layer) => tensorsOf(pair, layer));
  return {
    original: names.flatMap(({ original }) => original),
    compressed: names.flatMap(({ compressed }) => compressed),
  };
}
