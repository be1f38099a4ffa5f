import * as vscode from 'vscode';
import type { Model, Models } from './models';
import { modelDescription } from './modelText';
import { basename } from './paths';

/** Asks which of the workspace's models that fit is meant. Undefined when cancelled; says so when there is none. */
export async function pickModel(
  models: Models,
  title: string,
  fits: (uri: vscode.Uri) => boolean,
): Promise<Model | undefined> {
  const list = (await models.list()).filter(({ uri }) => fits(uri));
  if (list.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('There is no .onnx file in this workspace.'));
    return undefined;
  }
  if (list.length === 1) return list[0];
  const items = list.map((model) => {
    const place = vscode.workspace.asRelativePath(model.uri);
    const label = basename(model.uri.fsPath);
    return {
      model,
      label,
      ...(place === label ? {} : { description: place.slice(0, -label.length - 1) }),
      ...(model.state.kind === 'ready' ? { detail: modelDescription(model.state.analysis) } : {}),
    };
  });
  const picked = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: vscode.l10n.t('Model'),
    matchOnDescription: true,
  });
  return picked?.model;
}
