import * as vscode from 'vscode';
import type { Place } from '../../core/compress/parsePlanFile';
import type { LayerPlan } from '../../core/compress/plan';
import { entryEdits, type PlanEdit } from '../../core/compress/planEdits';
import type { PlanMark } from '../../core/compress/planMarks';
import type { PlanSetting } from '../../core/compress/planReview';
import { formatError, formatRanks } from '../../core/format';
import { diagnosticOf } from './diagnostics';
import type { PlanDocument } from './planDocuments';
import { planEdit, rangeOf } from './planEdit';

/** What is asked for: actions for a plan at a range of its text. */
export interface ActionQuery {
  readonly state: PlanDocument;
  readonly range: vscode.Range;
}

/** What an action changes, or runs instead. */
export type Doing =
  | { readonly edits: readonly PlanEdit[] }
  | { readonly command: string; readonly argument: unknown };

/** Whether a place meets the range that actions are asked for. */
export function touches({ state, range }: ActionQuery, place: Place): boolean {
  return rangeOf(state.document, place).intersection(range) !== undefined;
}

/** One entry of the light bulb's menu. With marks it is a quick fix that does away with them, else a change one may want. */
export function planAction(
  { document }: PlanDocument,
  title: string,
  marks: readonly PlanMark[],
  doing: Doing,
): vscode.CodeAction {
  const { QuickFix, RefactorRewrite } = vscode.CodeActionKind;
  const action = new vscode.CodeAction(title, marks.length > 0 ? QuickFix : RefactorRewrite);
  // VS Code finds the fixes of an entry in the Problems panel by these.
  if (marks.length > 0) action.diagnostics = marks.map((mark) => diagnosticOf(document, mark));
  if ('edits' in doing) action.edit = planEdit(document, doing.edits);
  else action.command = { title, command: doing.command, arguments: [doing.argument] };
  return action;
}

/** What makes entries of a plan what they shall be; nothing where its text has no place for them. */
export function editsFor(
  { document, parsed }: PlanDocument,
  entries: readonly LayerPlan[],
): readonly PlanEdit[] {
  return entryEdits(document.getText(), parsed, entries) ?? [];
}

/** "Use spatial with rank 192 (error 48 %)". */
export function settingTitle({ method, ranks, error, certainty }: PlanSetting): string {
  const shown = formatRanks(ranks);
  if (error === null) {
    return ranks.length === 1
      ? vscode.l10n.t('Use {0} with rank {1}', method, shown)
      : vscode.l10n.t('Use {0} with ranks {1}', method, shown);
  }
  const errorText = formatError(error, certainty);
  return ranks.length === 1
    ? vscode.l10n.t('Use {0} with rank {1} (error {2})', method, shown, errorText)
    : vscode.l10n.t('Use {0} with ranks {1} (error {2})', method, shown, errorText);
}
