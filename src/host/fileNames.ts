import * as vscode from 'vscode';

/** The last part of a file's path. */
export function nameOf(uri: vscode.Uri): string {
  return uri.path.split('/').at(-1) ?? uri.path;
}

/** The folder of a file as the explorer shows it; '' at the top of the only workspace folder. */
export function placeOf(uri: vscode.Uri): string {
  const folder = vscode.Uri.joinPath(uri, '..');
  const text = vscode.workspace.asRelativePath(folder);
  return vscode.workspace.workspaceFolders?.some((each) => each.uri.toString() === folder.toString())
    ? ''
    : text;
}
