import * as vscode from 'vscode';
import { parsePlanFile } from '../../core/compress/parsePlanFile';
import { parseTarget, printTarget, type Target } from '../../core/compress/plan';
import { planEdits } from '../../core/compress/planEdits';
import type { PlanFile } from '../../core/compress/planFile';
import { ModelError } from '../../core/onnx/modelError';
import type { Engine } from '../../worker/engine';
import type { Models } from '../models';
import { basename } from '../paths';
import { type PreviewTargets, pickGoal } from '../pickGoal';
import type { Suggestions } from '../suggestions';
import { withNotification } from '../withNotification';
import { openedPlan } from './openedPlan';
import { modelOf } from './planDocuments';
import { planEdit } from './planEdit';

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
}

/**
 * Makes the plan in a document anew, for another goal or another version of its model: multiple, seed and folding stay as
 * the plan has them. One edit of the text, so that one undo brings back what was there. Asks for a goal unless told one.
 */
export type Replan = (plan: vscode.Uri | ReplanArgument | undefined) => Promise<void>;

export function createReplan({ engine, models, suggestions }: Parts): Replan {
  async function replan(document: vscode.TextDocument, given: Target | undefined): Promise<void> {
    const old = planOf(document);
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
    const target = given ?? (await pickGoal(title, preview));
    if (!target || target.kind === 'plan') return;
    const notified = { title, cancelled: vscode.l10n.t('The plan stays as it was') };
    await withNotification(notified, async (call) => {
      const request = { ...models.request(model), ...settings, target, seed };
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

function planOf(document: vscode.TextDocument): PlanFile {
  const { plan, problems } = parsePlanFile(document.getText());
  if (plan) return plan;
  const { message, offset } = problems[0]!;
  const line = document.positionAt(offset).line + 1;
  throw new ModelError(
    'bad-plan',
    vscode.l10n.t('{0}, line {1}, has to be repaired first: {2}', document.uri.fsPath, line, message),
  );
}

function changedMeanwhile({ uri }: vscode.TextDocument): ModelError {
  return new ModelError(
    'bad-plan',
    vscode.l10n.t('{0} was changed meanwhile; nothing was done.', uri.fsPath),
  );
}
