import * as vscode from 'vscode';

/**
 * Shows where a file is: in the explorer, or, where that does not show its folder, in the file manager of the system; over a
 * remote connection, where there is none, in words.
 */
export async function revealFile(uri: vscode.Uri): Promise<void> {
  if (vscode.workspace.getWorkspaceFolder(uri)) {
    await vscode.commands.executeCommand('revealInExplorer', uri);
    return;
  }
  try {
    if (vscode.env.remoteName === undefined) {
      await vscode.commands.executeCommand('revealFileInOS', uri);
      return;
    }
  } catch {
    // A browser has no such command.
  }
  void vscode.window.showInformationMessage(
    vscode.l10n.t(
      'This file is outside the open folders: {0}',
      uri.scheme === 'file' ? uri.fsPath : uri.toString(true),
    ),
  );
}
