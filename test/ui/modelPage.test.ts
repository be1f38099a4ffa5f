import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { LayerInfo } from '../../src/core/compress/analysis';
import type { ModelInspection } from '../../src/core/compress/modelStructure';
import type { ModelView } from '../../webview/modelPage/messages';
import { chromiumOptions } from '../vscode/chromium.mjs';
import { openPage, seriousFindings, stopsKept, THEMES, tell } from './pages';

const EVIL = '<img src=x onerror="document.title=1"><b>bold</b>';

/** Texts with a form for one. */
const COUNTING = new Set(['someParameters', 'statistics', 'nodesWithBodies', 'layersSummary', 'filtered']);
/** Every text as its own key, with places for values. */
const textOf = (key: string) => `${key} {0} {1}`;
const textTable = Object.fromEntries(
  [
    ...['reading', 'failed', 'openWith', 'compress', 'plan', 'report', 'compare', 'dimensions', 'problems'],
    ...['overview', 'parameters', 'macs', 'flops', 'otherOps', 'size', 'activations', 'assumed', 'opsets'],
    ...['irVersion', 'producer', 'nodes', 'initializers', 'inputs', 'outputs', 'name', 'type', 'shape'],
    ...[
      'operators',
      'dataFiles',
      'file',
      'tensors',
      'state',
      'present',
      'metadata',
      'key',
      'value',
      'layers',
    ],
    ...['layersSummary', 'filter', 'filtered', 'layer', 'operator', 'weight', 'share', 'output', 'unknown'],
    ...['canBeFactored', 'someParameters', 'someMacs', 'graph', 'description', 'none', 'standardDomain'],
  ].map((key) => [key, COUNTING.has(key) ? [`${key} one`, textOf(key)] : textOf(key)]),
);

/** The page of a model by itself, with models that are hard to have. */
describe('the page of a model', () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch(await chromiumOptions());
  });
  after(() => browser?.close());

  it('takes everything from a model as text, whatever it holds', async () => {
    const page = await openPage(browser, 'modelPage', 900);
    const inspection = inspectionOf([layer({ name: EVIL, weight: EVIL, reason: EVIL, status: 'skipped' })], {
      producer: EVIL,
      description: EVIL,
      metadata: [{ key: EVIL, value: EVIL }],
      inputs: [{ name: EVIL, type: EVIL, shape: [EVIL] }],
      operators: [{ op: EVIL, domain: EVIL, count: 1 }],
      dataFiles: [{ location: EVIL, tensors: 1, bytes: 1, first: EVIL, size: null, trouble: EVIL }],
    });
    await show(page, { kind: 'ready', inspection }, EVIL);
    await page.locator('.virtual-table .row').first().waitFor();
    assert.equal(await page.locator('img, b').count(), 0);
    assert.equal(await page.title(), '');
    assert.ok((await page.locator('body').innerText()).includes('<b>bold</b>'));
    await page.close();
  });

  it('keeps ten thousand layers in a table that has those in sight only', async () => {
    const page = await openPage(browser, 'modelPage', 900);
    const layers = Array.from({ length: 10_000 }, (_, i) => layer({ name: `layer.${i}`, parameters: i }));
    await show(page, { kind: 'ready', inspection: inspectionOf(layers) });
    const rows = page.locator('.virtual-table .row');
    await rows.first().waitFor();
    assert.ok((await rows.count()) < 60);
    const table = page.getByRole('grid');
    assert.equal(await table.getAttribute('aria-rowcount'), '10001');
    await table.focus();
    await page.keyboard.press('End');
    await page.getByRole('row', { name: /layer\.9999/ }).waitFor();
    assert.ok((await rows.count()) < 60);
    assert.equal(await selected(page), 'layer.9999');
    await page.keyboard.press('ArrowUp');
    assert.equal(await selected(page), 'layer.9998');
    await page.keyboard.press('Enter');
    assert.deepEqual(await page.evaluate('posted.at(-1)'), { kind: 'layer', name: 'layer.9998' });
    // Numbers come the largest first; the active row stays the same.
    await page.getByRole('columnheader', { name: 'parameters' }).getByRole('button').click();
    await page.getByRole('row', { name: /layer\.9999/ }).waitFor();
    assert.equal(
      await page.getByRole('columnheader', { name: 'parameters' }).getAttribute('aria-sort'),
      'descending',
    );
    assert.equal(await rows.first().getAttribute('aria-rowindex'), '2');
    assert.match(await rows.first().innerText(), /^layer\.9999/);
    assert.equal(await selected(page), 'layer.9998');
    await page.getByRole('searchbox').fill('LAYER.77');
    await page.getByText('filtered 111 10,000').waitFor();
    assert.equal(await table.getAttribute('aria-rowcount'), '112');
    assert.deepEqual(await page.evaluate('[kept.filter, kept.table.sorting]'), [
      'LAYER.77',
      { column: 'parameters', descending: true },
    ]);
    await page.close();
  });

  it('comes back as it was left', async () => {
    const sorting = { column: 'parameters', descending: true };
    const state = { filter: '1', table: { sorting, scroll: 0, active: 1 } };
    const page = await openPage(browser, 'modelPage', 900, { state });
    const layers = [1, 10, 2, 11].map((n) => layer({ name: `layer.${n}`, parameters: n }));
    await show(page, { kind: 'ready', inspection: inspectionOf(layers) });
    await page.getByText('filtered 3 4').waitFor();
    const names = await page.locator('.virtual-table .row .cell:first-child').allInnerTexts();
    assert.deepEqual(names, ['layer.11', 'layer.10', 'layer.1']);
    assert.equal(await selected(page), 'layer.10');
    await page.close();
  });

  for (const width of [300, 900]) {
    it(`does not overflow at ${width} pixels`, async () => {
      const page = await openPage(browser, 'modelPage', width);
      const inspection = inspectionOf(
        Array.from({ length: 40 }, (_, i) => layer({ name: `encoder.block.${i}.attention` })),
        { metadata: [{ key: 'a key of some length', value: 'word '.repeat(60) }] },
      );
      await show(page, { kind: 'ready', inspection });
      await page.locator('.virtual-table .row').first().waitFor();
      await page.screenshot({ path: `out/screenshots/model-page-${width}.png`, fullPage: true });
      assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
      const [head, cell] = await Promise.all(
        ['.virtual-table .head .cell:nth-child(4)', '.virtual-table .row .cell:nth-child(4)'].map((each) =>
          page.locator(each).first().boundingBox(),
        ),
      );
      assert.deepEqual([head!.x, head!.width], [cell!.x, cell!.width], 'headers stand above their columns');
      await page.close();
    });
  }

  for (const theme of THEMES) {
    it(`has no serious finding of axe in the ${theme} theme`, async () => {
      const page = await openPage(browser, 'modelPage', 900, { theme });
      const skipped = layer({ status: 'skipped', reason: 'Depthwise: each group has one input channel.' });
      const inspection = inspectionOf([layer({}), skipped], {
        problems: [{ code: 'x', message: 'A sentence about a problem.' }],
        dataFiles: [{ location: 'net.data', tensors: 1, bytes: 1, first: 'w', size: 1 }],
        metadata: [{ key: 'author', value: 'somebody' }],
      });
      await show(page, { kind: 'ready', inspection });
      await page.getByRole('grid').focus();
      await page.keyboard.press('ArrowDown');
      await page.locator('.row[aria-selected="true"]').waitFor();
      assert.deepEqual(await seriousFindings(page), []);
      await page.screenshot({ path: `out/screenshots/model-page-${theme}.png`, fullPage: true });
      await page.close();
    });
  }

  it('says why a model can’t be read, and where else to look', async () => {
    const page = await openPage(browser, 'modelPage', 300);
    await show(page, { kind: 'failed', message: 'net.onnx is empty: it holds no ONNX model.' });
    await page.getByRole('alert').getByText('is empty').waitFor();
    await page.getByRole('button', { name: 'openWith' }).click();
    assert.deepEqual(await page.evaluate('posted'), [{ kind: 'ready' }, { kind: 'do', action: 'openWith' }]);
    await page.close();
  });

  it('does by keyboard what its buttons say', async () => {
    const page = await openPage(browser, 'modelPage', 600);
    await show(page, { kind: 'ready', inspection: inspectionOf([layer({})]) });
    for (const action of ['compress', 'plan', 'report', 'compare']) {
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      assert.deepEqual(await page.evaluate('posted.at(-1)'), { kind: 'do', action });
    }
    await page.close();
  });

  it('leaves the focus where it is when the file is read anew', async () => {
    const page = await openPage(browser, 'modelPage', 600, { state: { filter: 'features' } });
    const again = () => show(page, { kind: 'ready', inspection: inspectionOf([layer({})]) });
    await again();
    // Four buttons, two tables that scroll, the filter, the table of layers and its headers.
    assert.equal(await stopsKept(page, again), 8 + 8);
    await page.close();
  });
});

