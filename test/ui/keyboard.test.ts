import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Frame } from 'playwright-core';
import { openWorkbench, type Workbench } from '../vscode/ui.mjs';
import { type Keyboard, keyboardOf } from './support/keyboard';

const PLAN = 'fashion-small.ranks.json';
const COMPRESSED = 'fashion-small.compressed.onnx';
const LAYER = 'conv4';

/** The whole story by keyboard alone. */
describe('the whole way by keyboard', () => {
  let workbench: Workbench;
  let keyboard: Keyboard;
  before(async () => {
    workbench = await openWorkbench({ folder: null, viewport: { width: 1400, height: 1000 } });
    keyboard = keyboardOf(workbench);
  });
  after(() => workbench?.close());

  const made = (name: string) => path.join(workbench.globalStorage, 'sample', name);

  /** Waits until a page that a command opened has the focus: it takes it by itself, as an editor does. */
  const focusedPage = async (selector: string): Promise<Frame> => {
    const page = await workbench.pageWith(selector);
    await workbench.until(`The page with ${selector} does not get the focus.`, async () =>
      (await keyboard.focused()).page === page ? true : undefined,
    );
    return page;
  };

  it('opens the sample from the walkthrough', () =>
    workbench.attempt('keyboard-open', async () => {
      const { page, row } = workbench;
      await keyboard.run('Ranksmith: Get Started');
      await page.locator('.getting-started-step').filter({ hasText: 'Open a model' }).waitFor();
      await page.locator('.getting-started-media').waitFor();
      const button = await keyboard.pressUntil('Tab', /^Open the Sample Model$/);
      assert.match(button.role, /^(button|a)$/);
      await keyboard.press('Enter');
      await row('Layers', /fashion-small\.onnx, 252 k parameters/).waitFor();
    }));

  it('goes to a layer in the tree', () =>
    workbench.attempt('keyboard-tree', async () => {
      await workbench.row('Layers', /^conv4, .*suggested/).waitFor();
      await keyboard.run('Ranksmith: Focus on Layers View');
      await keyboard.pressUntil('Home', /^fashion-small\.onnx/);
      const row = await keyboard.pressUntil('ArrowDown', /^conv4,/);
      assert.equal(row.role, 'treeitem');
      await keyboard.press('Enter');
      await workbench.pageWith(`[role="slider"][aria-label^="Rank of ${LAYER}"]`);
    }));

  it('moves the handle of the spectrum, and applies its rank to the plan', () =>
    workbench.attempt('keyboard-spectrum', async () => {
      const { pressUntil, press, focused } = keyboard;
      await keyboard.run('Ranksmith: Show Report');
      await focusedPage('[role="grid"]');
      const before = await pressUntil('Tab', new RegExp(`^Rank of ${LAYER}`));
      assert.equal(before.role, 'slider');
      assert.ok(before.page);
      await press('ArrowLeft');
      const wanted = await workbench.until('The handle does not move.', async () => {
        const { value } = await focused();
        return value !== null && value !== before.value ? value : undefined;
      });
      assert.ok(Number(wanted) < Number(before.value));
      assert.equal((await pressUntil('Tab', new RegExp(`^Rank of ${LAYER}`))).value, wanted);
      await pressUntil('Tab', /^Apply to Plan$/);
      await press('Enter');
      const entry = await workbench.until('The rank is not in the plan.', async () => {
        const text = existsSync(made(PLAN)) ? readFileSync(made(PLAN), 'utf8') : '';
        return text.endsWith('}\n') ? JSON.parse(text).layers[LAYER] : undefined;
      });
      assert.ok(entry.ranks.includes(Number(wanted)), JSON.stringify(entry));
      await workbench.row('Layers', /^conv4, .*in the plan/).waitFor();
    }));

  it('compresses by the plan', () =>
    workbench.attempt('keyboard-compress', async () => {
      await keyboard.run('Ranksmith: Compress Model…', /By the plan fashion-small\.ranks\.json/);
      await workbench.row('Layers', /^fashion-small\.compressed\.onnx, \d+ k parameters/).waitFor();
      assert.ok(existsSync(made(COMPRESSED)));
    }));

  it('reads the report in an editor, which takes the focus', () =>
    workbench.attempt('keyboard-report', async () => {
      await keyboard.run('Ranksmith: Show Report');
      const view = await focusedPage('[role="grid"]');
      await view.getByText(/Measured with ONNX Runtime/).waitFor();
      await keyboard.run('Ranksmith: Open Report in Editor');
      const report = await focusedPage('body.editor [role="slider"]');
      assert.equal((await keyboard.pressUntil('Tab', /^Rank of/)).page, report);
    }));

  it('compares the two models, in a page that takes the focus', () =>
    workbench.attempt('keyboard-compare', async () => {
      await keyboard.run(
        'Ranksmith: Compare Models',
        /^fashion-small\.onnx/,
        /^fashion-small\.compressed\.onnx/,
      );
      // What is pressed before VS Code has loaded a page goes past it.
      const page = await focusedPage('[data-action="run"]');
      await page.getByText(/1 layer factored/).waitFor();
      const button = await keyboard.pressUntil('Tab', /^Run Both$/);
      assert.equal(button.page, page);
      await keyboard.press('Enter');
      await page.getByRole('button', { name: 'Run Both Again' }).waitFor();
      await page.getByText(/Output error \d/).waitFor();
      // Pressed again without a look: the button kept the focus, and the notification did not take it.
      assert.equal((await keyboard.focused()).name, 'Run Both Again');
      // Away and back again, as between any two parts of the window.
      await keyboard.run('Ranksmith: Focus on Layers View');
      await workbench.view('Layers').locator('.monaco-list:focus-within').waitFor();
      const back = await keyboard.pressUntil('F6', /^fashion-small\.onnx → fashion-small\.compressed\.onnx/);
      assert.equal(back.page, page);
      assert.equal((await keyboard.pressUntil('Tab', /^Run Both Again$/)).page, page);
    }));

  it('opens the plan and the model, which take the focus', () =>
    workbench.attempt('keyboard-files', async () => {
      const { page } = workbench;
      await keyboard.run('Ranksmith: Open Plan', /^fashion-small\.onnx/);
      await page
        .locator('.codelens-decoration')
        .filter({ hasText: /→ .* params/ })
        .first()
        .waitFor();
      await page.locator('.editor-instance .monaco-editor.focused').waitFor();
      await keyboard.run('Ranksmith: Open Model Details', /^fashion-small\.onnx/);
      const model = await focusedPage('.facts');
      const grid = await keyboard.pressUntil('Tab', /^Layers$/);
      assert.equal(grid.page, model);
    }));
});
