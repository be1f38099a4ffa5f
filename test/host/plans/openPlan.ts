import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import type { Place } from '../../../src/core/compress/parsePlanFile';
import { parsePlanFile } from '../../../src/core/compress/parsePlanFile';
import type { Target } from '../../../src/core/compress/plan';
import { printPlanFile } from '../../../src/core/compress/planFile';
import type { PlanDocument } from '../../../src/host/plans/planDocuments';
import { internals, until } from '../internals';

/** Layers of the sample, by what one calls them. */
export const LAYERS = {
  first: '/features/features.0/features.0.0/Conv',
  wide: '/features/features.8/features.8.0/Conv',
  fc1: '/fc1/Gemm',
  fc2: '/fc2/Gemm',
} as const;

/** The text of a plan that the engine makes for a model. */
export async function plannedText(model: vscode.Uri, target: Target): Promise<string> {
  const { host } = await internals();
  const { plan } = await host.engine.plan({ path: model.fsPath, target, method: 'auto' });
  return printPlanFile(plan);
}

let count = 0;

/**
 * Writes a plan beside a model and shows it in an editor. Each under a name of its own: VS Code keeps documents for a
 * while after their editors are closed.
 */
export async function openPlan(model: vscode.Uri, text: string): Promise<vscode.TextEditor> {
  const uri = vscode.Uri.joinPath(model, '..', `plan-${++count}.ranks.json`);
  writeFileSync(uri.fsPath, text);
  // Unlike openTextDocument this lets go of the document when its editor is closed.
  await vscode.commands.executeCommand('vscode.open', uri, { preview: false });
  const editor = vscode.window.activeTextEditor;
  assert.equal(editor?.document.uri.toString(), uri.toString());
  return editor!;
}

/** Closes all editors without saving. */
export async function closeAll(): Promise<void> {
  for (const editor of vscode.window.visibleTextEditors) {
    await vscode.window.showTextDocument(editor.document);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  }
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}

/** The plan in a document once there is a review of its text with everything measured. */
export async function measured(document: vscode.TextDocument): Promise<PlanDocument> {
  const { plans } = await internals();
  let state: PlanDocument | undefined;
  await until('a review of the plan', () => {
    state = plans.of(document);
    return state?.isCurrent === true && (state.failure !== undefined || state.review?.isMeasured === true);
  });
  return state!;
}

/** Replaces the one place where `from` stands, as typing would. */
export async function replace(editor: vscode.TextEditor, from: string, to: string): Promise<void> {
  const text = editor.document.getText();
  const offset = text.indexOf(from);
  assert.ok(offset >= 0 && text.indexOf(from, offset + 1) < 0, `${from} is there once`);
  const range = rangeOf(editor.document, { offset, length: from.length });
  assert.ok(await editor.edit((edit) => edit.replace(range, to)));
}

/** What our part says of a document, in the order of the text. */
export function squiggles(document: vscode.TextDocument): readonly vscode.Diagnostic[] {
  return vscode.languages
    .getDiagnostics(document.uri)
    .filter(({ source }) => source === 'Ranksmith')
    .sort((a, b) => a.range.start.compareTo(b.range.start));
}

/** The same as code, severity and the text underlined. */
export function squiggled(
  document: vscode.TextDocument,
): readonly (readonly [code: unknown, severity: string, text: string])[] {
  return squiggles(document).map(({ code, severity, range }) => [
    code,
    vscode.DiagnosticSeverity[severity]!,
    document.getText(range),
  ]);
}

export function rangeOf(document: vscode.TextDocument, { offset, length }: Place): vscode.Range {
  return new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));
}

/** What the light bulb offers where a piece of the text stands for the first time. */
export async function actionsAt(
  document: vscode.TextDocument,
  piece: string,
  kind?: vscode.CodeActionKind,
): Promise<readonly vscode.CodeAction[]> {
  const offset = document.getText().indexOf(piece);
  assert.ok(offset >= 0, `${piece} is in the text`);
  const ask = () =>
    vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      document.uri,
      rangeOf(document, { offset, length: piece.length }),
      kind?.value,
    );
  // In a fresh window it may be cancelled once.
  const all = await ask().then(undefined, ask);
  return all.filter(({ kind: each }) => each && !/^(source\.(?!fixAll)|refactor\.move)/.test(each.value));
}

/** The one action with this title. */
export function titled(actions: readonly vscode.CodeAction[], title: RegExp): vscode.CodeAction {
  const found = actions.filter((action) => title.test(action.title));
  assert.equal(found.length, 1, `${title} in ${JSON.stringify(actions.map((each) => each.title))}`);
  return found[0]!;
}

/** Does what choosing an action does. */
export async function carryOut({ edit, command }: vscode.CodeAction): Promise<void> {
  if (edit) assert.ok(await vscode.workspace.applyEdit(edit));
  if (command) await vscode.commands.executeCommand(command.command, ...(command.arguments ?? []));
}

/** The value of an entry, as it is written. */
export function entryIn(document: vscode.TextDocument, layer: string): string | undefined {
  const place = parsePlanFile(document.getText()).places.get(layer)?.entry;
  return place && document.getText(rangeOf(document, place));
}

/** A change of a text: the entry of a layer becomes this. */
export function withEntry(layer: string, value: string): (text: string) => string {
  return (text) => {
    const place = parsePlanFile(text).places.get(layer)!.entry;
    return text.slice(0, place.offset) + value + text.slice(place.offset + place.length);
  };
}
