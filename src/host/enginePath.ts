import * as vscode from 'vscode';

/**
 * How a file is called towards the engine: by its path on disk, and by its address where it is elsewhere. Messages and
 * reports that come back name it so.
 */
export function enginePath(uri: vscode.Uri): string {
  if (uri.scheme === 'file') return uri.fsPath;
  // Readable, but for the percent sign: what is encoded otherwise couldn't be told from it.
  return uri.with({ path: uri.path.replaceAll('%', '%25') }).toString(true);
}

/** The file that the engine calls so. */
export function fileUri(path: string): vscode.Uri {
  // A single letter would be a drive.
  return /^[a-z][a-z\d+.-]+:\//i.test(path) ? vscode.Uri.parse(path, true) : vscode.Uri.file(path);
}
