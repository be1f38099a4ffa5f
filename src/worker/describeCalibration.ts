import type { DimBindings } from '../core/compress/analysis';
import { analyzeModel } from '../core/compress/analyzeModel';
import { ModelError } from '../core/onnx/modelError';
import { judgeLabels } from './calibrate/judgeLabels';
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
    const analyze = (sizes: DimBindings) =>
      analyzeModel(open.model, { dims: { ...sizes, ...dims }, openExternal: open.openExternal });
    const options = { ...calibration, ...(seed === undefined ? {} : { seed }) };
    const data = await openCalibration(open.model, analyze({}).bind, options, signal);
    try {
      const description = await data.describe(signal);
      const fitToNorm = await fitOf(runtime, open, data, signal);
      const { labels, warnings: odd = [] } =
        calibration.labels === undefined || identify
          ? {}
          : await judgeLabels(
              runtime,
              { open, data, macs: analyze(data.sizes).totals.macs },
              calibration.labels,
              signal,
            );
      return {
        ...description,
        warnings: [...(fitToNorm ? normWarnings(fitToNorm) : []), ...odd, ...description.warnings],
        ...(fitToNorm ? { fitToNorm } : {}),
        ...(labels ? { labels } : {}),
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
