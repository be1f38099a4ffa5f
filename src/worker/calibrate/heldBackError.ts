import type { Verification } from '../../core/compress/report';
import { counted } from '../../core/counted';
import { calibrationBatches, samplesPerRun, spread } from '../activations/inputBatches';
import type { Batch } from '../calibration/batches';
import type { CalibrationData } from '../calibration/calibrationData';
import type { ModelInputs } from '../modelInputs';
import { outputComparison } from '../outputComparison';
import { runBatches } from '../parts/runBatches';
import { basename } from '../platform/paths';
import { pause } from '../platform/pause';
import type { Runtime, RuntimeTensor } from '../runtime';
import type { RunnableModel } from '../verifyModels';
import { countRight } from './countRight';
import type { CalibratedOn } from './tools';

/** The samples that results are checked on: those held back, or where there are none those they were fitted to. */
export function checkedSamples({ fit, heldBack }: CalibrationData): readonly number[] {
  return heldBack.length > 0 ? heldBack : fit;
}

/** One sample of calibration data as inputs to time models on, described as all that are checked. */
export function calibrationInputs(data: CalibrationData): ModelInputs {
  const samples = checkedSamples(data);
  const [first] = data.batches(samples.slice(0, 1), 1);
  const count = counted(samples.length, 'sample');
  const source = basename(data.source);
  return {
    tensors: first!.tensors,
    description:
      data.heldBack.length > 0 ? `${count} held back of ${source}` : `${count}, none held back, of ${source}`,
    assumed: data.assumed,
  };
}

/** What of the outputs is left, on all samples that a model is checked on. */
export type HeldBackCheck = Pick<Verification, 'outputError' | 'decisions' | 'onFitted' | 'accuracy'>;

/** Samples that factors were fitted to which are looked at besides. */
const MOST_FITTED = 512;

/** Holds a model against the original on all samples that it is checked on. Throws ModelErrors, and the signal's reason between runs. */
export async function checkHeldBack(
  runtime: Runtime,
  original: RunnableModel,
  compressed: RunnableModel & { readonly bytes?: Uint8Array },
  { data, macs, labels }: Pick<CalibratedOn, 'data' | 'macs' | 'labels'>,
  signal?: AbortSignal,
  onProgress: (done: number) => void = () => {},
): Promise<HeldBackCheck> {
  const right = labels && countRight(labels, original.path);
  const first = await runtime.open(original.path, original.externalFiles);
  try {
    const second = await runtime.open(compressed.path, compressed.externalFiles, compressed.bytes);
    try {
      const compared = async (samples: readonly number[], isMain: boolean) => {
        const batches = calibrationBatches(data, samples, samplesPerRun(macs));
        const comparison = outputComparison(compressed.path);
        let done = 0;
        for await (const { batch, outputs } of runBatches([first, second], batches, signal)) {
          const [own, other] = outputs.map((each) => unpadded(each, batch));
          comparison.add(own!, other!, batch.samples.length);
          if (isMain) {
            right?.add(own!, other!, batch.samples);
            onProgress(++done / batches.count);
          }
          // Runs are synchronous inside: whoever wants to cancel is listened to here.
          await pause();
        }
        return comparison.result();
      };
      const check = await compared(checkedSamples(data), true);
      const isLong = check.decisions?.shape === 'steps' && data.heldBack.length > 0;
      return {
        ...check,
        ...(isLong ? { onFitted: await compared(spread(data.fit, MOST_FITTED), false) } : {}),
        ...(right ? { accuracy: right.result() } : {}),
      };
    } finally {
      await second.release();
    }
  } finally {
    await first.release();
  }
}

/** Without the rows that only fill up a run, where the samples are the outermost axis. */
export function unpadded(
  outputs: ReadonlyMap<string, RuntimeTensor>,
  { samples, padding }: Batch,
): ReadonlyMap<string, RuntimeTensor> {
  if (padding === 0) return outputs;
  const rows = samples.length + padding;
  return new Map(
    [...outputs].map(([name, tensor]) => {
      if (tensor.dims[0] !== rows) return [name, tensor];
      const length = (tensor.data.length / rows) * samples.length;
      const data = (tensor.data as Float32Array).slice(0, length);
      return [name, { ...tensor, dims: [samples.length, ...tensor.dims.slice(1)], data }];
    }),
  );
}
