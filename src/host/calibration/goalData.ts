import * as vscode from 'vscode';
import type { DataOfGoal } from '../pickGoal';
import type { Calibrations } from './calibrations';
import { calibrationLine } from './calibrationText';
import type { ChooseCalibration } from './chooseCalibration';

/** The data of models as a pick of goals shows it. */
export type GoalData = (models: readonly vscode.Uri[]) => DataOfGoal;

export function createGoalData(calibrations: Calibrations, choose: ChooseCalibration): GoalData {
  return (models) => ({
    line() {
      const [only, ...others] = models;
      if (only && others.length === 0) return calibrationLine(calibrations.of(only));
      const count = models.filter((model) => calibrations.of(model)).length;
      return vscode.l10n.t('for {0} of {1} models', count, models.length);
    },
    isThere: () => models.length > 0 && models.every((model) => calibrations.of(model)),
    hasLabels: () => models.length > 0 && models.every((model) => calibrations.of(model)?.labels),
    heldBack() {
      const [only, ...others] = models;
      return only && others.length === 0 ? calibrations.of(only)?.heldBack : undefined;
    },
    async choose() {
      for (const model of models) if ((await choose(model)) === undefined) return;
    },
  });
}
