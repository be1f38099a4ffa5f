import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import type { CompareView } from '../../webview/comparePage/messages';
import { compress } from './compressing';
import { folderWithSample, internals, sample, until } from './internals';

type Ready = Extract<CompareView, { kind: 'ready' }>;

const closeAll = () => vscode.commands.executeCommand('workbench.action.closeAllEditors');
const compare = (...uris: vscode.Uri[]) =>
  vscode.commands.executeCommand('ranksmith.compareModels', uris[0], uris);

/** What the tab of a pair shows, once it is what is wanted. */
async function shows(
  pair: { before: vscode.Uri; after: vscode.Uri },
  isWanted: (view: CompareView) => boolean,
): Promise<CompareView> {
  const { comparePanels } = await internals();
  let found: CompareView | undefined;
  await until('a comparison', () => {
    found = comparePanels.viewOf(pair);
    return found !== undefined && isWanted(found);
  });
  return found!;
}

describe('Compare Models', () => {
  it('shows what compressing did, whichever was clicked first, with what the report measured', async () => {
    const folder = folderWithSample('compare');
    const after = folder.file('net.compressed.onnx');
    const pair = { before: folder.model, after };
    try {
      await compress({
        uri: folder.model,
        target: 'parameters=0.5',
        output: after,
      });
      await compare(after, folder.model);
      const view = (await shows(pair, ({ kind }) => kind === 'ready')) as Ready;
      const { report, comparePanels } = await internals();
      const said = report.last()!.layers.filter(({ method }) => method !== 'dense');
      const errors = ({ comparison }: Ready) =>
        comparison.layers
          .filter(({ kind }) => kind === 'factored')
          .map(({ name, method, weightError }) => [name, method, weightError]);
      assert.deepEqual(
        errors(view),
        said.map(({ name, method, weightError }) => [name, method, weightError]),
      );
      assert.equal(view.isFromReport, true);
      assert.ok(view.comparison.run && 'outputError' in view.comparison.run);
      assert.equal(view.comparison.run.outputError.relative, report.last()!.outputError.relative);
      // Running both again tells nothing of weights: what the report said of them stays.
      await comparePanels.run(pair);
      const again = comparePanels.viewOf(pair) as Ready;
      assert.equal(again.isFromReport, false);
      assert.deepEqual(errors(again), errors(view));
    } finally {
      await closeAll();
      folder.remove();
    }
  });

  it('runs both when asked, swaps sides, follows changes, and says why a file can’t be read', async () => {
    const folder = folderWithSample('compare-any');
    const other = folder.file('other.onnx');
    copyFileSync(sample().fsPath, other.fsPath);
    const pair = { before: folder.model, after: other };
    const swapped = { before: other, after: folder.model };
    const { comparePanels } = await internals();
    try {
      await compare(folder.model, other);
      await shows(pair, (view) => view.kind === 'ready' && view.comparison.weights);
      await comparePanels.run(pair);
      const { comparison } = comparePanels.viewOf(pair) as Ready;
      assert.ok(comparison.run && 'outputError' in comparison.run);
      assert.equal(comparison.run.outputError.relative, 0);
      assert.ok(comparison.layers.every(({ kind, weightError }) => kind === 'same' && weightError === 0));
      await comparePanels.swap(pair);
      assert.equal(comparePanels.viewOf(pair), undefined);
      await shows(swapped, ({ kind }) => kind === 'ready');
      assert.equal(vscode.window.tabGroups.activeTabGroup.activeTab?.label, 'other.onnx ↔ net.onnx');
      writeFileSync(other.fsPath, 'no model any more');
      const failed = await shows(swapped, ({ kind }) => kind === 'failed');
      assert.ok(failed.kind === 'failed' && /other\.onnx is not a readable ONNX model/.test(failed.message));
    } finally {
      await closeAll();
      folder.remove();
    }
  });
});
