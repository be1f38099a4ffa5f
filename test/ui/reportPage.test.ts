import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium } from 'playwright-core';
import type { OverviewLayer } from '../../src/core/compress/overview';
import { formatCount } from '../../src/core/format';
import { layersOf, overviewOf, subjectOf } from '../support/reportSample';
import { chromiumOptions } from '../vscode/chromium.mjs';
import { openReport, THEMES } from './reportHarness';

const EVIL = '<img src=x onerror="document.title=1"><b>bold</b>';
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Layers beyond counting. */
const many = (count: number): readonly OverviewLayer[] =>
  Array.from({ length: count }, (_, i) => ({
    ...layersOf(true)[i % 3]!,
    name: `layer.${i}`,
    before: { parameters: 1000 + ((i * 7919) % count), macs: 5, ms: null },
  }));

/** The report page by itself, with answers of the core. */
describe('the report page', () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch(await chromiumOptions());
    mkdirSync('out/screenshots', { recursive: true });
  });
  after(() => browser?.close());

  it('takes names from a model as text, whatever they hold', async () => {
    const { page, show } = await openReport(browser);
    const layers = [{ ...layersOf(true)[0]!, name: EVIL, note: EVIL }];
    await show(
      subjectOf('predicted', {
        overview: { ...overviewOf('predicted', layers), file: `/tmp/${EVIL}` },
        layer: EVIL,
        problems: [EVIL],
      }),
    );
    await page.getByRole('heading', { name: '0 of 1 layer factored' }).waitFor();
    assert.equal(await page.locator('img, b').count(), 0);
    assert.equal(await page.title(), 'Ranksmith');
    assert.ok((await page.locator('body').innerText()).includes('<b>bold</b>'));
    await page.close();
  });

  it('says what is predicted and what was measured, and lets one choose', async () => {
    const { page, show, untilPosted } = await openReport(browser, { width: 500 });
    await show(subjectOf('none'));
    await page.getByText('As it is', { exact: true }).waitFor();
    assert.equal(await page.getByRole('columnheader', { name: /After/ }).count(), 0);
    await show(subjectOf('predicted'));
    await page.getByRole('columnheader', { name: 'After (Predicted)' }).waitFor();
    assert.equal(await page.getByRole('row', { name: /^Time/ }).count(), 0, 'a plan tells no time');
    await page.getByText('net.ranks.json').waitFor();
    await page.getByText(/at most 50\s% of the parameters\./).waitFor();
    await page.getByRole('button', { name: 'Measured', pressed: false }).click();
    assert.deepEqual(await untilPosted('basis'), { kind: 'basis', basis: 'measured' });
    await show(subjectOf('measured'));
    await page.getByRole('columnheader', { name: 'After (Measured)' }).waitFor();
    await page.getByRole('row', { name: /^Time 2\.08 ms 1\.15 ms −45 %/ }).waitFor();
    await page
      .getByText(/1\.8\d?× faster\. Output error 3\.1\s% ?\. 98\.2\s% of 1,250 decisions as before\./)
      .waitFor();
    assert.equal(await page.getByRole('button', { name: 'Measured', pressed: true }).count(), 1);
    await page.close();
  });

  for (const width of [220, 300, 900]) {
    it(`does not overflow at ${width} pixels`, async () => {
      const { page, show, slider } = await openReport(browser, { width, height: 2000 });
      for (const basis of ['none', 'measured', 'predicted'] as const) {
        await show(subjectOf(basis, { layer: 'features.1' }));
        await slider(/^Rank of features\.1/).waitFor();
        const kinds = await page
          .locator('body')
          .evaluate((body) => body.ownerDocument.documentElement.scrollWidth);
        assert.ok(kinds <= width, `${kinds} pixels with the basis ${basis}`);
      }
      await slider(/^Share of/).waitFor();
      await page.screenshot({ path: `out/screenshots/report-page-${width}.png` });
      await page.close();
    });
  }

  it('makes elements only for what is in sight of ten thousand layers', async () => {
    const { page, show, untilPosted } = await openReport(browser, { width: 900 });
    const layers = many(10_000);
    await show(subjectOf('predicted', { overview: overviewOf('predicted', layers), isMeasured: false }));
    const table = page.getByRole('grid', { name: 'All layers' });
    await table.waitFor();
    assert.equal(await table.getAttribute('aria-rowcount'), '10001');
    assert.ok((await table.getByRole('row').count()) < 80);
    const bars = page.getByRole('listbox', { name: 'Layers' });
    assert.ok((await bars.getByRole('option').count()) < 80);
    await bars.focus();
    await page.keyboard.press('End');
    await bars.getByRole('option', { name: /^layer\.9999 / }).waitFor();
    await page.keyboard.press('Enter');
    assert.deepEqual(await untilPosted('select'), { kind: 'select', layer: 'layer.9999' });
    assert.ok((await bars.getByRole('option').count()) < 80);
    await table.focus();
    await page.keyboard.press('End');
    await table.getByRole('row', { name: /^layer\.9999 / }).waitFor();
    assert.ok((await table.getByRole('row').count()) < 80);
    await page.close();
  });

  it('sorts and filters the table, and selects from it', async () => {
    const { page, show, untilPosted } = await openReport(browser, { width: 900, height: 1600 });
    await show(subjectOf('predicted', { overview: overviewOf('predicted', many(60)) }));
    const table = page.getByRole('grid', { name: 'All layers' });
    const first = () => table.locator('[aria-rowindex="2"]');
    await table.getByRole('columnheader', { name: 'Parameters' }).getByRole('button').click();
    assert.equal(
      await table.getByRole('columnheader', { name: 'Parameters' }).getAttribute('aria-sort'),
      'descending',
    );
    const largest = [...many(60)].sort((a, b) => b.before.parameters - a.before.parameters)[0]!;
    assert.match(await first().innerText(), new RegExp(`^${largest.name}\\n`));
    await table.getByRole('columnheader', { name: 'Parameters' }).getByRole('button').click();
    assert.equal(
      await table.getByRole('columnheader', { name: 'Parameters' }).getAttribute('aria-sort'),
      'ascending',
    );
    await page.getByRole('searchbox', { name: 'Filter layers' }).fill('layer.5');
    await page.getByText('11 of 60 layers').waitFor();
    assert.equal(await table.getByRole('row').count(), 12);
    await page.getByRole('searchbox', { name: 'Filter layers' }).fill('layer.57');
    await table.getByRole('row', { name: /^layer\.57 / }).click();
    assert.deepEqual(await untilPosted('select'), { kind: 'select', layer: 'layer.57' });
    await page.getByRole('group', { name: 'Export as' }).getByText('CSV').click();
    assert.deepEqual(await untilPosted('export'), { kind: 'export', format: 'csv' });
    await page.close();
  });

  it('selects a layer in the chart and the table when it is selected elsewhere', async () => {
    const { page, show, send, slider } = await openReport(browser, { width: 900, height: 1600 });
    await show(subjectOf('predicted'));
    await page.getByText('Select a layer in the chart').waitFor();
    await send({ kind: 'select', layer: 'fc' });
    await page.getByRole('option', { name: /^fc /, selected: true }).waitFor();
    await page.getByRole('grid').getByRole('row', { name: /^fc /, selected: true }).waitFor();
    await slider(/^Rank of fc/).waitFor();
    await page.getByRole('option', { name: /^features\.0 / }).click();
    // The extension says so to all pages, this one included.
    await send({ kind: 'select', layer: 'features.0' });
    await slider(/^Rank of features\.0, /)
      .first()
      .waitFor();
    assert.equal(await slider(/^Rank of features\.0, /).count(), 2, 'a handle for each rank');
    await page.close();
  });

  it('moves the rank by keyboard, with live figures, and applies it', async () => {
    const { page, show, slider, untilPosted, asked } = await openReport(browser, {
      width: 500,
      height: 1600,
    });
    await show(subjectOf('predicted', { layer: 'features.1' }));
    const handle = slider(/^Rank of features\.1/);
    await handle.waitFor();
    const value = async () => Number(await handle.getAttribute('aria-valuenow'));
    assert.equal(await value(), 64);
    await page.getByText('planned: 64').first().waitFor();
    await page.getByText('suggested: 80').first().waitFor();
    await handle.focus();
    const after: number[] = [];
    for (const key of [
      'ArrowRight',
      'Shift+ArrowRight',
      'ArrowRight',
      'ArrowLeft',
      'Alt+ArrowLeft',
      'PageUp',
      'PageDown',
      'Home',
      'End',
    ]) {
      await page.keyboard.press(key);
      after.push(await value());
    }
    const full = Number(await handle.getAttribute('aria-valuemax'));
    assert.deepEqual(after, [80, 81, 96, 80, 79, 144, 64, 1, full]);
    await page.getByText('At this rank the layer becomes larger').waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await value(), 64);
    await page.keyboard.press('ArrowRight');
    // The figures are those of the engine, as the value that is read out.
    await page.waitForFunction(
      `/^rank 80 of 384: weight error [\\d.]+ %, [\\d.]+ k parameters/.test(document.activeElement.getAttribute('aria-valuetext'))`,
    );
    const last = (await asked()).at(-1)!;
    assert.deepEqual(last, {
      kind: 'explain',
      layer: 'features.1',
      setting: { method: 'spatial', ranks: [80] },
    });
    await page.getByRole('row', { name: /^Whole model: Parameters/ }).waitFor();
    await page.keyboard.press('Enter');
    const applied = { kind: 'apply', layer: 'features.1', setting: { method: 'spatial', ranks: [80] } };
    assert.deepEqual(await untilPosted('apply'), applied);
    await page.getByRole('button', { name: 'Apply to Plan' }).click();
    assert.deepEqual(await untilPosted('apply'), applied);
    await page.close();
  });

  it('leaves focus and place to who has just put a rank into the plan', async () => {
    const { page, show, slider } = await openReport(browser, { width: 300 });
    await show(subjectOf('none', { layer: 'features.1' }));
    const handle = slider(/^Rank of features\.1/);
    await handle.focus();
    const place = () => handle.evaluate((each) => Math.round(each.getBoundingClientRect().top));
    const before = await place();
    // Now there is a plan, with figures of its own for this layer.
    await show(subjectOf('predicted', { layer: 'features.1' }));
    await page.getByText('planned: 64', { exact: true }).waitFor();
    assert.equal(await page.evaluate('document.activeElement.getAttribute("role")'), 'slider');
    assert.ok(Math.abs((await place()) - before) < 400, `from ${before} to ${await place()}`);
    await page.close();
  });

  it('drags the rank in steps of the plan, finely with Shift', async () => {
    const { page, show, slider } = await openReport(browser, { width: 500, height: 1600 });
    await show(subjectOf('predicted', { layer: 'features.1' }));
    const handle = slider(/^Rank of features\.1/);
    await handle.waitFor();
    const box = (await handle.boundingBox())!;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 57, y + 3);
    const coarse = Number(await handle.getAttribute('aria-valuenow'));
    assert.ok(coarse > 64 && coarse % 16 === 0, String(coarse));
    await page.keyboard.down('Shift');
    const values = new Set<number>();
    for (let by = 58; by < 70; by += 2) {
      await page.mouse.move(x + by, y);
      values.add(Number(await handle.getAttribute('aria-valuenow')));
    }
    await page.keyboard.up('Shift');
    await page.mouse.up();
    assert.ok([...values].some((value) => value % 16 !== 0));
    await page
      .getByRole('region', { name: 'Layer', exact: true })
      .getByRole('button', { name: 'Reset' })
      .click();
    await page.waitForFunction(
      `document.querySelector('.rank [role=slider]').getAttribute('aria-valuenow') === '64'`,
    );
    await page.close();
  });

  it('plans anew where the handle of the trade-off is let go of, and on Enter', async () => {
    const { page, show, slider, asked } = await openReport(browser, { width: 500, height: 1600 });
    await show(subjectOf('predicted'));
    const handle = slider(/^Share of the Parameters/);
    await handle.waitFor();
    await page.getByText(/^The plan leaves \d+ % at 25 %\.|The plan leaves/).waitFor();
    await handle.scrollIntoViewIfNeeded();
    const box = (await handle.boundingBox())!;
    const now = Number(await handle.getAttribute('aria-valuenow'));
    await page.mouse.move(box.x + 12, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 72, box.y + 40);
    const wanted = Number(await handle.getAttribute('aria-valuenow'));
    assert.ok(wanted > now);
    const replans = async () => (await asked()).filter(({ kind }) => kind === 'replan');
    assert.deepEqual(await replans(), [], 'nothing is planned while it is dragged');
    await page.mouse.up();
    await page.waitForFunction(`asked.some(({ kind }) => kind === 'replan')`);
    assert.deepEqual(await replans(), [{ kind: 'replan', unit: 'parameters', share: wanted / 100 }]);
    await page.getByLabel('Trade the weight error against').selectOption('macs');
    const other = slider(/^Share of the MACs/);
    await other.focus();
    const before = Number(await other.getAttribute('aria-valuenow'));
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    await page.waitForFunction(`asked.filter(({ kind }) => kind === 'replan').length === 2`);
    assert.deepEqual((await replans())[1], { kind: 'replan', unit: 'macs', share: (before - 2) / 100 });
    await page.close();
  });

  it('keeps the share in question when the plan becomes another meanwhile', async () => {
    const { page, show, slider, asked } = await openReport(browser, { width: 500, height: 1600 });
    await show(subjectOf('predicted'));
    const handle = slider(/^Share of the Parameters/);
    await handle.focus();
    const before = Number(await handle.getAttribute('aria-valuenow'));
    await page.keyboard.press('ArrowRight');
    const overview = overviewOf('predicted');
    const parameters = Math.round(overview.after!.parameters * 0.9);
    await show(
      subjectOf('predicted', { overview: { ...overview, after: { ...overview.after!, parameters } } }),
    );
    await page.getByText(formatCount(parameters)).first().waitFor();
    assert.equal(await handle.getAttribute('aria-valuenow'), String(before + 1));
    await page.keyboard.press('Enter');
    await page.waitForFunction(`asked.some(({ kind }) => kind === 'replan')`);
    const replans = (await asked()).filter(({ kind }) => kind === 'replan');
    assert.deepEqual(replans, [{ kind: 'replan', unit: 'parameters', share: (before + 1) / 100 }]);
    await page.close();
  });

  it('leaves a plan that was made on data alone, and waits to measure weights until it is told to', async () => {
    const { page, show, slider, asked } = await openReport(browser, { width: 500, height: 1600 });
    await show(subjectOf('none'));
    await page.getByText('Its weights have to be measured').waitFor();
    assert.deepEqual(await asked(), []);
    await page.getByRole('button', { name: 'Measure the Weights' }).click();
    await slider(/^Share of/).waitFor();
    await show(subjectOf('predicted', { plan: 'calibrated' }));
    await page.getByText('The plan was made on calibration data').waitFor();
    await slider(/^Share of/).focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    assert.equal(await page.getByRole('button', { name: 'Re-plan' }).isDisabled(), true);
    assert.ok((await asked()).every(({ kind }) => kind !== 'replan'));
    await page.close();
  });

  it('is as it was when it comes back', async () => {
    const first = await openReport(browser, { width: 900, height: 900 });
    await first.show(subjectOf('predicted', { overview: overviewOf('predicted', many(60)) }));
    await first.page.getByLabel('Bars show').selectOption('macs');
    await first.page.getByRole('columnheader', { name: 'Method' }).getByRole('button').click();
    await first.page.getByRole('searchbox').fill('layer.1');
    await first.page.getByText('11 of 60 layers').waitFor();
    await first.page.waitForFunction(`kept.filter === 'layer.1' && kept.table.sorting?.column === 'method'`);
    const state = await first.state();
    await first.page.close();
    assert.ok(JSON.stringify(state).length < 1000, 'only how things are shown is kept');
    const again = await openReport(browser, { width: 900, height: 900, state });
    await again.show(subjectOf('predicted', { overview: overviewOf('predicted', many(60)) }));
    await again.page.getByText('11 of 60 layers').waitFor();
    assert.equal(await again.page.getByLabel('Bars show').inputValue(), 'macs');
    const sorted = again.page.getByRole('columnheader', { name: 'Method' });
    assert.equal(await sorted.getAttribute('aria-sort'), 'ascending');
    await again.page.close();
  });

  it('offers to compress when there is nothing to show, by keyboard too, or says what is wrong', async () => {
    const { page, show, posted } = await openReport(browser);
    await show(null);
    await page.getByText('Compress a Model…').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.deepEqual(await posted(), [{ kind: 'ready' }, { kind: 'compress' }]);
    await show(null, 'net.onnx is no model.');
    await page.getByRole('alert').getByText('net.onnx is no model.').waitFor();
    await page.close();
  });

  for (const theme of THEMES) {
    it(`has no serious finding of axe in the ${theme} theme`, async () => {
      for (const [className, width] of [
        ['view', 300],
        ['editor', 900],
      ] as const) {
        const { page, show, slider } = await openReport(browser, { theme, className, width, height: 1800 });
        for (const basis of ['none', 'measured', 'predicted'] as const) {
          await show(subjectOf(basis, { layer: 'features.1', problems: ['A sentence about a problem.'] }));
          await slider(/^Rank of features\.1/).waitFor();
          const closed = page.locator('details:not([open]) > summary:visible');
          while ((await closed.count()) > 0) await closed.first().click();
          await page.addScriptTag({ path: AXE });
          const found = (await page.evaluate(`axe.run(document, { resultTypes: ['violations'] })`)) as {
            violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
          };
          const serious = found.violations.filter(
            ({ impact }) => impact === 'serious' || impact === 'critical',
          );
          const told = serious.flatMap(({ id, nodes }) =>
            nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`),
          );
          assert.deepEqual(told, [], `${basis} at ${width} pixels`);
        }
        await slider(/^Share of/).waitFor();
        await page.screenshot({ path: `out/screenshots/report-page-${theme}-${width}.png` });
        await page.close();
      }
    });
  }

  it('can be read in colours that the system forces on it', async () => {
    const { page, show, slider } = await openReport(browser, {
      theme: 'high-contrast',
      width: 900,
      height: 1400,
    });
    await page.emulateMedia({ forcedColors: 'active', colorScheme: 'dark' });
    await show(subjectOf('predicted', { layer: 'features.1' }));
    await slider(/^Share of/).waitFor();
    const stroke = await page
      .locator('.rank .curve')
      .first()
      .evaluate((curve) => {
        const view = curve.ownerDocument.defaultView!;
        const probe = curve.ownerDocument.createElement('p');
        probe.style.color = 'CanvasText';
        curve.ownerDocument.body.append(probe);
        const wanted = view.getComputedStyle(probe).color;
        probe.remove();
        return [view.getComputedStyle(curve).stroke, wanted];
      });
    assert.equal(stroke[0], stroke[1]);
    await page.screenshot({ path: 'out/screenshots/report-page-forced-colors.png' });
    await page.close();
  });
});
