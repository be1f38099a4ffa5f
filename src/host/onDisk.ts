import * as vscode from 'vscode';
import { ModelError } from '../core/onnx/modelError';
import { READS_ANYWHERE } from './engineThread';

/** The file itself; what is not on disk is refused with a sentence. */
export function onDisk(uri: vscode.Uri): vscode.Uri {
  if (READS_ANYWHERE || uri.scheme === 'file') return uri;
  throw new ModelError(
    'unreadable',
    vscode.l10n.t('{0} is not a file on disk: Ranksmith reads models from disk only.', uri.toString(true)),
  );
}
