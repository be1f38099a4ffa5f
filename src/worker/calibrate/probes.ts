import type { FactoredLayer } from '../../core/compress/rewrite';
import { createModelMemory } from '../activations/exposedSession';
import type { InputBatches } from '../activations/inputBatches';
import type { Batch } from '../calibration/batches';
import type { OpenModel } from '../openModel';
import { type Outputs, runBatches } from '../parts/runBatches';
import { pause } from '../platform/pause';
import type { Runtime } from '../runtime';
import { rewrittenBytes } from './memoryModel';
import { outputDistance } from './outputDistance';

/** Tries changes of single layers in the model. */
export interface Probes {
  /** How far the outputs move when this layer alone is replaced; one at a time. Throws ModelErrors, and the signal's reason. */
  damageOf(layer: FactoredLayer): Promise<number>;
}

/** Bytes of outputs of the original that are kept to compare with. */
const KEPT_BYTES = 64 * 2 ** 20;

/** Probes on these samples (`isPlain`: see {@link outputDistance}), or as many of the first of them as give no more outputs than are kept. */
export function createProbes(
  runtime: Runtime,
  open: OpenModel,
  batches: InputBatches,
  { isPlain, signal }: { readonly isPlain: boolean; readonly signal?: AbortSignal | undefined },
): Probes {
  const memory = createModelMemory();
  let expected: Promise<readonly Outputs[]> | undefined;

  async function outputsOf(bytes?: Uint8Array, use?: (outputs: Outputs, batch: Batch, i: number) => boolean) {
    signal?.throwIfAborted();
    const session = await runtime.open(open.path, open.externalFiles, bytes);
    try {
      let i = 0;
      for await (const { batch, outputs } of runBatches([session], batches, signal)) {
        if (!use!(outputs[0]!, batch, i++)) break;
        // Runs are synchronous inside: whoever wants to cancel is listened to here.
        await pause();
      }
    } finally {
      await session.release();
    }
  }

  async function reference(): Promise<readonly Outputs[]> {
    const kept: Outputs[] = [];
    let bytes = 0;
    await outputsOf(undefined, (outputs) => {
      kept.push(outputs);
      for (const { data } of outputs.values()) bytes += 4 * data.length;
      return bytes < KEPT_BYTES;
    });
    return kept;
  }

  return {
    async damageOf(layer) {
      expected ??= reference();
      const original = await expected;
      const distance = outputDistance(open.model, isPlain);
      await outputsOf(rewrittenBytes(open, [layer], memory), (outputs, { samples, padding }, i) => {
        const rows = samples.length + padding;
        distance.add(original[i]!, outputs, { samples: samples.length, rows });
        return i + 1 < original.length;
      });
      return distance.total();
    },
  };
}
