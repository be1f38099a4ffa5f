import * as vscode from 'vscode';
import { SCHEMA_SCHEME } from '../../ids';

/** What the keys of the schema's texts end with in the bundles: a comment, in VS Code's format. */
const MARK = '/schema';
/** Members of a schema that people read. */
const READ = new Set(['title', 'description', 'markdownDescription']);

/**
 * Gives VS Code the schema of plans with its descriptions in the language of the editor. A schema that is contributed as a file
 * can't be translated; one of an address of our own is asked for like any document (and has the extension activated).
 */
export function registerPlanSchema(extension: vscode.Uri): vscode.Disposable {
  const file = vscode.Uri.joinPath(extension, 'media', 'plan.schema.json');
  return vscode.workspace.registerTextDocumentContentProvider(SCHEMA_SCHEME, {
    async provideTextDocumentContent() {
      const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
      const { bundle } = vscode.l10n;
      if (!bundle) return text;
      const translated: unknown = JSON.parse(text, (key, value: unknown) =>
        READ.has(key) && typeof value === 'string' ? (bundle[value + MARK] ?? value) : value,
      );
      return JSON.stringify(translated, undefined, 2);
    },
  });
}
