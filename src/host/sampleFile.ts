import * as vscode from 'vscode';

/** Name of the model that comes with the extension. */
const SAMPLE = 'fashion-small.onnx';

/**
 * The model that comes with the extension, in a folder that may be written to and outlives the window: what is made of
 * it stands beside it there, and an update of the extension takes nothing away. Needs no open folder.
 */
export type SampleFile = () => Promise<vscode.Uri>;

/** @param storage where the extension may keep files */
export function createSampleFile(extension: vscode.Uri, storage: vscode.Uri): SampleFile {
  return async () => {
    const source = vscode.Uri.joinPath(extension, 'media', 'walkthrough', SAMPLE);
    const copy = vscode.Uri.joinPath(storage, 'sample', SAMPLE);
    const isThere = await vscode.workspace.fs.stat(copy).then(
      () => true,
      () => false,
    );
    if (!isThere) await vscode.workspace.fs.copy(source, copy);
    return copy;
  };
}
