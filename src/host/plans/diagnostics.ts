import * as vscode from 'vscode';
import { failureMark, type PlanMark, problemMarks, remarkMarks } from '../../core/compress/planMarks';
import { engineText } from '../engineText';
import type { PlanDocument, PlanDocuments } from './planDocuments';
import { rangeOf } from './planEdit';

/** Who says what stands under a squiggle. */
const SOURCE = 'Ranksmith';

/**
 * Squiggles and the Problems panel: what is wrong with the text of a plan at once, what its review says when there is
 * one of the text as it is. Until then the last word stays, so that nothing flickers while somebody types.
 */
export function createPlanDiagnostics(plans: PlanDocuments): vscode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection('ranksmith');
  /** What is shown of each document: measuring tells how far it is far more often than there is news. */
  const shown = new Map<string, PlanDocument>();

  const show = (state: PlanDocument) => {
    const { document, parsed } = state;
    if (parsed.plan && !state.isCurrent) return;
    const key = document.uri.toString();
    if (isSame(shown.get(key), state)) return;
    shown.set(key, state);
    collection.set(
      document.uri,
      marksOf(state).map((mark) => diagnosticOf(document, mark)),
    );
  };
  for (const document of vscode.workspace.textDocuments) {
    const state = plans.of(document);
    if (state) show(state);
  }
  return vscode.Disposable.from(
    collection,
    plans.onDidChange(show),
    plans.onDidClose(({ uri }) => {
      shown.delete(uri.toString());
      collection.delete(uri);
    }),
  );
}

/** Whether two states say the same: a text that is parsed anew, or reviewed anew, is another object. */
function isSame(one: PlanDocument | undefined, { parsed, review, failure }: PlanDocument): boolean {
  return one?.parsed === parsed && one.review === review && one.failure === failure;
}

function marksOf({ document, parsed, review, failure }: PlanDocument): readonly PlanMark[] {
  // What is no JSON at all is underlined, in better words, by VS Code itself.
  const isJson = document.languageId === 'json';
  if (!parsed.plan) return problemMarks(parsed).filter(({ code }) => !(isJson && code === 'syntax'));
  if (failure !== undefined) return [failureMark(parsed, failure)];
  return remarkMarks(parsed, review?.remarks ?? []);
}

/** What VS Code shows for it; code actions name what they do away with by an equal one. */
export function diagnosticOf(document: vscode.TextDocument, mark: PlanMark): vscode.Diagnostic {
  const { code, severity, message } = mark;
  const diagnostic = new vscode.Diagnostic(
    rangeOf(document, mark),
    engineText(message),
    SEVERITIES[severity],
  );
  diagnostic.source = SOURCE;
  diagnostic.code = code;
  return diagnostic;
}

const SEVERITIES = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
} as const;
