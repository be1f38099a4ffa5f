import type { Layer } from '../../core/compress/layer';
import type { Batch } from '../calibration/batches';
import type { Runtime, RuntimeTensor } from '../runtime';
import { type Activation, toActivation } from './activation';
import { type ExposedSession, openExposed, type ShapedModel } from './exposedSession';
import type { InputBatches } from './inputBatches';
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
}

/** What goes into one use of a layer, and what comes out, in one run. */
export interface LayerActivations {
  readonly batch: Batch;
  readonly layer: Layer;
  readonly use: LayerUse;
  readonly x: Activation;
  readonly y: Activation;
}

/**
 * Runs the models on all batches, and gives the activations of all uses of the layers, batch by batch. The tensors
 * must be ones that the models can give out. Sessions are released however it ends; a signal is heard between runs.
 * Throws ModelErrors.
 */
export async function* layerActivations(
  runtime: Runtime,
  { original, compressed }: ModelPair,
  layers: readonly UsedLayer[],
  batches: InputBatches,
  signal?: AbortSignal,
): AsyncGenerator<LayerActivations> {
  const uses = layers.flatMap(({ layer, uses: own }) => own.map((use) => ({ layer, use })));
  const xs = uses.map(({ use }) => use.x);
  const ys = uses.map(({ use }) => use.y);
  const sessions: ExposedSession[] = [];
  try {
    const open = async (model: ShapedModel, names: readonly string[]) => {
      signal?.throwIfAborted();
      const distinct = [...new Set(names)];
      const wanted = distinct.map((name) => ({ name, what: 'values' }) as const);
      const session = await openExposed(runtime, model, wanted);
      sessions.push(session);
      return { session, distinct };
    };
    const first = await open(original, compressed ? ys : [...xs, ...ys]);
    const second = compressed && (await open(compressed, xs));
    for await (const batch of batches) {
      const values = async ({ session, distinct }: Awaited<ReturnType<typeof open>>) => {
        signal?.throwIfAborted();
        const tensors = await session.run(batch.tensors);
        return new Map(distinct.map((name, i) => [name, tensors[i]]));
      };
      const own = await values(first);
      const seen = second ? await values(second) : own;
      for (const { layer, use } of uses)
        yield { batch, layer, use, x: activation(use.x, seen), y: activation(use.y, own) };
      // Not held while the next run makes its own.
      own.clear();
      seen.clear();
    }
  } finally {
    await Promise.all(sessions.map((session) => session.release()));
  }
}

function activation(name: string, values: ReadonlyMap<string, RuntimeTensor | undefined>): Activation {
  const value = values.get(name);
  const numbers = value && toActivation(value);
  if (!numbers) throw new Error(`The tensor "${name}" was neither fed nor given out.`);
  return numbers;
}
