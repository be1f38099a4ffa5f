import type { Batch } from '../calibration/batches';
import type { Runtime, RuntimeTensor } from '../runtime';
import { type Activation, toActivation } from './activation';
import {
  createModelMemory,
  type ExposedSession,
  type ModelMemory,
  openExposed,
  type ShapedModel,
} from './exposedSession';
import type { InputBatches } from './inputBatches';
import type { LayerUse } from './layerUses';
import { allTensorsOf, type ModelPair, type UsedLayer } from './modelPair';

/** What goes into one use of a layer, and what is to come out, in one run. */
export interface LayerActivations {
  readonly batch: Batch;
  readonly layer: UsedLayer;
  readonly use: LayerUse;
  readonly x: Activation;
  /** Where the layer has a shortcut, with what the compressed model lacks of that. */
  readonly y: Activation;
}

/**
 * Runs the models on all batches, and gives the activations of all uses of the layers, batch by batch. The tensors
 * must be ones that the models can give out. Sessions are released however it ends; a signal is heard between runs.
 * Throws ModelErrors.
 */
export async function* layerActivations(
  runtime: Runtime,
  pair: ModelPair,
  layers: readonly UsedLayer[],
  batches: InputBatches,
  signal?: AbortSignal,
  memory: ModelMemory = createModelMemory(),
): AsyncGenerator<LayerActivations> {
  const names = allTensorsOf(pair, layers);
  const sessions: ExposedSession[] = [];
  try {
    const open = async (model: ShapedModel, own: readonly string[]): Promise<Run> => {
      signal?.throwIfAborted();
      const distinct = [...new Set(own)];
      const wanted = distinct.map((name) => ({ name, what: 'values' }) as const);
      const session = await openExposed(runtime, model, wanted, memory);
      sessions.push(session);
      return async (batch) => {
        signal?.throwIfAborted();
        const tensors = await session.run(batch.tensors);
        return new Map(distinct.map((name, i) => [name, tensors[i]]));
      };
    };
    const runOriginal = await open(pair.original, names.original);
    const runCompressed = pair.compressed && (await open(pair.compressed, names.compressed));
    for await (const batch of batches) {
      const own = await runOriginal(batch);
      const seen = runCompressed ? await runCompressed(batch) : own;
      for (const layer of layers) {
        for (const use of layer.uses) {
          const y = activation(use.y, own);
          const { shortcut } = layer;
          const target =
            shortcut === undefined || !runCompressed
              ? y
              : withShortcut(y, activation(shortcut, own), activation(shortcut, seen));
          yield { batch, layer, use, x: activation(use.x, seen), y: target };
        }
      }
      // Not held while the next run makes its own.
      own.clear();
      seen.clear();
    }
  } finally {
    await Promise.all(sessions.map((session) => session.release()));
  }
}

type Values = Map<string, RuntimeTensor | undefined>;
type Run = (batch: Batch) => Promise<Values>;

function activation(name: string, values: Values): Activation {
  const value = values.get(name);
  const numbers = value && toActivation(value);
  if (!numbers) throw new Error(`The tensor "${name}" was neither fed nor given out.`);
  return numbers;
}

/** y + (shortcut of the original − shortcut of the compressed model). */
function withShortcut({ dims, data }: Activation, own: Activation, seen: Activation): Activation {
  if (own.data.length !== data.length || seen.data.length !== data.length) {
    throw new Error(
      `A shortcut of ${own.dims.join(' × ')} does not belong to outputs of ${dims.join(' × ')}.`,
    );
  }
  return { dims, data: data.map((value, i) => value + (own.data[i]! - seen.data[i]!)) };
}
