import type { Batch } from '../calibration/batches';
import type { RuntimeSession, RuntimeTensor } from '../runtime';

/** The outputs of one run. */
export type Outputs = ReadonlyMap<string, RuntimeTensor>;

/** A batch with what each of some sessions gives for it, until the next one is asked for. */
export interface BatchRun {
  readonly batch: Batch;
  readonly outputs: readonly Outputs[];
}

const NOTHING: Outputs = new Map();

/** Runs sessions on all batches: one by one, or where one of them runs in parts, on several at once, as that loads each part anew. */
export async function* runBatches(
  sessions: readonly RuntimeSession[],
  batches: AsyncIterable<Batch> | Iterable<Batch>,
  signal?: AbortSignal,
): AsyncGenerator<BatchRun> {
  const room = ({ tensors }: Batch) =>
    Math.min(...sessions.flatMap(({ parted }) => (parted ? [parted.room(tensors)] : [])));
  const isWhole = sessions.every(({ parted }) => !parted);
  let waiting: Batch[] = [];

  async function* runWaiting(): AsyncGenerator<BatchRun> {
    const all: Outputs[][] = [];
    for (const { parted, run } of sessions) {
      signal?.throwIfAborted();
      const inputs = waiting.map(({ tensors }) => tensors);
      if (parted) all.push([...(await parted.runAll(inputs))]);
      else {
        const own: Outputs[] = [];
        for (const each of inputs) own.push(await run(each));
        all.push(own);
      }
    }
    for (const [i, batch] of waiting.entries()) {
      const outputs = all.map((own) => own[i]!);
      for (const own of all) own[i] = NOTHING;
      yield { batch, outputs };
      // Not held while the next run makes its own, by whomever it was given to.
      outputs.length = 0;
    }
    waiting = [];
  }

  for await (const batch of batches) {
    signal?.throwIfAborted();
    waiting.push(batch);
    if (isWhole || waiting.length >= room(batch)) yield* runWaiting();
  }
  if (waiting.length > 0) yield* runWaiting();
}
