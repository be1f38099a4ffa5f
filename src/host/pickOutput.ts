import * as vscode from 'vscode';
import { compressedPath } from '../core/compress/compressedPath';
import { basename } from './paths';

/** Where a compressed model goes, and whether something may be replaced there. */
export interface Output {
  readonly uri: vscode.Uri;
  readonly overwrite: boolean;
}

/**
 * The files the compressed models go to: beside their sources. If there are some already, asks once what to do.
 * Undefined when cancelled.
 */
export async function pickOutputs(sources: readonly vscode.Uri[]): Promise<readonly Output[] | undefined> {
  const wanted = sources.map((source) => source.with({ path: compressedPath(source.path) }));
  const present = await Promise.all(wanted.map(exists));
  const taken = wanted.filter((_, i) => present[i]);
  const [first] = taken;
  if (!first) return wanted.map((uri) => ({ uri, overwrite: false }));
  const name = basename(first.fsPath);
  const replace = {
    label: taken.length === 1 ? vscode.l10n.t('Replace') : vscode.l10n.t('Replace All'),
    description: taken.map((uri) => basename(uri.fsPath)).join(', '),
  };
  const rename = { label: vscode.l10n.t('Choose Another Name…') };
  const choice = await vscode.window.showQuickPick(sources.length === 1 ? [replace, rename] : [replace], {
    title:
      taken.length === 1
        ? vscode.l10n.t('{0} exists already', name)
        : vscode.l10n.t('already there: {0} of {1} files', taken.length, wanted.length),
    placeHolder: vscode.l10n.t('Replace it, or write to another file?'),
  });
  if (choice === replace) return wanted.map((uri) => ({ uri, overwrite: true }));
  if (choice !== rename) return undefined;
  const uri = await vscode.window.showSaveDialog({
    defaultUri: first,
    filters: { [vscode.l10n.t('ONNX model')]: ['onnx'] },
    saveLabel: vscode.l10n.t('Compress'),
  });
  // The dialog has asked about an existing file itself.
  return uri && [{ uri, overwrite: true }];
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  return vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  );
}
