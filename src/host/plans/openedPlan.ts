import * as vscode from 'vscode';
import { PLAN_SELECTOR } from './planDocuments';

/** The document of a plan, or the plan in the active editor; undefined where there is none. */
export async function openedPlan(uri: vscode.Uri | undefined): Promise<vscode.TextDocument | undefined> {
  const document = uri
    ? await vscode.workspace.openTextDocument(uri)
    : vscode.window.activeTextEditor?.document;
  return document && vscode.languages.match(PLAN_SELECTOR, document) > 0 ? document : undefined;
}
