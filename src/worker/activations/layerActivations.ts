import type { Batch } from '../calibration/batches';
import { type BatchRun, runBatches } from '../parts/runBatches';
import type { Runtime, RuntimeSession, RuntimeTensor } from '../runtime';
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
    const running: RuntimeSession[] = [];
    const open = async (model: ShapedModel, own: readonly string[]): Promise<ValuesOf> => {
      signal?.throwIfAborted();
      const distinct = [...new Set(own)];
      const wanted = distinct.map((name) => ({ name, what: 'values' }) as const);
      const exposed = await openExposed(runtime, model, wanted, memory);
      sessions.push(exposed);
      const place = exposed.session ? running.push(exposed.session) - 1 : -1;
      return ({ batch, outputs }) => {
        const tensors = exposed.found(batch.tensors, outputs[place]);
        return new Map(distinct.map((name, i) => [name, tensors[i]]));
      };
    };
    const valuesOfOriginal = await open(pair.original, names.original);
    const valuesOfCompressed = pair.compressed && (await open(pair.compressed, names.compressed));
    for await (const run of runBatches(running, batches, signal)) {
      const { batch } = run;
      const own = valuesOfOriginal(run);
      const seen = valuesOfCompressed?.(run) ?? own;
      for (const layer of layers) {
        for (const use of layer.uses) {
          const y = activation(use.y, own);
          const { shortcut } = layer;
          const target =
            shortcut === undefined || !valuesOfCompressed
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
type ValuesOf = (run: BatchRun) => Values;

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
