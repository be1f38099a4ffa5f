import type { Runtime, RuntimeTensor } from '../runtime';
import { allTensorsOf, type ModelPair, tensorsOf, type UsedLayer } from './modelPair';
import type { PassCost } from './passes';
import type { ActivationSink } from './sink';
import { tensorSizes } from './tensorSizes';

/** What collecting each layer costs, at the sizes of these inputs. Throws ModelErrors. */
export async function passCosts(
  runtime: Runtime,
  pair: ModelPair,
  layers: readonly UsedLayer[],
  inputs: ReadonlyMap<string, RuntimeTensor>,
  sink: ActivationSink,
): Promise<(layer: UsedLayer) => PassCost> {
  const names = allTensorsOf(pair, layers);
  const original = await tensorSizes(runtime, pair.original, names.original, inputs);
  const compressed =
    pair.compressed && (await tensorSizes(runtime, pair.compressed, names.compressed, inputs));
  return (layer) => {
    const own = tensorsOf(pair, layer);
    const tensors = new Map([
      ...own.original.map((name) => [`original ${name}`, original.get(name) ?? 0] as const),
      ...own.compressed.map((name) => [`compressed ${name}`, compressed?.get(name) ?? 0] as const),
    ]);
    return { tensors, kept: sink.keptBytes?.(layer.layer) ?? 0 };
  };
}
