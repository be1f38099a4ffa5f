import { exposeTensors } from '../../core/onnx/exposeTensors';
import type { ShapedModel } from './exposedSession';
import type { ModelPair } from './layerActivations';
import type { LayerUse } from './layerUses';

/** Why the tensors around a use can't be read from the models that run, as a sentence; undefined if they can. */
export function unreadable(
  { original, compressed }: ModelPair,
  uses: readonly LayerUse[],
): (use: LayerUse) => string | undefined {
  const [xs, ys] = [uses.map(({ x }) => x), uses.map(({ y }) => y)];
  const ofOriginal = reasons(original, compressed ? ys : [...xs, ...ys]);
  const ofCompressed = compressed ? reasons(compressed, xs) : ofOriginal;
  return ({ x, y }) => ofCompressed.get(x) ?? ofOriginal.get(y);
}

function reasons({ source, shapes }: ShapedModel, names: readonly string[]): ReadonlyMap<string, string> {
  const wanted = names.map((name) => ({ name, what: 'values' }) as const);
  const { places } = exposeTensors(source.model, shapes, wanted);
  return new Map(
    places.flatMap((place, i) => (place.kind === 'refused' ? [[names[i]!, place.reason] as const] : [])),
  );
}
