import * as vscode from 'vscode';
import { isCheckpoint } from '../../core/checkpoint/isCheckpoint';
import { compressedPath } from '../../core/compress/compressedPath';
import { ModelError } from '../../core/onnx/modelError';
import { nameOf, placeOf } from '../fileNames';
import type { Model, Models } from '../models';
import { modelDescription } from '../modelText';
import type { Pair } from './comparePanels';

/** The models to compare: those that are given, in the order in which one became the other, else asked for. */
export async function pickPair(models: Models, given: readonly vscode.Uri[]): Promise<Pair | undefined> {
  const title = vscode.l10n.t('Compare Models');
  if (given.length > 2)
    throw new ModelError('unreadable', vscode.l10n.t('Two models can be compared, not {0}.', given.length));
  const first = given[0] ?? (await pick(models, title, vscode.l10n.t('The first model')));
  if (!first) return undefined;
  const second =
    given[1] ?? (await pick(models, title, vscode.l10n.t('Compare {0} with…', nameOf(first)), first));
  if (!second) return undefined;
  return isMadeOf(first, second) ? { before: second, after: first } : { before: first, after: second };
}

/** Whether a file is what compressing the other gives, by its name. */
function isMadeOf(file: vscode.Uri, other: vscode.Uri): boolean {
  return file.path === compressedPath(other.path);
}

async function pick(
  models: Models,
  title: string,
  placeHolder: string,
  other?: vscode.Uri,
): Promise<vscode.Uri | undefined> {
  const isOther = ({ uri }: Model) => uri.toString() !== other?.toString() && !isCheckpoint(uri.path);
  const list = (await models.list()).filter(isOther);
  const items: (vscode.QuickPickItem & { readonly uri?: vscode.Uri })[] = list
    // The other half of a compression first.
    .sort((a, b) => Number(isKin(b.uri, other)) - Number(isKin(a.uri, other)))
    .map(({ uri, state }) => ({
      uri,
      label: nameOf(uri),
      description: placeOf(uri),
      ...(state.kind === 'ready' ? { detail: modelDescription(state.analysis) } : {}),
    }));
  const browse: vscode.QuickPickItem = { label: vscode.l10n.t('$(folder-opened) Another File…') };
  const picked = await vscode.window.showQuickPick([...items, browse], {
    title,
    placeHolder,
    matchOnDescription: true,
  });
  if (picked !== browse) return (picked as (typeof items)[number] | undefined)?.uri;
  const files = await vscode.window.showOpenDialog({
    title,
    filters: { [vscode.l10n.t('ONNX model')]: ['onnx'] },
    ...(other ? { defaultUri: vscode.Uri.joinPath(other, '..') } : {}),
  });
  return files?.[0];
}

function isKin(uri: vscode.Uri, other: vscode.Uri | undefined): boolean {
  return other !== undefined && (isMadeOf(uri, other) || isMadeOf(other, uri));
}
