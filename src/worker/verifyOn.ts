import type { AnalyzedModel } from '../core/compress/analyzeModel';
import { calibrationInputs, checkHeldBack, type HeldBackCheck } from './calibrate/heldBackError';
import { openCalibration } from './calibration/calibrationData';
import { readLabels } from './calibration/labels';
import type { CalibrationRequest } from './engine';
import { type ModelInputs, modelInputs } from './modelInputs';
import type { OpenModel } from './openModel';
import type { Runtime } from './runtime';
import { type Comparison, verifyModels } from './verifyModels';

/** Two models, and what to run them on: samples, an .npy file, or else random numbers. */
export interface VerifyRequest {
  readonly first: OpenModel;
  readonly second: OpenModel;
  readonly before: AnalyzedModel;
  readonly npy?: string | undefined;
  readonly calibration?: CalibrationRequest | undefined;
  readonly seed?: number | undefined;
}

/** Compares and times two models; with calibration data on the samples that are held back of it. */
export async function verifyOn(
  runtime: Runtime,
  { first, second, before: { bind, totals }, npy, calibration, seed }: VerifyRequest,
  signal: AbortSignal | undefined,
  onProgress: (done: number) => void,
): Promise<Omit<Comparison, 'outputs'> & HeldBackCheck & { readonly inputs: ModelInputs }> {
  if (!calibration) {
    const inputs = modelInputs(first.model, bind, npy, seed);
    const { outputs, ...times } = await verifyModels(runtime, first, second, inputs, signal, onProgress);
    return { inputs, ...times, ...outputs.result() };
  }
  const options = { ...calibration, ...(seed === undefined ? {} : { seed }) };
  const data = await openCalibration(first.model, bind, options, signal);
  try {
    const inputs = calibrationInputs(data);
    const { outputs: _, ...timed } = await verifyModels(runtime, first, second, inputs, signal, (done) =>
      onProgress(done / 2),
    );
    const labels = calibration.labels === undefined ? undefined : readLabels(calibration.labels, data.count);
    const on = { data, macs: totals.macs, labels };
    const check = await checkHeldBack(runtime, first, second, on, signal, (done) =>
      onProgress((1 + done) / 2),
    );
    return { ...timed, inputs, ...check };
  } finally {
    data.close();
  }
}
