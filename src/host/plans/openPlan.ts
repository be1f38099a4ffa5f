import * as vscode from 'vscode';
import type { Engine } from '../../worker/engine';
import { type Calibrations, requestOf } from '../calibration/calibrations';
import type { GoalData } from '../calibration/goalData';
import type { Models } from '../models';
import { basename } from '../paths';
import { type PreviewTargets, pickGoal } from '../pickGoal';
import type { Suggestions } from '../suggestions';
import { withNotification } from '../withNotification';
import { planDocument, planSource } from './planSource';
import { planUri } from './planUri';
import { writePlan } from './writePlan';

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly suggestions: Suggestions;
  /** What goals would give for models. */
  preview(sources: readonly vscode.Uri[]): PreviewTargets;
  readonly calibrations: Calibrations;
  readonly goalData: GoalData;
}

/** Opens the plan beside a model. Where there is none, asks for a goal and makes one for it; says whether it did. */
export type OpenPlan = (model: vscode.Uri) => Promise<'opened' | 'made' | 'cancelled'>;

export function createOpenPlan({
  engine,
  models,
  suggestions,
  preview,
  calibrations,
  goalData,
}: Parts): OpenPlan {
  /** False when cancelled. */
  async function make(model: vscode.Uri): Promise<boolean> {
    const title = vscode.l10n.t('Plan for {0}', basename(model.fsPath));
    const choice = await pickGoal(title, preview([model]), goalData([model]));
    if (!choice || choice.kind === 'plan') return false;
    const notified = { title, cancelled: vscode.l10n.t('No plan was made') };
    await withNotification(notified, async (call) => {
      const chosen = calibrations.of(model);
      const data = chosen ? { calibration: requestOf(chosen) } : {};
      const request = { ...models.request(model), target: choice, method: 'auto' as const, ...data };
      const { plan } = await engine.plan(request, call);
      call.signal.throwIfAborted();
      await writePlan(planUri(model), plan);
    });
    return true;
  }

  return async (model) => {
    const uri = planUri(model);
    const isThere = (await planSource(uri)) !== undefined;
    if (!isThere && !(await suggestions.pauseDuring(() => make(model)))) return 'cancelled';
    await vscode.window.showTextDocument(await planDocument(uri));
    return isThere ? 'opened' : 'made';
  };
}
