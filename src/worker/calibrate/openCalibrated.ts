import type { PlanCalibration, PlanFile } from '../../core/compress/planFile';
import type { DataTrouble } from '../../core/compress/reviewPlan';
import type { Model } from '../../core/onnx/model';
import { ModelError } from '../../core/onnx/modelError';
import { type CalibrationData, openCalibration } from '../calibration/calibrationData';
import { NO_PREPROCESSING, plannedPreprocessing, printPreprocessing } from '../calibration/preprocessing';
import type { CalibrationRequest } from '../engine';
import { existsSync } from '../platform/files';
import { basename, dirname, join } from '../platform/paths';

/** Options whose values the plan has members for. */
const OWN = ['--mean', '--std'];

/** What a plan says of the data it was made on. */
export async function planCalibration(
  data: CalibrationData,
  { path, preprocessing = NO_PREPROCESSING }: CalibrationRequest,
  signal?: AbortSignal,
): Promise<PlanCalibration> {
  const words = printPreprocessing({ ...preprocessing, mean: [], std: [] });
  return {
    file: basename(path),
    sha256: await data.hash(signal),
    mean: preprocessing.mean,
    std: preprocessing.std,
    samples: data.fit.length + data.heldBack.length,
    options: words.filter((word) => !OWN.includes(word)),
  };
}

/** What is wrong with the data of a plan at this path; null: it is what the plan was made on. Only trouble with data is an answer. */
export async function findDataTrouble(
  model: Model,
  given: ReadonlyMap<string, number>,
  plan: PlanFile & { readonly calibration: PlanCalibration },
  path: string,
  signal?: AbortSignal,
): Promise<DataTrouble | null> {
  try {
    const data = await openPlanned(model, given, plan, { calibration: { path }, beside: path }, signal);
    data.close();
    return null;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { code: error.code === 'bad-plan' ? 'other-data' : 'no-data', message: error.message };
  }
}

/**
 * The data that a plan was made on: the file that is given, or the one of that name beside the plan, read as the plan says.
 * Throws 'bad-data' where it is missing, and 'bad-plan' where it is other data.
 */
export async function openPlanned(
  model: Model,
  given: ReadonlyMap<string, number>,
  { calibration, seed }: PlanFile & { readonly calibration: PlanCalibration },
  place: { readonly calibration?: CalibrationRequest | undefined; readonly beside: string },
  signal?: AbortSignal,
): Promise<CalibrationData> {
  const path = place.calibration?.path ?? join(dirname(place.beside), calibration.file);
  if (!existsSync(path)) {
    throw new ModelError(
      'bad-data',
      `The plan was made on the calibration data ${calibration.file}, and ${path} does not exist. Say where it is, or make the plan anew.`,
    );
  }
  const preprocessing = plannedPreprocessing(calibration);
  const options = { path, preprocessing, limit: calibration.samples, seed };
  const data = await openCalibration(model, given, options, signal);
  try {
    if ((await data.hash(signal)) === calibration.sha256) return data;
    throw new ModelError(
      'bad-plan',
      `The plan was made on other calibration data: ${path} is not what ${calibration.file} was then. Make it anew.`,
    );
  } catch (error) {
    data.close();
    throw error;
  }
}
