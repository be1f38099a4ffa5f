import * as vscode from 'vscode';
import { nameOf } from './fileNames';

/** A model that is written anew changes several times in a row. */
const QUIET_MS = 200;

/** Calls `onChange` after one of these files came, went or changed, wherever they are; at most once for a burst of changes. */
export function watchFiles(uris: readonly vscode.Uri[], onChange: () => void): vscode.Disposable {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(onChange, QUIET_MS);
  };
  const folders = new Map<string, Set<string>>();
  for (const uri of uris) {
    const folder = vscode.Uri.joinPath(uri, '..').toString();
    folders.set(folder, (folders.get(folder) ?? new Set()).add(nameOf(uri)));
  }
  const watchers = [...folders].flatMap(([folder, names]) => {
    // A pattern of a name would have to be escaped, and can't be everywhere.
    const watcher = vscode.workspace.createFileSystemWatcher(
      new vscode.RelativePattern(vscode.Uri.parse(folder), '*'),
    );
    const unlessOther = (uri: vscode.Uri) => {
      if (names.has(nameOf(uri))) later();
    };
    return [
      watcher,
      watcher.onDidCreate(unlessOther),
      watcher.onDidChange(unlessOther),
      watcher.onDidDelete(unlessOther),
    ];
  });
  return vscode.Disposable.from(...watchers, { dispose: () => clearTimeout(timer) });
}
