import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import type { ModelView } from '../../webview/modelPage/messages';
import { folderWithSample, internals, sample, until } from './internals';

const closeAll = () => vscode.commands.executeCommand('workbench.action.closeAllEditors');

/** Waits until the editor of a file shows what is wanted. */
async function shows<K extends ModelView['kind']>(
  uri: vscode.Uri,
  kind: K,
  isWanted: (view: Extract<ModelView, { kind: K }>) => boolean = () => true,
): Promise<Extract<ModelView, { kind: K }>> {
  const { modelEditors } = await internals();
  let found: ModelView | undefined;
  await until(`an editor that shows ${kind}`, () => {
    found = modelEditors.viewOf(uri);
    return found?.kind === kind && isWanted(found as Extract<ModelView, { kind: K }>);
  });
  return found as Extract<ModelView, { kind: K }>;
}

describe('the editor of a model', () => {
  it('opens by its command, reads the model, and follows its changes', async () => {
    const folder = folderWithSample('model-editor');
    try {
      await vscode.commands.executeCommand('ranksmith.openModel', folder.model);
      const { inspection } = await shows(folder.model, 'ready');
      assert.equal(inspection.analysis.layers.length, 8);
      assert.deepEqual(inspection.structure.opsets, { '': 17 });
      const tab = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
      assert.ok(tab instanceof vscode.TabInputCustom && tab.viewType === 'ranksmith.model');
      writeFileSync(folder.model.fsPath, 'no model any more');
      const { message } = await shows(folder.model, 'failed');
      assert.match(message, /^(?!\/).*net\.onnx is not a readable ONNX model/);
      copyFileSync(sample().fsPath, folder.model.fsPath);
      await shows(folder.model, 'ready');
    } finally {
      await closeAll();
      folder.remove();
    }
    const { modelEditors } = await internals();
    await until('closing the editor', () => modelEditors.viewOf(folder.model) === undefined);
  });

  it('counts anew when dimensions get sizes', async () => {
    const folder = folderWithSample('model-editor-sizes');
    const { dimensions, models } = await internals();
    try {
      await vscode.commands.executeCommand('vscode.openWith', folder.model, 'ranksmith.model');
      await shows(folder.model, 'ready', ({ inspection }) => inspection.analysis.macs === 17_925_632);
      await dimensions.set(folder.model, { batch: 2 });
      await models.refresh(folder.model);
      await shows(folder.model, 'ready', ({ inspection }) => inspection.analysis.macs === 2 * 17_925_632);
    } finally {
      await dimensions.set(folder.model, {});
      await closeAll();
      folder.remove();
    }
  });
});
