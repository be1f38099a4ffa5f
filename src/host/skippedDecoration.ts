import * as vscode from 'vscode';

/** Scheme of the addresses of rows that are shown greyed. They are nothing but a mark. */
export const SKIPPED_SCHEME = 'ranksmith-skipped';

/** Greys the label of layers that can't be factored: a tree item has no colour of its own. */
export function registerSkippedDecoration(): vscode.Disposable {
  const decoration: vscode.FileDecoration = { color: new vscode.ThemeColor('disabledForeground') };
  return vscode.window.registerFileDecorationProvider({
    provideFileDecoration: (uri) => (uri.scheme === SKIPPED_SCHEME ? decoration : undefined),
  });
}
