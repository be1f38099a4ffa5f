import type { RuntimeTensor } from '../runtime';

/** Values for the inputs of a model, by name: what one run takes. */
export type InputBatch = ReadonlyMap<string, RuntimeTensor>;

/** Batches to run a model on. Iterating begins anew each time, and gives the same batches in the same order. */
export interface InputBatches extends AsyncIterable<InputBatch> {
  /** How many batches an iteration gives. */
  readonly count: number;
}

/** Batches that are in memory already. */
export function inputBatches(batches: readonly InputBatch[]): InputBatches {
  return {
    count: batches.length,
    async *[Symbol.asyncIterator]() {
      yield* batches;
    },
  };
}
