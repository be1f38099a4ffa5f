import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run } from '../support/cli';
import { openWorkbench, type Workbench } from '../vscode/ui.mjs';

const MODEL = 'fashion-vgg.onnx';
const COMPRESSED = 'fashion-vgg.compressed.onnx';

/** Models opened with the custom editor, and compared from the explorer, in a real window. */
describe('models in editor tabs', () => {
  let workbench: Workbench;
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-views-'));
  before(async () => {
    const model = path.join(folder, MODEL);
    copyFileSync(path.join('media/sample', MODEL), model);
    assert.equal(run('compress', model, '-o', path.join(folder, COMPRESSED)).status, 0);
    writeFileSync(path.join(folder, 'broken.onnx'), 'this is no model');
    workbench = await openWorkbench({
      folder,
      // Selecting a file opens it; the explorer shall not follow the editor while two are being selected.
      settings: { 'explorer.autoReveal': false },
    });
  });
  after(async () => {
    await workbench?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const openWith = async (file: string) => {
    const { again, contextMenu, page } = workbench;
    const offered = page.locator('.quick-input-list .monaco-list-row').filter({ hasText: 'ONNX Model' });
    // A window that has just opened knows VS Code's own editors only.
    await again(async (timeout) => {
      await contextMenu(file, 'Open With...');
      await offered.first().click({ timeout });
    });
  };

  it('a model shows what it is made of when it is opened with the editor of models', () =>
    workbench.attempt('model-editor', async () => {
      const { page, openContainer, pageWith, screenshot, row } = workbench;
      await openContainer('Explorer');
      await openWith(MODEL);
      const frame = await pageWith('.facts');
      await frame.getByText('2.31 M parameters · 17.9 M MACs · 9.25 MB').waitFor();
      await frame.getByText('batch × 1 × 28 × 28').waitFor();
      await screenshot('model-editor-dark');
      const table = frame.getByRole('grid', { name: 'Layers' });
      await table.focus();
      await page.keyboard.press('End');
      assert.match(await frame.locator('.row[aria-selected="true"]').innerText(), /^fc2/);
      await page.keyboard.press('Enter');
      await row('Layers', /^fc2, Gemm/).waitFor();
      await screenshot('model-editor-layer-dark');
    }));

  it('a model that can’t be read says so, and where else to look', () =>
    workbench.attempt('model-editor-broken', async () => {
      const { openContainer, page, pageWith } = workbench;
      await openContainer('Explorer');
      await openWith('broken.onnx');
      const frame = await pageWith('[role="alert"]');
      await frame.getByText(/^broken\.onnx is not a readable ONNX model/).waitFor();
      await frame.getByRole('button', { name: 'Open With…' }).click();
      await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Text Editor' }).waitFor();
      await page.keyboard.press('Escape');
    }));

  it('two models that are selected in the explorer are compared', () =>
    workbench.attempt('compare', async () => {
      const { page, openContainer, file, contextMenu, pageWith, screenshot } = workbench;
      await openContainer('Explorer');
      await file(MODEL).click();
      await file(COMPRESSED).click({ modifiers: ['ControlOrMeta'] });
      await page.locator('.explorer-folders-view .monaco-list-row.selected').nth(1).waitFor();
      await contextMenu(COMPRESSED, 'Compare Models');
      const frame = await pageWith('[data-action="run"]');
      await frame.getByText(/layers? factored · \d layers the same/).waitFor();
      await frame.getByRole('row', { name: /fc1.*factored: svd, rank \d+/ }).waitFor();
      await page.setViewportSize({ width: 480, height: 800 });
      await page.keyboard.press('ControlOrMeta+b');
      await frame.getByRole('button', { name: 'Swap Sides' }).click();
      await frame.getByText(/layers? merged from factors/).waitFor();
      await screenshot('compare-narrow-dark');
    }));
});
