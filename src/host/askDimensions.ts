import * as vscode from 'vscode';
import type { Analysis, DimBindings } from '../core/compress/analysis';
import type { Dimensions } from './dimensions';
import type { Model, Models } from './models';
import { basename } from './paths';

/** Asks for the size of every symbolic dimension of a model, one after another. Undefined when cancelled. */
export async function askDimensions(
  model: Model,
  models: Models,
  dimensions: Dimensions,
): Promise<DimBindings | undefined> {
  const state = await models.read(model);
  const file = basename(model.uri.fsPath);
  if (state.kind !== 'ready') {
    if (state.kind === 'failed') void vscode.window.showErrorMessage(state.message);
    return undefined;
  }
  const given = dimensions.of(model.uri);
  const { assumedDims } = state.analysis;
  const names = namesOf(state.analysis, given);
  if (names.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('All dimensions of {0} are fixed in the file.', file),
    );
    return undefined;
  }
  const bindings: Record<string, number> = {};
  for (const [i, name] of names.entries()) {
    const last = given[name] ?? dimensions.lastSize(name) ?? assumedDims[name];
    const text = await vscode.window.showInputBox({
      title: vscode.l10n.t('Dimensions of {0} ({1} of {2})', file, i + 1, names.length),
      prompt: vscode.l10n.t('Size of {0} in one inference. Leave it empty to keep it open.', name),
      placeHolder: vscode.l10n.t('A whole number, for example 224'),
      value: last === undefined ? '' : String(last),
      ignoreFocusOut: true,
      validateInput: (input) =>
        input.trim() === '' || sizeOf(input) !== undefined
          ? undefined
          : vscode.l10n.t('{0} is not a size: a whole number above 0 is needed.', input.trim()),
    });
    if (text === undefined) return undefined;
    const size = sizeOf(text);
    if (size !== undefined) bindings[name] = size;
  }
  return bindings;
}

/** All symbolic dimensions: those with a size, those without, and batch sizes that are taken to be 1. */
function namesOf({ freeDims, assumedDims }: Analysis, given: DimBindings): readonly string[] {
  return [...new Set([...Object.keys(given), ...Object.keys(assumedDims), ...freeDims])];
}

function sizeOf(text: string): number | undefined {
  const size = /^\d+$/.test(text.trim()) ? Number(text) : 0;
  return size > 0 && size <= 2 ** 31 - 1 ? size : undefined;
}
