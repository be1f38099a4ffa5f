import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import type { Internals } from '../../src/extension';
import type { LayerRow, ModelRow, Row } from '../../src/host/rows';

/** The running extension. */
export async function internals(): Promise<Internals> {
  const extension = vscode.extensions.getExtension<Internals>('ranksmith.ranksmith');
  assert.ok(extension);
  return extension.activate();
}

/** The open folder. */
export function workspaceFolder(): string {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(folder, 'the tests need an open folder');
  return folder.uri.fsPath;
}

export const sample = () => vscode.Uri.file(path.join(workspaceFolder(), 'fashion-vgg.onnx'));

/** A folder in the workspace with a copy of the sample; remove it after the test. */
export function folderWithSample(name: string): {
  readonly model: vscode.Uri;
  file(name: string): vscode.Uri;
  remove(): void;
} {
  const folder = path.join(workspaceFolder(), name);
  mkdirSync(folder, { recursive: true });
  const model = path.join(folder, 'net.onnx');
  copyFileSync(sample().fsPath, model);
  return {
    model: vscode.Uri.file(model),
    file: (each) => vscode.Uri.file(path.join(folder, each)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The row of a model in the Layers view. */
export async function modelRow(uri: vscode.Uri): Promise<ModelRow> {
  const { layers } = await internals();
  await vscode.commands.executeCommand('ranksmith.refresh');
  const rows = (await layers.getChildren()) ?? [];
  const found = rows.find((row) => row.kind === 'model' && row.model.uri.toString() === uri.toString());
  assert.ok(found?.kind === 'model', `there is no row for ${uri.fsPath}`);
  return found;
}

/** The rows below it, and what they look like. */
export async function childrenOf(row: ModelRow): Promise<{ row: Row; item: vscode.TreeItem }[]> {
  const { layers } = await internals();
  const rows = (await layers.getChildren(row)) ?? [];
  return Promise.all(rows.map(async (each) => ({ row: each, item: await layers.getTreeItem(each) })));
}

export function isLayer(row: Row): row is LayerRow {
  return row.kind === 'layer';
}

/** Polls until the condition holds. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  seconds = 20,
): Promise<void> {
  const end = Date.now() + 1000 * seconds;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `${what} did not happen within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Presses Enter in the quick pick that is open until it did something. */
export async function accept(isDone: () => boolean): Promise<void> {
  await until('a choice', async () => {
    if (isDone()) return true;
    await new Promise((resolve) => setTimeout(resolve, 300));
    await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    return isDone();
  });
}

/** Drops what is not saved of a plan, and closes all editors. */
export async function closePlan(uri: vscode.Uri): Promise<void> {
  const left = vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
  if (left?.isDirty) {
    await vscode.window.showTextDocument(left);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  }
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}

/** Files in the same folder that a compression may have left behind. */
export const exists = (uri: vscode.Uri) => existsSync(uri.fsPath);
