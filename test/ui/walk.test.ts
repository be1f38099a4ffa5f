import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Locator } from 'playwright-core';
import { openWorkbench, type Workbench } from '../vscode/ui.mjs';
import { keepScreens } from './support/keepScreens';

const SAMPLE = 'fashion-small.onnx';
const PLAN = 'fashion-small.ranks.json';
const COMPRESSED = 'fashion-small.compressed.onnx';
const LAYER = 'conv4';
const STEPS = [
  'Open a model',
  'See where the weight is',
  'Accept a rank',
  'Compress the model',
  'Read the report',
];

/**
 * The whole story by mouse, in a window without a folder: each step of the walkthrough is completed by doing it. Along the way
 * every screen is kept as a picture in each theme and at a narrow width.
 */
describe('the whole way by mouse', () => {
  let workbench: Workbench;
  before(async () => {
    workbench = await openWorkbench({ folder: null, viewport: { width: 1400, height: 1000 } });
  });
  after(() => workbench?.close());

  const made = (name: string) => path.join(workbench.globalStorage, 'sample', name);
  const keep = (name: string) => keepScreens(workbench, `screen-${name}`);
  const quickInput = () => workbench.page.locator('.quick-input-widget');
  const step = (title: string): Locator =>
    workbench.page.locator('.getting-started-step').filter({ hasText: title });
  const isDone = (title: string): Locator => step(title).locator('.codicon-getting-started-step-checked');

  /** The titles of the steps that are done. */
  const done = async () => {
    const flags = await Promise.all(STEPS.map((title) => isDone(title).count()));
    return STEPS.filter((_, i) => flags[i]! > 0);
  };

  /** Opens a step, unless it is, and presses its button. */
  const pressIn = async (title: string, button: string) => {
    const found = step(title);
    if (!/\bexpanded\b/.test((await found.getAttribute('class')) ?? '')) await found.click();
    await found.getByRole('button', { name: button }).click();
  };

  /** The rank of the layer that the saved plan has, once there is one. */
  const plannedRank = (isWanted: (rank: number) => boolean = () => true) =>
    workbench.until(`${LAYER} does not get its rank in the plan.`, async () => {
      const text = existsSync(made(PLAN)) ? readFileSync(made(PLAN), 'utf8') : '';
      const rank = text.endsWith('}\n') ? JSON.parse(text).layers[LAYER]?.ranks?.[0] : undefined;
      return rank !== undefined && isWanted(rank) ? (rank as number) : undefined;
    });

  const lens = (text: RegExp): Locator =>
    workbench.page.locator('.codelens-decoration').filter({ hasText: text, visible: true }).first();

  it('begins in an empty window', () =>
    workbench.attempt('walk-welcome', async () => {
      const { page, openContainer, view } = workbench;
      await openContainer('Ranksmith');
      await view('Layers').getByRole('button', { name: 'Open Folder' }).waitFor();
      await view('Layers').getByRole('button', { name: 'Open the Sample Model' }).waitFor();
      await view('Layers').getByText('Get started', { exact: true }).click();
      for (const title of STEPS) await step(title).waitFor();
      assert.deepEqual(await done(), []);
      await page.locator('.getting-started-media').waitFor();
      await keep('walkthrough');
    }));

  it('opens the sample, in a place that may be written to', () =>
    workbench.attempt('walk-open', async () => {
      await pressIn('Open a model', 'Open the Sample Model');
      await workbench.row('Layers', /fashion-small\.onnx, 252 k parameters/).waitFor();
      await isDone('Open a model').waitFor();
      assert.deepEqual(await done(), STEPS.slice(0, 1));
      assert.deepEqual(readFileSync(made(SAMPLE)), readFileSync(`media/walkthrough/${SAMPLE}`));
    }));

  it('shows where the weight is, in the tree', () =>
    workbench.attempt('walk-tree', async () => {
      const { page, row, view } = workbench;
      await pressIn('See where the weight is', 'Sort by Parameters');
      await pressIn('See where the weight is', 'Show the Layers');
      await view('Layers').locator('.monaco-list:focus-within').waitFor();
      await row('Layers', /^conv4, .*suggested/).waitFor();
      assert.deepEqual(await done(), STEPS.slice(0, 1));
      const first = view('Layers').getByRole('treeitem').nth(1);
      assert.match((await first.getAttribute('aria-label')) ?? '', /^conv4/);
      await first.click();
      await isDone('See where the weight is').waitFor();
      assert.equal(await page.locator('.monaco-list-row.selected').count(), 1);
      await keep('tree');
    }));

  it('takes the rank that the handle of the spectrum is dragged to', () =>
    workbench.attempt('walk-spectrum', async () => {
      const { page, row, until } = workbench;
      const report = workbench.webviewFrame('webviewView');
      const handle = report.getByRole('slider', { name: `Rank of ${LAYER}` });
      await handle.scrollIntoViewIfNeeded();
      const rankNow = async () => Number(await handle.getAttribute('aria-valuenow'));
      const before = await rankNow();
      const from = (await handle.boundingBox())!;
      const [x, y] = [from.x + from.width / 2, from.y + from.height / 2];
      await page.mouse.move(x, y);
      await page.mouse.down();
      await page.mouse.move(x - 40, y, { steps: 5 });
      await page.mouse.up();
      const wanted = await until('The handle does not move.', async () => {
        const value = await rankNow();
        return value < before ? value : undefined;
      });
      await keep('spectrum');
      assert.equal(await rankNow(), wanted);
      await report.getByRole('button', { name: 'Apply to Plan' }).click();
      assert.equal(await plannedRank(), wanted);
      await row('Layers', /^conv4, .*in the plan/).waitFor();
      await isDone('Accept a rank').waitFor();
      assert.deepEqual(await done(), STEPS.slice(0, 3));
    }));

  it('opens the plan, whose lens tells what the rank gives, and mends it by a quick fix', () =>
    workbench.attempt('walk-plan', async () => {
      const { page, contextMenu, row } = workbench;
      const before = await plannedRank();
      await contextMenu(row('Layers', /^conv4/), 'Reveal in Plan');
      await lens(/1 of 5 layers/).waitFor();
      await lens(/^148 k → \d+ k parameters .* error \d/).waitFor();
      await keep('plan');
      const entry = page.locator('.view-line').filter({ hasText: `"${LAYER}"` });
      await entry.getByText(String(before), { exact: true }).click();
      const bulb = page.locator('.monaco-editor [class*="lightbulb" i]').filter({ visible: true }).first();
      const fix = page.locator('.action-widget').getByText(/^Use channel with rank \d+/);
      // A redrawing editor may close the menu again at once.
      await workbench.again(async (timeout) => {
        await bulb.click({ timeout });
        await fix.waitFor({ timeout });
      });
      await workbench.screenshot('walk-fix-dark');
      // For its first moments a menu ignores clicks.
      await page.waitForTimeout(200);
      await fix.click();
      await page.locator('.monaco-editor .squiggly-warning').first().waitFor({ state: 'detached' });
      await page.keyboard.press('Control+S');
      const after = await plannedRank((rank) => rank !== before);
      assert.ok(after > before, `${before} became ${after}`);
      await row('Layers', new RegExp(`^conv4, .*in the plan: .*${after}`)).waitFor();
    }));

  it('compresses by the plan', () =>
    workbench.attempt('walk-compress', async () => {
      const { page, notification, row } = workbench;
      await page.locator('.tabs-container .tab', { hasText: 'Welcome' }).click();
      await pressIn('Compress the model', 'Compress Model…');
      await quickInput().getByText('weight error').filter({ visible: true }).first().waitFor();
      await keep('goals');
      await quickInput().getByText(`By the plan ${PLAN}`).click();
      const toast = await notification(/fashion-small\.compressed\.onnx by the plan/);
      await isDone('Compress the model').waitFor();
      assert.ok(existsSync(made(COMPRESSED)));
      assert.deepEqual(await done(), STEPS.slice(0, 4));
      await toast.getByRole('button', { name: /^Clear Notification/ }).click();
      await row('Layers', /^fashion-small\.compressed\.onnx, \d+ k parameters/).waitFor();
    }));

  it('shows the report, in the side bar and in an editor', () =>
    workbench.attempt('walk-report', async () => {
      const { pageWith, view } = workbench;
      await pressIn('Read the report', 'Show Report');
      const report = workbench.webviewFrame('webviewView');
      await report.getByText(/Measured with ONNX Runtime/).waitFor();
      await isDone('Read the report').waitFor();
      assert.deepEqual(await done(), STEPS);
      await view('Report').locator('.pane-header').hover();
      await view('Report').getByRole('button', { name: 'Open Report in Editor' }).click();
      const editor = await pageWith('body.editor [role="slider"]');
      await editor.getByText('1 of 5 layers factored').waitFor();
      await editor.getByText(/Measured with ONNX Runtime/).waitFor();
      await keep('report');
    }));

  it('compares the two models, and runs both', () =>
    workbench.attempt('walk-compare', async () => {
      const { contextMenu, pageWith, row } = workbench;
      await contextMenu(row('Layers', /^fashion-small\.onnx/), 'Compare Models');
      await quickInput().getByText(COMPRESSED).click();
      const comparison = await pageWith('[data-action="run"]');
      await comparison.getByText('1 layer factored · 4 layers the same').waitFor();
      await comparison.getByRole('button', { name: 'Run Both' }).click();
      await comparison.getByRole('button', { name: 'Run Both Again' }).waitFor();
      await comparison.getByText(/Output error \d/).waitFor();
      await keep('compare');
    }));

  it('shows what the model is made of', () =>
    workbench.attempt('walk-model', async () => {
      const { contextMenu, pageWith, row } = workbench;
      await contextMenu(row('Layers', /^fashion-small\.compressed\.onnx/), 'Open Model Details');
      const model = await pageWith('.facts');
      await model.getByRole('grid', { name: 'Layers' }).waitFor();
      await keep('model');
    }));
});
