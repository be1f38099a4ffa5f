import { exposeTensors } from '../../core/onnx/exposeTensors';
import type { Batch } from '../calibration/batches';
import type { ShapedModel } from './exposedSession';
import { allTensorsOf, type ModelPair, tensorsOf, type UsedLayer } from './modelPair';

/**
 * Why the tensors around a layer can't be read from the models that run on such batches, as a sentence; undefined if
 * they can.
 */
export function unreadable(
  pair: ModelPair,
  layers: readonly UsedLayer[],
  batch: Batch,
): (layer: UsedLayer) => string | undefined {
  const names = allTensorsOf(pair, layers);
  const original = reasons(pair.original, names.original, batch);
  const compressed = pair.compressed && reasons(pair.compressed, names.compressed, batch);
  return (layer) => {
    const own = tensorsOf(pair, layer);
    return (
      own.original.map((name) => original.get(name)).find(Boolean) ??
      own.compressed.map((name) => compressed?.get(name)).find(Boolean)
    );
  };
}

function reasons(
  { source, shapes }: ShapedModel,
  names: readonly string[],
  { tensors }: Batch,
): ReadonlyMap<string, string> {
  const wanted = names.map((name) => ({ name, what: 'values' }) as const);
  const { places } = exposeTensors(source.model, shapes, wanted);
  const found = new Map<string, string>();
  for (const [i, place] of places.entries()) {
    const name = names[i]!;
    if (place.kind === 'refused') found.set(name, place.reason);
    if (place.kind === 'input' && !tensors.has(name))
      found.set(name, `"${name}" is an input that is left at its default, so it is the same for all data.`);
  }
  return found;
}
