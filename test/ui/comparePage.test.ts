import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { LayerChange, ModelComparison } from '../../src/core/compress/compare/modelComparison';
import type { CompareView } from '../../webview/comparePage/messages';
import { chromiumOptions } from '../vscode/chromium.mjs';
import { openPage, seriousFindings, stopsKept, THEMES, tell } from './pages';

const EVIL = '<img src=x onerror="document.title=1"><b>bold</b>';

const kinds = ['factored', 'merged', 'values', 'changed', 'removed', 'added', 'same'];
/** Texts with a form for one. */
const COUNTING = new Set(['filtered', 'layerCount', 'sampleCount', 'decisions']);
const texts = {
  ...Object.fromEntries(
    [
      ...[
        'title',
        'reading',
        'to',
        'swap',
        'run',
        'runAgain',
        'export',
        'notes',
        'totals',
        'before',
        'after',
      ],
      ...[
        'change',
        'parameters',
        'macs',
        'size',
        'activations',
        'nodes',
        'opset',
        'time',
        'unknown',
        'error',
      ],
      ...[
        'errorDetails',
        'faster',
        'slower',
        'sameSpeed',
        'accuracyIs',
        'decisions',
        'noWeightError',
        'measured',
        'measuredThen',
        'notRun',
        'refused',
        'layers',
      ],
      ...[
        'noLayers',
        'changedOnly',
        'filter',
        'filtered',
        'layer',
        'operator',
        'what',
        'weightError',
        'weight',
      ],
      ...['matchedByShape', 'method', 'layerCount', 'sampleCount'],
    ].map((key) => [key, COUNTING.has(key) ? [`${key} one`, `${key} {0} {1}`] : `${key} {0} {1}`]),
  ),
  kinds: Object.fromEntries(kinds.map((kind) => [kind, kind])),
  counts: Object.fromEntries(kinds.map((kind) => [kind, [`{0} one ${kind}`, `{0} several ${kind}`]])),
};

