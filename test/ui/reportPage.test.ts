import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { CompressionReport, LayerReport } from '../../src/core/compress/report';
import { chromiumOptions } from '../vscode/chromium.mjs';

const EVIL = '<img src=x onerror="document.title=1"><b>bold</b>';

/** The report page by itself, with reports that no engine would make. */
describe('the report page', () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch(await chromiumOptions());
    mkdirSync('out/screenshots', { recursive: true });
  });
  after(() => browser?.close());

  it('takes names from a model as text, whatever they hold', async () => {
    const page = await open(browser, 300);
    await show(page, reportOf([layer({ name: EVIL, reason: EVIL })], { file: `/tmp/${EVIL}` }));
    await page.getByText('1 of 1 layers factored').waitFor();
    assert.equal(await page.locator('img, b').count(), 0);
    assert.equal(await page.title(), '');
    assert.ok((await page.locator('body').innerText()).includes('<b>bold</b>'));
    await page.close();
  });

  it('says by which plan, and says nothing of plans in a report that knows none', async () => {
    const page = await open(browser, 300);
    await show(page, { ...reportOf([layer({})]), plan: '/tmp/net.ranks.json' });
    await page.getByText(/by the plan net\.ranks\.json \(goal: at most 50\s% of the parameters\)/).waitFor();
    const { plan, ...older } = reportOf([layer({})]);
    assert.equal(plan, null);
    await show(page, older as CompressionReport);
    await page.getByText(/; goal: at most 50\s% of the parameters/).waitFor();
    assert.ok(!(await page.locator('body').innerText()).includes('by the plan'));
    await page.close();
  });

  for (const width of [220, 300, 900]) {
    it(`does not overflow at ${width} pixels`, async () => {
      const page = await open(browser, width);
      await show(
        page,
        reportOf([
          layer({}),
          layer({
            name: 'dense',
            method: 'dense',
            ranks: null,
            reason: 'Depthwise: each group has one input channel.',
          }),
        ]),
      );
      await page.getByText('1 of 2 layers factored').waitFor();
      await page.screenshot({ path: `out/screenshots/report-page-${width}.png` });
      assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
      await page.close();
    });
  }

  it('shows ten thousand layers in portions', async () => {
    const page = await open(browser, 300);
    const layers = Array.from({ length: 10_000 }, (_, i) => layer({ name: `layer.${i}` }));
    const started = Date.now();
    await show(page, reportOf(layers));
    await page.getByText('10000 of 10000 layers factored').waitFor();
    assert.ok(Date.now() - started < 5000);
    assert.equal(await page.locator('vscode-data-grid-row').count(), 201);
    await page.getByText('Show More (9800 left)').click();
    assert.equal(await page.locator('vscode-data-grid-row').count(), 401);
    await page.close();
  });

  it('offers to compress when there is nothing to show, by keyboard too', async () => {
    const page = await open(browser, 300);
    await show(page, null);
    await page.getByText('Compress a Model…').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.deepEqual(await page.evaluate('posted'), [{ kind: 'ready' }, { kind: 'compress' }]);
    await page.close();
  });
});

/** The page as VS Code would open it, in colours of the light theme. */
async function open(browser: Browser, width: number): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 600 } });
  await page.setContent('<!DOCTYPE html><title></title><main id="page"></main>');
  await page.addStyleTag({
    content: `${readFileSync('dist/webview.css', 'utf8')}
      :root { --vscode-font-family: sans-serif; --vscode-font-size: 13px; --vscode-foreground: #3b3b3b;
        --vscode-descriptionForeground: #717171; --vscode-disabledForeground: #949494; --vscode-widget-border: #e5e5e5;
        --vscode-sideBar-background: #f8f8f8; --vscode-textLink-foreground: #005fb8; --vscode-charts-green: #388a34; }`,
  });
  await page.evaluate(
    'globalThis.posted = []; globalThis.acquireVsCodeApi = () => ({ postMessage: (m) => posted.push(m), getState() {}, setState() {} })',
  );
  await page.addScriptTag({ content: readFileSync('dist/webview.js', 'utf8') });
  return page;
}

const show = (page: Page, report: CompressionReport | null) =>
  page.evaluate(`postMessage(${JSON.stringify({ kind: 'show', report })}, '*')`);

function layer(of: Partial<LayerReport>): LayerReport {
  return {
    name: 'features.6.0',
    op: 'Conv',
    method: 'channel',
    ranks: [96],
    parameters: { before: 147_584, after: 70_800 },
    macs: { before: 1_327_104, after: 640_000 },
    energy: 0.95,
    weightError: 0.22,
    ...of,
  };
}

function reportOf(layers: readonly LayerReport[], { file = '/tmp/net.onnx' } = {}): CompressionReport {
  const figures = { file, bytes: 9_250_000, parameters: 2_310_000, macs: 17_900_000, ms: 2.08 };
  return {
    target: { kind: 'parameters', share: 0.5 },
    plan: null,
    original: figures,
    compressed: { ...figures, bytes: 4_620_000, parameters: 1_150_000, macs: 9_390_000, ms: 1.15 },
    outputError: { relative: 0.031, cosine: 0.9995, max: 0.12 },
    factoredWith: 'LAPACK 3.11.0',
    engine: 'ONNX Runtime 1.30.0 (WebAssembly, 1 thread)',
    inputs: 'random, seed 1; input: 1 × 1 × 28 × 28',
    assumedDims: { batch: 1 },
    layers,
    problems: [],
    seconds: { suggest: 0.4, factor: 0.4, write: 0.1, verify: 0.3 },
  };
}
