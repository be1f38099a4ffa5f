import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as ort from 'onnxruntime-web';
import { analyzeModel } from '../../src/core/compress/analyzeModel';
import { modelInputs } from '../../src/worker/modelInputs';
import { openModel } from '../../src/worker/openModel';
import { compareOutputs } from '../../src/worker/outputComparison';
import type { RuntimeTensor } from '../../src/worker/runtime';
import { openWebWorkbench, type WebWorkbench } from '../vscode/web.mjs';

const MODEL = 'fashion-vgg.onnx';
const PLAN = 'fashion-vgg.ranks.json';
const COMPRESSED = 'fashion-vgg.compressed.onnx';
const FC = '/fc1/Gemm';

/** A window whose extension host is a web worker, and whose files are on no disk, as at vscode.dev. */
describe('in a browser, without Node', () => {
  let workbench: WebWorkbench;
  /** As the closing message says it. */
  let outputError = Number.NaN;
  before(async () => {
    workbench = await openWebWorkbench();
    // A model is compressed here, by a runtime that a busy machine takes its time to compile.
    workbench.page.setDefaultTimeout(120_000);
  });
  after(() => workbench?.close());

  const inFolder = (name: string) => path.join(workbench.workspace, name);
  const quickInput = () => workbench.page.locator('.quick-input-widget');
  const press = (key: string) => workbench.page.keyboard.press(key);

  /** Presses a key until what it brings is there: while the window is busy it may come to nothing. */
  const pressUntil = async (key: string, arrives: (timeout: number) => Promise<void>) => {
    for (let attempt = 1; ; attempt++) {
      await press(key);
      try {
        return await arrives(1000 * attempt);
      } catch (error) {
        if (attempt === 6) throw error;
        await press('Escape');
      }
    }
  };

  it('shows the layers of a model that is read once, with suggestions', () =>
    workbench.attempt('web-tree', async () => {
      const { openContainer, row, screenshot, virtual } = workbench;
      await openContainer('Ranksmith');
      await row('Layers', /2\.31 M parameters, 17\.9 M MACs, opset 17/).waitFor();
      await row('Layers', /suggested: .*rank \d+/).waitFor();
      assert.equal(virtual.requests.filter((each) => each === `read /sample/${MODEL}`).length, 1);
      await screenshot('web-tree-dark');
    }));

  it('makes a plan', () =>
    workbench.attempt('web-plan', async () => {
      const { contextMenu, page, row, screenshot } = workbench;
      await contextMenu(row('Layers', /^fashion-vgg\.onnx/), 'Open Plan');
      await quickInput().getByText('weight error').first().waitFor();
      await quickInput().getByText('Half the parameters').click();
      await page
        .locator('.codelens-decoration')
        .filter({ hasText: /→ .* params .*of 8 layers/ })
        .waitFor();
      await screenshot('web-plan-dark');
      assert.match(readFileSync(inFolder(PLAN), 'utf8'), /"goal": "parameters=0\.5"/);
    }));

  it('mends it by a quick fix', () =>
    workbench.attempt('web-fix', async () => {
      const { openFile, page, openContainer, runCommand, screenshot } = workbench;
      await runCommand('View: Close All Editors');
      await page.locator(`.tab[data-resource-name="${PLAN}"]`).waitFor({ state: 'detached' });
      const lines = readFileSync(inFolder(PLAN), 'utf8').split('\n');
      const line = lines.findIndex((each) => each.includes(JSON.stringify(FC)));
      lines[line] = lines[line]!.replace(/: .*?(,?)$/, ': { "method": "svd", "ranks": [50000] }$1');
      writeFileSync(inFolder(PLAN), lines.join('\n'));
      await openContainer('Explorer');
      await openFile(PLAN);
      await page.locator('.monaco-editor .squiggly-error').first().waitFor();
      await pressUntil('Control+G', (timeout) => quickInput().locator('input').waitFor({ timeout }));
      await quickInput()
        .locator('input')
        .fill(`:${line + 1}:${lines[line]!.indexOf('50000') + 2}`);
      await press('Enter');
      await quickInput().waitFor({ state: 'hidden' });
      const fix = page
        .locator('.action-widget')
        .getByText(/^Use .*rank/)
        .first();
      await pressUntil('Control+.', (timeout) => fix.waitFor({ timeout }));
      await screenshot('web-fix-dark');
      await fix.click();
      await page.locator('.monaco-editor .squiggly-error').first().waitFor({ state: 'detached' });
      await press('Control+S');
      await page.locator(`.tab[data-resource-name="${PLAN}"]:not(.dirty)`).waitFor();
      assert.doesNotMatch(readFileSync(inFolder(PLAN), 'utf8'), /50000/);
    }));

  it('compresses by it', () =>
    workbench.attempt('web-compress', async () => {
      const { contextMenu, notification, screenshot, openContainer, row, webviewFrame } = workbench;
      await openContainer('Ranksmith');
      await contextMenu(row('Layers', /^fashion-vgg\.onnx/), 'Compress Model…');
      await quickInput().getByText('weight error').first().waitFor();
      await quickInput()
        .getByText(/By the plan/)
        .click();
      const toast = await notification(/output error/);
      outputError = Number(/output error ([\d.]+) %/.exec(await toast.innerText())?.[1]) / 100;
      await webviewFrame().getByText(COMPRESSED).first().waitFor();
      await row('Layers', /fashion-vgg\.compressed\.onnx, .* parameters/).waitFor();
      await screenshot('web-done-dark');
      assert.deepEqual(readdirSync(workbench.workspace).sort(), [COMPRESSED, MODEL, PLAN]);
    }));

  it('has written a smaller file whose outputs are as far off as it says', async () => {
    const [original, compressed] = [MODEL, COMPRESSED].map((name) => readFileSync(inFolder(name)));
    assert.ok(
      compressed!.length < 0.6 * original!.length,
      `${compressed!.length} of ${original!.length} bytes`,
    );
    const open = openModel(inFolder(MODEL));
    const { tensors } = modelInputs(
      open.model,
      analyzeModel(open.model, { dims: {}, openExternal: open.openExternal }).bind,
    );
    open.close();
    const run = async (bytes: Uint8Array) => {
      const session = await ort.InferenceSession.create(bytes);
      const feeds = [...tensors].map(([name, { type, dims, data }]) => [
        name,
        new ort.Tensor(type as 'float32', data as Float32Array, dims),
      ]);
      const outputs = await session.run(Object.fromEntries(feeds));
      await session.release();
      return new Map(Object.entries(outputs) as unknown as [string, RuntimeTensor][]);
    };
    const { relative } = compareOutputs(await run(original!), await run(compressed!), COMPRESSED);
    assert.ok(Math.abs(relative / outputError - 1) < 0.01, `${relative}, reported as ${outputError}`);
  });

  it('leaves everything as it is where writing is refused', () =>
    workbench.attempt('web-refused', async () => {
      const { contextMenu, notification, row, virtual } = workbench;
      const before = readFileSync(inFolder(COMPRESSED));
      virtual.refuse(/\.compressed\.onnx$/);
      await contextMenu(row('Layers', /^fashion-vgg\.onnx/), 'Compress Model…');
      await quickInput().getByText('weight error').first().waitFor();
      await quickInput().getByText('A third of the parameters').click();
      await quickInput().getByText('Replace', { exact: true }).click();
      await notification(/fashion-vgg\.compressed\.onnx can’t be written: .*Nothing was left behind/);
      virtual.refuse(undefined);
      assert.deepEqual(readdirSync(workbench.workspace).sort(), [COMPRESSED, MODEL, PLAN]);
      assert.ok(readFileSync(inFolder(COMPRESSED)).equals(before));
    }));
});