const selected = (page: Page) => page.locator('.row[aria-selected="true"] .cell').first().innerText();

async function show(page: Page, view: ModelView, name = 'net.onnx'): Promise<void> {
  await tell(page, { kind: 'show', name, place: '', view, texts: textTable });
  await page.locator('h1').waitFor();
}

function layer(of: Partial<LayerInfo>): LayerInfo {
  return {
    name: 'features.6.0',
    op: 'Conv',
    weight: 'features.6.0.weight',
    weightShape: [128, 64, 3, 3],
    parameters: 73_856,
    macs: 1_327_104,
    macsFormula: null,
    intensity: 4,
    outputShape: ['N', 128, 7, 7],
    status: 'compressible',
    ...of,
  };
}

function inspectionOf(
  layers: readonly LayerInfo[],
  structure: Partial<ModelInspection['structure']> = {},
): ModelInspection {
  return {
    analysis: {
      file: '/tmp/net.onnx',
      format: 'onnx',
      opset: 17,
      bytes: 9_250_000,
      parameters: { stored: 2_310_000, used: 2_310_000, statistics: 0 },
      macs: 17_900_000,
      flops: 35_800_000,
      macsFormula: null,
      otherOps: 143_000,
      activationBytes: 201_000,
      bytesByType: { float: 9_240_000 },
      unknownMacs: [],
      freeDims: [],
      assumedDims: {},
      layers,
      problems: [],
    },
    structure: {
      irVersion: 8,
      producer: 'pytorch',
      producerVersion: '2.13.0',
      domain: '',
      version: 0,
      description: '',
      graph: 'main_graph',
      opsets: { '': 17 },
      nodes: 19,
      bodies: 0,
      functions: 0,
      initializers: 16,
      hasTraining: false,
      operators: [
        { op: 'Conv', domain: '', count: 6 },
        { op: 'QGemm', domain: 'com.microsoft', count: 1 },
      ],
      inputs: [{ name: 'input', type: 'float', shape: ['N', 1, 28, 28] }],
      outputs: [{ name: 'logits', type: 'float', shape: null }],
      metadata: [],
      omittedMetadata: 0,
      dataFiles: [],
      problems: [],
      ...structure,
    },
  };
}
