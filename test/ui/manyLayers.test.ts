import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { chainOfLayers } from '../support/chainOfLayers';
import { openWorkbench, type Workbench } from '../vscode/ui.mjs';

const LAYERS = 10_000;
const MODEL = 'many.onnx';
/** What a screen has room for, several times over, and far from what there is. */
const MOST_ROWS = 200;

/** A model of ten thousand layers: what is drawn is what is in sight, in the tree and in the report's table. */
describe('a model of ten thousand layers', () => {
  let workbench: Workbench;
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-many-'));
  before(async () => {
    writeFileSync(path.join(folder, MODEL), chainOfLayers(LAYERS));
    workbench = await openWorkbench({ folder, viewport: { width: 1280, height: 1000 } });
    workbench.page.setDefaultTimeout(60_000);
  });
  after(async () => {
    await workbench?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const last = `layer.${LAYERS - 1}`;

  it('has a tree that goes to its end at a key, and draws what is in sight', () =>
    workbench.attempt('many-tree', async () => {
      const { page, openContainer, row, rows, screenshot } = workbench;
      await openContainer('Ranksmith');
      await row('Layers', /^layer\.0,/).waitFor();
      await row('Layers', /^layer\.0,/).click();
      await page.keyboard.press('End');
      await row('Layers', new RegExp(`^${last},`)).waitFor();
      assert.ok((await rows('Layers')).length <= MOST_ROWS);
      await page.keyboard.press('Enter');
      await screenshot('many-tree-dark');
    }));

  it('has a report whose table goes there too, and finds a layer by its name', () =>
    workbench.attempt('many-report', async () => {
      const { screenshot, webviewFrame, row, page, runCommand } = workbench;
      await page.setViewportSize({ width: 1280, height: 1600 });
      await runCommand('Ranksmith: Show Report');
      const report = webviewFrame('webviewView');
      const rows = report.getByRole('row', { name: /layer\.\d+/ });
      await rows.first().waitFor();
      assert.ok((await rows.count()) <= MOST_ROWS);
      assert.ok((await report.getByRole('option').count()) <= MOST_ROWS);
      const table = report.getByRole('grid').filter({ has: rows.first() });
      await table.press('End');
      await report.getByRole('row', { name: last }).waitFor();
      assert.ok((await rows.count()) <= MOST_ROWS);
      await report.getByRole('searchbox', { name: 'Filter layers' }).fill('layer.4321');
      await report.getByText(/^1 of 10,?000 layers$/).waitFor();
      await report.getByRole('row', { name: 'layer.4321' }).click();
      await row('Layers', /^layer\.4321,/).waitFor();
      await screenshot('many-report-dark');
    }));
});
