import * as vscode from 'vscode';
import { parsePlanFile } from '../../core/compress/parsePlanFile';
import { COMMANDS } from '../../ids';
import { basename } from '../paths';
import { planDocument, planSource } from './planSource';
import { planUri } from './planUri';

/** A layer of a model, as commands are told of it. */
export interface LayerArgument {
  readonly model: vscode.Uri;
  /** Its name. */
  readonly layer: string;
  /** The plan in question; that beside the model where there is none. */
  readonly plan?: vscode.Uri;
}

/** Opens a plan with the entry of a layer selected; says so where there is none, and what to do. */
export async function revealInPlan(argument: LayerArgument): Promise<void> {
  const { model, layer, plan } = argument;
  const uri = plan ?? planUri(model);
  const compare = vscode.l10n.t('Compare Methods…');
  const tell = async (message: string) => {
    const choice = await vscode.window.showInformationMessage(message, compare);
    if (choice === compare) await vscode.commands.executeCommand(COMMANDS.compareMethods, argument);
  };
  if (!(await planSource(uri))) {
    void tell(vscode.l10n.t('There is no plan beside {0} yet.', basename(model.fsPath)));
    return;
  }
  const document = await planDocument(uri);
  const places = parsePlanFile(document.getText()).places.get(layer);
  const range =
    places &&
    new vscode.Range(
      document.positionAt(places.name.offset),
      document.positionAt(places.entry.offset + places.entry.length),
    );
  const editor = await vscode.window.showTextDocument(document, range ? { selection: range } : {});
  if (range) editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  else void tell(vscode.l10n.t('{0} does not mention {1}: it stays as it is.', basename(uri.fsPath), layer));
}
