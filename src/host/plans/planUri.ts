import type * as vscode from 'vscode';
import { planPath } from '../../core/compress/planPath';

/** Where the plan of a model stands: beside it. */
export function planUri(model: vscode.Uri): vscode.Uri {
  return model.with({ path: planPath(model.path) });
}
