import * as vscode from 'vscode';
import { suggestedEntries } from '../../core/compress/planFixes';
import { remarkMarks } from '../../core/compress/planMarks';
import type { PlanReview } from '../../core/compress/planReview';
import type { Engine } from '../../worker/engine';
import { layerCount } from '../counts';
import type { Failures } from '../failures';
import type { Models } from '../models';
import { dataActions } from './dataActions';
import { entryActions, touchedLayers } from './entryActions';
import { goalActions } from './goalActions';
import { methodActions } from './methodActions';
import { otherMethods } from './otherMethods';
import { type ActionQuery, editsFor, planAction } from './planAction';
import { PLAN_SELECTOR, type PlanDocuments } from './planDocuments';

interface Parts {
  readonly plans: PlanDocuments;
  readonly engine: Engine;
  readonly models: Models;
  readonly failures: Failures;
}

const { QuickFix, RefactorRewrite, SourceFixAll } = vscode.CodeActionKind;

/** *Fix all* of a plan, for `editor.codeActionsOnSave` and the menu of source actions. */
const FIX_ALL = SourceFixAll.append('ranksmith');

/** The light bulb in plans: what would do away with a remark, and what a planner would make of a layer. */
export function createQuickFixes({ plans, ...parts }: Parts): vscode.Disposable {
  const provider: vscode.CodeActionProvider = {
    async provideCodeActions(document, range, { only, triggerKind }, token) {
      const state = await plans.settled(document, token);
      if (!state || token.isCancellationRequested) return [];
      const query = { state, range };
      if (!state.parsed.plan) return [...methodActions(query)];
      const { review } = state;
      if (!review) return [];
      const actions: vscode.CodeAction[] = [
        ...goalActions(query, review),
        ...dataActions(query, review),
        ...entryActions(query, review),
        ...allActions(query, review),
        ...sourceActions(query, review, only),
      ];
      // A bulb is looked for wherever the cursor rests: what takes a call waits until somebody opens its menu.
      const isAsked = triggerKind === vscode.CodeActionTriggerKind.Invoke;
      if (isAsked && (!only || only.intersects(RefactorRewrite))) {
        const { version } = document;
        const abort = new AbortController();
        const cancelling = token.onCancellationRequested(() => abort.abort());
        actions.push(...(await otherMethods(query, review, parts, abort.signal)));
        cancelling.dispose();
        // Somebody typed meanwhile: what was found belongs to places that have moved. VS Code asks again.
        if (document.version !== version) return [];
      }
      return actions;
    },
  };
  const providedCodeActionKinds = [QuickFix, RefactorRewrite, FIX_ALL];
  return vscode.languages.registerCodeActionsProvider(PLAN_SELECTOR, provider, { providedCodeActionKinds });
}

/** All suggestions at once, where one of them is. */
function allActions(query: ActionQuery, review: PlanReview): readonly vscode.CodeAction[] {
  const { state } = query;
  const all = suggestedEntries(review);
  const marks = remarkMarks(
    state.parsed,
    all.map(({ remark }) => remark),
  );
  const layers = touchedLayers(query);
  if (all.length < 2 || !all.some(({ entry }) => layers.includes(entry.layer))) return [];
  const title = vscode.l10n.t('Apply all suggestions ({0})', layerCount(all.length));
  const entries = all.map(({ entry }) => entry);
  return [planAction(state, title, marks, { edits: editsFor(state, entries) })];
}

/** The same for whoever asks for source actions. */
function sourceActions(
  { state }: ActionQuery,
  review: PlanReview,
  only: vscode.CodeActionKind | undefined,
): readonly vscode.CodeAction[] {
  if (!only?.intersects(FIX_ALL)) return [];
  // Who has all languages' fixes made on saving did not mean that ranks set by hand go.
  const isGeneral = only.value === SourceFixAll.value;
  const entries = suggestedEntries(review, isGeneral).map(({ entry }) => entry);
  if (entries.length === 0) return [];
  const title = isGeneral
    ? vscode.l10n.t('Repair entries that can’t be carried out or save nothing')
    : vscode.l10n.t('Apply all suggestions');
  const action = planAction(state, title, [], { edits: editsFor(state, entries) });
  action.kind = FIX_ALL;
  return [action];
}
