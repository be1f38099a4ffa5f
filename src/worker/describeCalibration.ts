import { analyzeModel } from '../core/compress/analyzeModel';
import { ModelError } from '../core/onnx/modelError';
import { planCalibration } from './calibrate/openCalibrated';
import { openCalibration } from './calibration/calibrationData';
import { normFit, normWarnings } from './calibration/normFit';
import type { CallOptions, DescribedCalibration, Engine } from './engine';
import { type OpenModel, openModel } from './openModel';
import type { Runtime } from './runtime';

/** Tells what data for a model is like, as {@link Engine.describeCalibration} says. */
export async function describeCalibration(
  runtime: () => Runtime,
  { path, dims = {}, calibration, seed, identify = false }: Parameters<Engine['describeCalibration']>[0],
  { signal }: CallOptions,
): Promise<DescribedCalibration> {
  const open = openModel(path);
  try {
    const { bind } = analyzeModel(open.model, { dims, openExternal: open.openExternal });
    const options = { ...calibration, ...(seed === undefined ? {} : { seed }) };
    const data = await openCalibration(open.model, bind, options, signal);
    try {
      const description = await data.describe(signal);
      const fitToNorm = await fitOf(runtime, open, data, signal);
      return {
        ...description,
        ...(fitToNorm ? { fitToNorm, warnings: [...normWarnings(fitToNorm), ...description.warnings] } : {}),
        ...(identify ? { identity: await planCalibration(data, calibration, signal) } : {}),
      };
    } finally {
      data.close();
    }
  } finally {
    open.close();
  }
}

/** A model that no runtime takes is no reason not to look at the data. */
async function fitOf(
  runtime: () => Runtime,
  open: OpenModel,
  data: Parameters<typeof normFit>[2],
  signal: AbortSignal | undefined,
) {
  try {
    return await normFit(runtime(), open, data, signal);
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}