/** The page of a comparison by itself. */
describe('the page of a comparison', () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch(await chromiumOptions());
  });
  after(() => browser?.close());

  it('takes names from models as text, whatever they hold', async () => {
    const page = await openPage(browser, 'comparePage', 900);
    await show(
      page,
      ready([change({ kind: 'removed', name: EVIL, op: EVIL })], {
        problems: [{ code: 'x', message: EVIL }],
      }),
      EVIL,
    );
    await page.locator('.virtual-table .row').waitFor();
    assert.equal(await page.locator('img, b').count(), 0);
    assert.equal(await page.title(), '');
    await page.close();
  });

  it('shows what changed, and all of it when asked', async () => {
    const page = await openPage(browser, 'comparePage', 900);
    const layers = [
      change({ name: 'first' }),
      change({ name: 'second', kind: 'factored', method: 'svd', ranks: [64] }),
      change({ name: 'third' }),
    ];
    await show(page, ready(layers));
    await page.getByRole('status').getByText('1 one factored · 2 several same').waitFor();
    await page.getByText('filtered 1 3').waitFor();
    assert.deepEqual(await names(page), ['second']);
    assert.match(await page.locator('.virtual-table .row').innerText(), /factored: method svd 64/);
    await page.getByRole('checkbox').uncheck();
    assert.deepEqual(await names(page), ['first', 'second', 'third']);
    await page.getByRole('searchbox').fill('IR');
    assert.deepEqual(await names(page), ['first', 'third']);
    assert.deepEqual(await page.evaluate('[kept.pair, kept.changedOnly, kept.filter]'), [
      { before: '/a.onnx', after: '/b.onnx' },
      false,
      'IR',
    ]);
    await page.close();
  });

  it('tells how far factors are from the weight they stand for, or that nobody knows it', async () => {
    const page = await openPage(browser, 'comparePage', 1100);
    const layers = [
      change({ name: 'known', kind: 'factored', method: 'svd', ranks: [64], weightError: 0.0312 }),
      change({ name: 'odd', kind: 'merged' }),
      change({ name: 'new', kind: 'added' }),
    ];
    await show(page, ready(layers));
    await page.locator('.virtual-table .row').first().waitFor();
    const cells = page.locator('.virtual-table .row .cell:nth-child(6)');
    assert.deepEqual(
      (await cells.allInnerTexts()).map((text) => text.split(' ')[0]),
      ['3.12', 'unknown', '–'],
    );
    assert.match((await cells.nth(1).getAttribute('title')) ?? '', /^noWeightError/);
    await page.close();
  });

  it('keeps ten thousand layers in a table that has those in sight only', async () => {
    const page = await openPage(browser, 'comparePage', 900);
    await show(
      page,
      ready(Array.from({ length: 10_000 }, (_, i) => change({ name: `layer.${i}`, kind: 'added' }))),
    );
    await page.locator('.virtual-table .row').first().waitFor();
    await page.getByRole('grid').focus();
    await page.keyboard.press('End');
    await page.getByRole('row', { name: /layer\.9999/ }).waitFor();
    assert.ok((await page.locator('.virtual-table .row').count()) < 60);
    await page.close();
  });

  it('tells what running gave, says when it was then and not now, and why it could not be', async () => {
    const page = await openPage(browser, 'comparePage', 900);
    await show(page, ready([change({})]));
    await page.getByText('notRun').waitFor();
    const figures = { file: '', bytes: 1, parameters: 1, macs: 1, ms: 2 };
    const run = {
      original: figures,
      compressed: { ...figures, ms: 1 },
      outputError: { relative: 0.031, cosine: 0.9995, max: 0.12 },
      engine: 'ORT',
      inputs: 'random',
      assumedDims: {},
    };
    await show(page, { ...ready([change({})], { run }), isFromReport: true });
    await page.getByText('error 3.1 %').waitFor();
    await page.getByText('faster 2×').waitFor();
    await page.getByText('measuredThen ORT random').waitFor();
    for (const [ms, said] of [
      [1.94, /^error 3\.1 %[^·]* · sameSpeed/],
      [2.4, /slower 1\.2×/],
      [1.85, /faster 1\.08×/],
    ] as const) {
      await show(page, ready([change({})], { run: { ...run, compressed: { ...figures, ms } } }));
      await page.getByText(said).waitFor();
    }
    await show(page, ready([change({})], { run }));
    await page.getByText('measured ORT random').waitFor();
    assert.equal(await page.getByText('accuracyIs').count(), 0);
    const accuracy = { before: 0.95, after: 0.94, samples: 128, labels: '/data/labels.npy' };
    await show(page, ready([change({})], { run: { ...run, accuracy } }));
    await page.getByText('accuracyIs 95 % 94 %').waitFor();
    const decisions = { kept: 1228, count: 1250, samples: 1250, shape: 'one' } as const;
    await show(page, ready([change({})], { run: { ...run, decisions } }));
    await page.getByText('decisions 98.2 % 1,250').waitFor();
    await page.getByRole('button', { name: 'runAgain' }).waitFor();
    await show(page, ready([change({})], { run: { refusal: 'They take other inputs.' } }));
    await page.getByRole('alert').getByText('refused They take other inputs.').waitFor();
    await page.close();
  });

  it('does by keyboard what its buttons say', async () => {
    const page = await openPage(browser, 'comparePage', 600);
    await show(page, ready([change({})]));
    const wanted = [
      { kind: 'open', side: 'before' },
      { kind: 'open', side: 'after' },
      { kind: 'do', action: 'run' },
      { kind: 'do', action: 'swap' },
    ];
    for (const message of wanted) {
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      assert.deepEqual(await page.evaluate('posted.at(-1)'), message);
    }
    await page.close();
  });

  it('leaves the focus where it is when it is drawn anew', async () => {
    const page = await openPage(browser, 'comparePage', 600, { state: { filter: 'features' } });
    const again = () => show(page, ready([change({ kind: 'added' })]));
    await again();
    // Two links, three buttons, totals, filter, what has changed only, the table and its headers.
    assert.equal(await stopsKept(page, again), 9 + 7);
    await page.close();
  });

  for (const theme of THEMES) {
    it(`has no serious finding of axe in the ${theme} theme`, async () => {
      const page = await openPage(browser, 'comparePage', 900, { theme });
      const problems = [{ code: 'x', message: 'A sentence about a problem.' }];
      await show(page, ready([change({}), change({ name: 'other', kind: 'added' })], { problems }));
      await page.getByRole('checkbox').uncheck();
      await page.getByRole('grid').focus();
      await page.keyboard.press('ArrowDown');
      await page.locator('.row[aria-selected="true"]').waitFor();
      assert.deepEqual(await seriousFindings(page), []);
      await page.screenshot({ path: `out/screenshots/compare-page-${theme}.png`, fullPage: true });
      await page.close();
    });
  }

  for (const width of [300, 900]) {
    it(`does not overflow at ${width} pixels`, async () => {
      const page = await openPage(browser, 'comparePage', width);
      const name = 'a-model-with-a-long-name.compressed.twice.and.again.onnx';
      const layers = [change({ kind: 'factored', method: 'tucker2', ranks: [48, 64] }), change({})];
      await show(page, ready(layers), name, {
        before: 'Before',
        after: 'After',
        change: 'Change',
        activations: 'Activations at the peak',
        parameters: 'Parameters',
        time: 'Time',
        nodes: 'Nodes',
        opset: 'Operator set',
        macs: 'MACs',
        size: 'Size',
        unknown: 'unknown',
      });
      await page.locator('.virtual-table .row').first().waitFor();
      await page.screenshot({ path: `out/screenshots/compare-page-${width}.png`, fullPage: true });
      assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
      // The totals are to be read at once, at any width.
      const isWhole = `(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.querySelector('.scroll'))`;
      assert.equal(await page.evaluate(isWhole), true);
      await page.close();
    });
  }
});

