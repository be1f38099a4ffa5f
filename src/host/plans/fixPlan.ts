import * as vscode from 'vscode';
import { suggestedEntries } from '../../core/compress/planFixes';
import { ModelError } from '../../core/onnx/modelError';
import { layerCount } from '../counts';
import { enginePath } from '../enginePath';
import { engineText } from '../engineText';
import { basename } from '../paths';
import { openedPlan } from './openedPlan';
import { editsFor } from './planAction';
import type { PlanDocument, PlanDocuments } from './planDocuments';
import { planEdit } from './planEdit';

/** Applies every suggestion for a plan that is open, as one step for undo. Waits until everything is measured. */
export type FixPlan = (plan: vscode.Uri | undefined) => Promise<void>;

export function createFixPlan(plans: PlanDocuments): FixPlan {
  return async (uri) => {
    const document = await openedPlan(uri);
    if (!document) return;
    const name = basename(document.uri.fsPath);
    const title = vscode.l10n.t('Looking for what is better in {0}', name);
    const options = { location: vscode.ProgressLocation.Window, title };
    await vscode.window.withProgress(options, async (_, token) => {
      const state = await measuredPlan(plans, document, token);
      if (state) await fix(state, name);
    });
  };
}

async function fix(state: PlanDocument, name: string): Promise<void> {
  const { document, parsed, failure, review } = state;
  const problem = (parsed.problems[0] && engineText(parsed.problems[0].message)) ?? failure;
  if (problem !== undefined) throw new ModelError('bad-plan', `${enginePath(document.uri)}: ${problem}`);
  const entries = suggestedEntries(review!).map(({ entry }) => entry);
  const say = (text: string) => vscode.window.setStatusBarMessage(text, 5000);
  if (entries.length === 0) {
    say(vscode.l10n.t('There is nothing to suggest for {0}', name));
    return;
  }
  if (!(await vscode.workspace.applyEdit(planEdit(document, editsFor(state, entries))))) {
    const text = vscode.l10n.t('{0} was changed meanwhile; nothing was done.', enginePath(document.uri));
    throw new ModelError('bad-plan', text);
  }
  say(vscode.l10n.t('{0}: suggestions for {1} applied', name, layerCount(entries.length)));
}

/** What is known of a plan once all is measured, or it is known that nothing will be. */
async function measuredPlan(
  plans: PlanDocuments,
  document: vscode.TextDocument,
  token: vscode.CancellationToken,
): Promise<PlanDocument | undefined> {
  for (;;) {
    const state = await plans.settled(document, token);
    if (!state?.parsed.plan || state.failure !== undefined || state.review?.isMeasured) return state;
    await new Promise<void>((resolve) => {
      const both = vscode.Disposable.from(
        plans.onDidChange(() => end()),
        plans.onDidClose(() => end()),
      );
      const end = () => {
        both.dispose();
        resolve();
      };
    });
  }
}
