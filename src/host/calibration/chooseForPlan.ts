import * as vscode from 'vscode';
import { parsePlanFile } from '../../core/compress/parsePlanFile';
import { printTarget } from '../../core/compress/plan';
import { type PlanFile, printCalibration } from '../../core/compress/planFile';
import { ModelError } from '../../core/onnx/modelError';
import { COMMANDS } from '../../ids';
import type { Engine } from '../../worker/engine';
import { enginePath } from '../enginePath';
import type { Models } from '../models';
import { basename } from '../paths';
import { openedPlan } from '../plans/openedPlan';
import { modelOf } from '../plans/planDocuments';
import { planEdit } from '../plans/planEdit';
import { wholePlan } from '../plans/wholePlan';
import { withNotification } from '../withNotification';
import { type Calibration, type Calibrations, requestOf } from './calibrations';
import { dataName } from './calibrationText';
import type { ChooseCalibration } from './chooseCalibration';
import { plannedCalibration } from './planData';

/** Asks for the data of a plan; where it is other data than the plan was made on, what is to become of the plan. */
export type ChooseForPlan = (plan: vscode.Uri | undefined) => Promise<void>;

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly calibrations: Calibrations;
  readonly choose: ChooseCalibration;
}

export function createChooseForPlan({ engine, models, calibrations, choose }: Parts): ChooseForPlan {
  /** What a plan that is made on this data says of it. */
  async function identityOf(model: vscode.Uri, { seed }: PlanFile, chosen: Calibration) {
    const title = vscode.l10n.t('Reading {0}', dataName(chosen));
    const notified = { title, cancelled: vscode.l10n.t('The plan stays as it was') };
    return withNotification(notified, async ({ signal }) => {
      const request = { ...models.request(model), calibration: requestOf(chosen), seed, identify: true };
      return (await engine.describeCalibration(request, { signal })).identity ?? null;
    });
  }

  return async (uri) => {
    const document = await openedPlan(uri);
    if (!document) return;
    const plan = wholePlan(document);
    const model = modelOf(document, plan);
    const chosen = await choose(model, {
      current: calibrations.of(model) ?? plannedCalibration(calibrations, model, document.uri, plan),
    });
    if (chosen === undefined) return;
    const identity = chosen && (await identityOf(model, plan, chosen));
    const name = basename(document.uri.path);
    if (identity?.sha256 === plan.calibration?.sha256) {
      const same = chosen
        ? vscode.l10n.t('{0} is what {1} was made on', dataName(chosen), name)
        : vscode.l10n.t('{0} was made without data', name);
      vscode.window.setStatusBarMessage(same, 5000);
      return;
    }
    const goal = printTarget(plan.goal);
    const replan = {
      label: `$(target) ${vscode.l10n.t('Re-plan for {0}', goal)}`,
      detail: chosen
        ? vscode.l10n.t('Methods and ranks by what {0} says', dataName(chosen))
        : vscode.l10n.t('Methods and ranks by the weights alone'),
    };
    const keep = {
      label: `$(check) ${vscode.l10n.t('Keep methods and ranks')}`,
      detail: chosen
        ? vscode.l10n.t('Factors are fitted to {0}, and the plan says so', dataName(chosen))
        : vscode.l10n.t('Factors follow from the weights alone, and the plan says so'),
    };
    const choice = await vscode.window.showQuickPick([replan, keep], {
      title: plan.calibration
        ? vscode.l10n.t('{0} was made on other data', name)
        : vscode.l10n.t('{0} was made without data', name),
      ignoreFocusOut: true,
    });
    if (choice === replan) await vscode.commands.executeCommand(COMMANDS.replan, { uri: document.uri, goal });
    if (choice !== keep) return;
    const text = identity ? printCalibration(identity) : 'null';
    const place = parsePlanFile(document.getText()).members.get('calibration');
    if (place && (await vscode.workspace.applyEdit(planEdit(document, [{ ...place, text }])))) return;
    throw new ModelError(
      'bad-plan',
      vscode.l10n.t('{0} was changed meanwhile; nothing was done.', enginePath(document.uri)),
    );
  };
}
