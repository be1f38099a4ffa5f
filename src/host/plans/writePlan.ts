import * as vscode from 'vscode';
import { type PlanFile, printPlanFile } from '../../core/compress/planFile';
import { temporaryName } from '../../core/compress/temporaryName';
import { ModelError } from '../../core/onnx/modelError';
import { enginePath } from '../enginePath';
import { basename } from '../paths';
import { randomHex } from '../randomHex';

/**
 * Writes a new plan: beside its place first, so that there is never half of one. Throws 'target-exists' where there is a
 * file already: what stands there may be somebody's work.
 */
export async function writePlan(uri: vscode.Uri, plan: PlanFile): Promise<void> {
  const name = temporaryName(basename(uri.path), randomHex(4));
  const temporary = vscode.Uri.joinPath(uri, '..', name);
  const { fs } = vscode.workspace;
  try {
    await fs.writeFile(temporary, new TextEncoder().encode(printPlanFile(plan)));
    await fs.rename(temporary, uri, { overwrite: false });
  } catch (error) {
    await fs.delete(temporary).then(undefined, () => {});
    if (!(error instanceof vscode.FileSystemError)) throw error;
    const exists = error.code === 'FileExists';
    const message = exists
      ? vscode.l10n.t('{0} exists already; it was left as it is.', enginePath(uri))
      : vscode.l10n.t('{0} can’t be written: {1}', enginePath(uri), error.message);
    throw new ModelError(exists ? 'target-exists' : 'write-failed', message);
  }
}
