import type { Batch } from '../calibration/batches';
import type { CalibrationData } from '../calibration/calibrationData';

/** Batches to run a model on. Iterating begins anew each time, and gives the same batches in the same order. */
export interface InputBatches extends AsyncIterable<Batch> {
  /** How many batches an iteration gives. */
  readonly count: number;
}

/** Some samples of calibration data (rising indices) in batches of `size`, or of what the model takes. */
export function calibrationBatches(
  data: Pick<CalibrationData, 'batches' | 'fixedRows'>,
  samples: readonly number[],
  size: number,
): InputBatches {
  return {
    count: Math.ceil(samples.length / (data.fixedRows ?? Math.max(1, Math.floor(size)))),
    async *[Symbol.asyncIterator]() {
      yield* data.batches(samples, size);
    },
  };
}

/**
 * The same samples, each batch with some from all over them: batches are alike then, however the data is sorted.
 */
export function stridedBatches(
  data: Pick<CalibrationData, 'batches' | 'fixedRows'>,
  samples: readonly number[],
  size: number,
): InputBatches {
  const { count } = calibrationBatches(data, samples, size);
  return {
    count,
    async *[Symbol.asyncIterator]() {
      for (let k = 0; k < count; k++)
        yield* data.batches(
          samples.filter((_, i) => i % count === k),
          size,
        );
    },
  };
}

/** At most so many samples, from all over them. */
export function spread(samples: readonly number[], most: number): readonly number[] {
  const count = Math.min(most, samples.length);
  return Array.from({ length: count }, (_, i) => samples[Math.floor((i * samples.length) / count)]!);
}

/** Multiply-adds of one run: nobody is listened to while a runtime works, so a run should take a fraction of a second. */
const RUN_MACS = 2e9;
const MOST_SAMPLES = 64;

/** How many samples to put into one run, from the multiply-adds that one takes; null: unknown. */
export function samplesPerRun(macs: number | null): number {
  return macs === null ? 1 : Math.max(1, Math.min(MOST_SAMPLES, Math.floor(RUN_MACS / macs)));
}