const names = (page: Page) => page.locator('.virtual-table .row .cell:first-child').allInnerTexts();

async function show(page: Page, view: CompareView, name = 'a.onnx', titles: object = {}): Promise<void> {
  await tell(page, {
    kind: 'show',
    pair: { before: '/a.onnx', after: '/b.onnx' },
    before: { name, place: '' },
    after: { name: 'b.onnx', place: '' },
    view,
    texts: { ...texts, ...titles },
  });
  await page.locator('h1').waitFor();
}

function change(of: Partial<LayerChange>): LayerChange {
  const name = of.name ?? 'features.6.0';
  return {
    kind: 'same',
    name,
    op: 'Conv',
    matchedBy: 'tensors',
    layers: { before: [name], after: [name] },
    shapes: {
      before: [[128, 64, 3, 3]],
      after: [
        [48, 64, 1, 1],
        [64, 48, 3, 3],
      ],
    },
    method: null,
    ranks: null,
    parameters: { before: 73_856, after: 40_000 },
    macs: { before: 1_327_104, after: null },
    bytes: { before: 295_424, after: 160_000 },
    weightError: null,
    ...of,
  };
}

function ready(layers: readonly LayerChange[], of: Partial<ModelComparison> = {}) {
  const figures = {
    file: '/a.onnx',
    bytes: 9_250_000,
    parameters: 2_310_000,
    macs: 17_900_000,
    activationBytes: null,
    opset: 17,
    nodes: 19,
    layers: 8,
  };
  const after = {
    ...figures,
    file: '/b.onnx',
    bytes: 4_610_000,
    parameters: 1_150_000,
    macs: 18_900_000,
    opset: 18,
  };
  const comparison: ModelComparison = { before: figures, after, layers, problems: [], weights: true, ...of };
  return { kind: 'ready' as const, comparison, isFromReport: false };
}
