import * as vscode from 'vscode';
import type { Place } from '../../core/compress/parsePlanFile';
import type { PlanEdit } from '../../core/compress/planEdits';

/** Pieces of a document's text that are replaced, as one step for undo. */
export function planEdit(document: vscode.TextDocument, edits: readonly PlanEdit[]): vscode.WorkspaceEdit {
  const change = new vscode.WorkspaceEdit();
  for (const edit of edits) change.replace(document.uri, rangeOf(document, edit), edit.text);
  return change;
}

/** A piece of a document's text as VS Code counts it. */
export function rangeOf(document: vscode.TextDocument, { offset, length }: Place): vscode.Range {
  return new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));
}
