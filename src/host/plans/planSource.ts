import * as vscode from 'vscode';

/** The text of a plan as it is now. */
export interface PlanSource {
  readonly text: string;
  /** Whether it is that of an editor and not yet that of the file. */
  readonly isDirty: boolean;
}

/** VS Code notices that a file changed with some delay. */
const RELOAD_TRIES = 50;
const RELOAD_PAUSE_MS = 100;

/** What counts as the text of a plan: that of an editor while it is not saved, else that of the file; undefined without either. */
export async function planSource(uri: vscode.Uri): Promise<PlanSource | undefined> {
  const text = await fileText(uri);
  // Of a file that is gone VS Code keeps the document for a while.
  const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
  if (document?.isDirty) return { text: document.getText(), isDirty: true };
  return text === undefined ? undefined : { text, isDirty: false };
}

/** The document of a plan, holding what counts as its text. */
export async function planDocument(uri: vscode.Uri): Promise<vscode.TextDocument> {
  const document = await vscode.workspace.openTextDocument(uri);
  for (let left = RELOAD_TRIES; left > 0 && !document.isDirty; left--) {
    const text = await fileText(uri);
    if (text === undefined || withoutReturns(text) === withoutReturns(document.getText())) break;
    await new Promise((resolve) => setTimeout(resolve, RELOAD_PAUSE_MS));
  }
  return document;
}

/** Undefined where there is no such file. */
async function fileText(uri: vscode.Uri): Promise<string | undefined> {
  return vscode.workspace.fs.readFile(uri).then(
    (bytes) => new TextDecoder().decode(bytes),
    () => undefined,
  );
}

/** An editor may have made the ends of all lines the same. */
function withoutReturns(text: string): string {
  return text.replaceAll('\r\n', '\n');
}
