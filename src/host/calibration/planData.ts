import * as vscode from 'vscode';
import type { PlanFile } from '../../core/compress/planFile';
import { plannedPreprocessing } from '../../worker/calibration/preprocessing';
import { basename } from '../paths';
import type { Calibration, Calibrations } from './calibrations';
import { dataName } from './calibrationText';

/**
 * Where the data is looked for that a plan was made on: what was chosen for the model, if that is called so; else beside the
 * plan. undefined for a plan without.
 */
export function planData(
  calibrations: Calibrations,
  model: vscode.Uri,
  plan: vscode.Uri,
  { calibration }: PlanFile,
): vscode.Uri | undefined {
  if (!calibration) return undefined;
  const chosen = calibrations.of(model);
  const name = basename(calibration.file);
  return chosen && dataName(chosen) === name ? chosen.uri : vscode.Uri.joinPath(plan, '..', name);
}

/** That data as the plan says it is read. Throws a ModelError where that can't be understood. */
export function plannedCalibration(
  calibrations: Calibrations,
  model: vscode.Uri,
  plan: vscode.Uri,
  file: PlanFile,
): Calibration | undefined {
  const uri = planData(calibrations, model, plan, file);
  if (!uri || !file.calibration) return undefined;
  const { samples } = file.calibration;
  const preprocessing = plannedPreprocessing(file.calibration);
  return { uri, preprocessing, limit: samples, samples, heldBack: Math.floor(samples / 8) };
}
