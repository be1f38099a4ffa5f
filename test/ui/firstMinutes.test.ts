import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Locator } from 'playwright-core';
import { openWorkbench, type Workbench } from '../vscode/ui.mjs';

const SAMPLE = 'fashion-small.onnx';
const STEPS = [
  'Open a model',
  'See where the weight is',
  'Accept a rank',
  'Compress the model',
  'Read the report',
];

/** The walkthrough in a window without a folder, each step completed by doing it. */
describe('the first minutes in a VS Code window', () => {
  let workbench: Workbench;
  before(async () => {
    workbench = await openWorkbench({ folder: null, viewport: { width: 1720, height: 900 } });
  });
  after(() => workbench?.close());

  const made = (name: string) => path.join(workbench.globalStorage, 'sample', name);
  const step = (title: string): Locator =>
    workbench.page.locator('.getting-started-step').filter({ hasText: title });
  const isDone = (title: string): Locator => step(title).locator('.codicon-getting-started-step-checked');

  /** The titles of the steps that are done. */
  const done = async () => {
    const flags = await Promise.all(STEPS.map((title) => isDone(title).count()));
    return STEPS.filter((_, i) => flags[i]! > 0);
  };

  /** Opens a step, unless it is, and presses its button. */
  const press = async (title: string, button: string) => {
    const found = step(title);
    if (!/\bexpanded\b/.test((await found.getAttribute('class')) ?? '')) await found.click();
    await found.getByRole('button', { name: button }).click();
  };

  it('begin in an empty window', () =>
    workbench.attempt('first-welcome', async () => {
      const { page, openContainer, view, screenshot } = workbench;
      await openContainer('Ranksmith');
      await view('Layers').getByRole('button', { name: 'Open Folder' }).waitFor();
      await view('Layers').getByRole('button', { name: 'Open the Sample Model' }).waitFor();
      await view('Layers').getByText('Get started', { exact: true }).click();
      for (const title of STEPS) await step(title).waitFor();
      assert.deepEqual(await done(), []);
      await page.locator('.getting-started-media').waitFor();
      await screenshot('first-welcome-dark');
    }));

  it('open the sample, in a place that may be written to', () =>
    workbench.attempt('first-open', async () => {
      const { row } = workbench;
      await press('Open a model', 'Open the Sample Model');
      await row('Layers', /fashion-small\.onnx, 252 k parameters/).waitFor();
      await row('Layers', /^classifier/).waitFor();
      await isDone('Open a model').waitFor();
      assert.deepEqual(await done(), STEPS.slice(0, 1));
      assert.deepEqual(readFileSync(made(SAMPLE)), readFileSync(`media/walkthrough/${SAMPLE}`));
    }));

  it('show where the weight is', () =>
    workbench.attempt('first-look', async () => {
      const { page, row, view } = workbench;
      await press('See where the weight is', 'Sort by Parameters');
      await press('See where the weight is', 'Show the Layers');
      await view('Layers').locator('.monaco-list:focus-within').waitFor();
      await row('Layers', /^conv4, .*suggested/).waitFor();
      assert.deepEqual(await done(), STEPS.slice(0, 1));
      const first = view('Layers').getByRole('treeitem').nth(1);
      assert.match((await first.getAttribute('aria-label')) ?? '', /^conv4/);
      await first.click();
      await isDone('See where the weight is').waitFor();
      assert.equal(await page.locator('.monaco-list-row.selected').count(), 1);
    }));

  it('accept its suggestion', () =>
    workbench.attempt('first-accept', async () => {
      const { row } = workbench;
      await press('Accept a rank', 'Apply Suggestion');
      await row('Layers', /^conv4, .*in the plan/).waitFor();
      await isDone('Accept a rank').waitFor();
      const plan = JSON.parse(readFileSync(made('fashion-small.ranks.json'), 'utf8'));
      assert.deepEqual(Object.keys(plan.layers), ['conv4']);
    }));

  it('compress by the plan', () =>
    workbench.attempt('first-compress', async () => {
      const { page, notification } = workbench;
      await press('Compress the model', 'Compress Model…');
      const choices = page.locator('.quick-input-widget');
      await choices.getByText('By the plan fashion-small.ranks.json').click();
      const toast = await notification(/fashion-small\.compressed\.onnx by the plan/);
      await isDone('Compress the model').waitFor();
      assert.ok(existsSync(made('fashion-small.compressed.onnx')));
      assert.deepEqual(await done(), STEPS.slice(0, 4));
      await toast.getByRole('button', { name: /^Clear Notification/ }).click();
    }));

  it('read the report', () =>
    workbench.attempt('first-report', async () => {
      const { screenshot } = workbench;
      await press('Read the report', 'Show Report');
      await isDone('Read the report').waitFor();
      assert.deepEqual(await done(), STEPS);
      await screenshot('first-done-dark');
    }));

  it('can be had again by a command', () =>
    workbench.attempt('first-again', async () => {
      const { page, runCommand } = workbench;
      await page
        .locator('.tabs-container .tab')
        .first()
        .getByRole('button', { name: /^Close/ })
        .click();
      await step(STEPS[0]!).waitFor({ state: 'hidden' });
      await runCommand('Ranksmith: Get Started');
      await step(STEPS[0]!).waitFor();
    }));
});
