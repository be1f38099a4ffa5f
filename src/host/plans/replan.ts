import * as vscode from 'vscode';
import { parseTarget, printTarget, type Target } from '../../core/compress/plan';
import { planEdits } from '../../core/compress/planEdits';
import type { PlanFile } from '../../core/compress/planFile';
import { ModelError } from '../../core/onnx/modelError';
import type { Engine } from '../../worker/engine';
import { type Calibrations, requestOf } from '../calibration/calibrations';
import { calibrationLine } from '../calibration/calibrationText';
import type { GoalData } from '../calibration/goalData';
import { plannedCalibration } from '../calibration/planData';
import { enginePath } from '../enginePath';
import type { Models } from '../models';
import { basename } from '../paths';
import { type DataOfGoal, type PreviewTargets, pickGoal } from '../pickGoal';
import type { Suggestions } from '../suggestions';
import { withNotification } from '../withNotification';
import { openedPlan } from './openedPlan';
import { modelOf } from './planDocuments';
import { planEdit } from './planEdit';
import { wholePlan } from './wholePlan';

/** What *Re-plan…* takes instead of asking. */
export interface ReplanArgument {
  /** Of the plan. */
  readonly uri: vscode.Uri;
  /** As plans name it (`parameters=0.5`), or as data. */
  readonly goal?: string | Target;
}

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly suggestions: Suggestions;
  readonly calibrations: Calibrations;
  readonly goalData: GoalData;
}

/**
 * Makes the plan in a document anew, for another goal or another version of its model: multiple, seed and folding stay as
 * the plan has them, and so does the data it was made on unless other data was chosen for the model. One edit of the text, so that one undo brings back what was there. Asks for a goal unless told one.
 */
export type Replan = (plan: vscode.Uri | ReplanArgument | undefined) => Promise<void>;

export function createReplan({ engine, models, suggestions, calibrations, goalData }: Parts): Replan {
  /** What was chosen for the model; where nobody has, what the plan was made on. */
  function dataOf(uri: vscode.Uri, model: vscode.Uri, old: PlanFile) {
    const chosen = calibrations.of(model);
    const data = chosen === undefined ? plannedCalibration(calibrations, model, uri, old) : chosen;
    return data ? { calibration: requestOf(data) } : {};
  }

  async function replan(document: vscode.TextDocument, given: Target | undefined): Promise<void> {
    const old = wholePlan(document);
    const model = modelOf(document, old);
    const { foldNorms, seed } = old;
    // Where layers are planned each by itself there is no multiple to be kept.
    const isBudget = old.goal.kind === 'parameters' || old.goal.kind === 'macs';
    const settings = { method: 'auto', foldNorms, ...(isBudget ? { multiple: old.multiple } : {}) } as const;
    const preview: PreviewTargets = async (targets, call) => {
      const previews = await engine.preview({ ...models.request(model), ...settings, targets }, call);
      return previews.map((each) => [each]);
    };
    const name = basename(document.uri.fsPath);
    const title = vscode.l10n.t('Re-plan {0}', name);
    const target = given ?? (await pickGoal(title, preview, dataOfGoal(document.uri, model, old)));
    if (!target || target.kind === 'plan') return;
    const notified = { title, cancelled: vscode.l10n.t('The plan stays as it was') };
    await withNotification(notified, async (call) => {
      const request = {
        ...models.request(model),
        ...settings,
        target,
        seed,
        ...dataOf(document.uri, model, old),
      };
      const { plan } = await engine.plan(request, call);
      call.signal.throwIfAborted();
      // Looked up again: it may have been typed in meanwhile, or closed.
      const now = await vscode.workspace.openTextDocument(document.uri);
      const edits = planEdits(now.getText(), plan);
      const goal = printTarget(target);
      if (edits.length === 0) {
        vscode.window.setStatusBarMessage(
          vscode.l10n.t('{0} is what {1} leads to already', name, goal),
          5000,
        );
        return;
      }
      if (!(await vscode.workspace.applyEdit(planEdit(now, edits)))) throw changedMeanwhile(now);
      vscode.window.setStatusBarMessage(vscode.l10n.t('{0} made anew for {1}', name, goal), 5000);
    });
  }

  /** As long as nobody has chosen any for the model, that of the plan is what it will be. */
  function dataOfGoal(uri: vscode.Uri, model: vscode.Uri, old: PlanFile): DataOfGoal {
    const own = goalData([model]);
    const planned = () =>
      calibrations.of(model) === undefined ? plannedCalibration(calibrations, model, uri, old) : undefined;
    return {
      ...own,
      line: () => calibrationLine(planned() ?? calibrations.of(model)),
      isThere: () => planned() !== undefined || own.isThere(),
    };
  }

  return async (argument) => {
    const { uri, goal } =
      argument instanceof vscode.Uri || !argument ? { uri: argument, goal: undefined } : argument;
    const document = await openedPlan(uri);
    if (!document) return;
    const target = typeof goal === 'string' ? parseTarget(goal) : goal;
    if (goal !== undefined && !target) {
      const text = vscode.l10n.t('{0} is not a target.', JSON.stringify(goal));
      throw new ModelError('unreachable-target', text);
    }
    await suggestions.pauseDuring(() => replan(document, target));
  };
}

function changedMeanwhile({ uri }: vscode.TextDocument): ModelError {
  return new ModelError(
    'bad-plan',
    vscode.l10n.t('{0} was changed meanwhile; nothing was done.', enginePath(uri)),
  );
}
