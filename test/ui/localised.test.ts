import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Locator } from 'playwright-core';
import { run } from '../support/cli';
import { englishWords } from '../support/englishWords';
import { openWorkbench, type Workbench } from '../vscode/ui.mjs';

const MODEL = 'fashion-vgg.onnx';
const PLAN = 'fashion-vgg.ranks.json';
const COMPRESSED = 'fashion-vgg.compressed.onnx';
const FC = '/fc1/Gemm';
const CONV = '/features/features.8/features.8.0/Conv';

const read = (file: string): Readonly<Record<string, string>> => JSON.parse(readFileSync(file, 'utf8'));
const manifest = read('package.nls.zh-cn.json');
const bundle = read('l10n/bundle.l10n.zh-cn.json');
const LAYERS = manifest['view.layers']!;

/** A text of the host or, with /engine behind it, of the engine, in Chinese. */
function say(key: string, ...values: readonly string[]): string {
  const text = bundle[key];
  assert.ok(text !== undefined, key);
  return text.replace(/\{(\d+)\}/g, (_, number) => values[Number(number)] ?? '');
}

/** What stands in the sample besides sentences: names of its files, tensors and dimensions, and operators. */
const NAMES = new Set(
  `fashion vgg fashion-vgg features batch image logits input output weight broken nowhere model
   Conv Gemm BatchNormalization Relu MaxPool Flatten Add ReLU ir pytorch float32 macs nhwc nchw`.split(/\s+/),
);

/** What VS Code adds to ours, and what is nothing. */
const OF_VSCODE = /^(Actions for .*|Copy|More Actions\.\.\.|Show message in single line|)$/;
/** Whose a problem is, its code and its place. */
const OF_PROBLEM = /Ranksmith\s+[\w-]+\s+\[Ln \d+, Col \d+\]/g;

/** As much of an element as is needed here. */
interface Shown {
  readonly innerText?: string;
  getAttribute(name: string): string | null;
  querySelectorAll(selector: '*'): Iterable<Shown>;
}

/** In a page: every text that is read or spoken in some elements. */
const textsOf = (nodes: readonly Shown[]): readonly string[] =>
  nodes.flatMap((node) => [
    node.innerText ?? '',
    ...[node, ...node.querySelectorAll('*')].flatMap((each) =>
      ['aria-label', 'aria-description', 'aria-valuetext', 'title', 'placeholder', 'alt'].map(
        (name) => each.getAttribute(name) ?? '',
      ),
    ),
  ]);

/** The whole story in a window of somebody who reads Chinese: VS Code's own words are English there, ours are not. */
describe('the extension in Chinese', () => {
  let workbench: Workbench;
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-chinese-'));
  before(async () => {
    const model = path.join(folder, MODEL);
    copyFileSync(path.join('media/sample', MODEL), model);
    assert.equal(run('plan', model, '--target', 'macs=0.5').status, 0);
    // A plan with something of every kind: what can't be carried out, what is much worse than need be, what is gone.
    const plan = path.join(folder, PLAN);
    const lines = readFileSync(plan, 'utf8').split('\n');
    const replaced = lines.flatMap((line) => {
      const of = (layer: string) => line.includes(`${JSON.stringify(layer)}:`);
      const end = line.endsWith(',') ? ',' : '';
      if (of(CONV)) return [`    ${JSON.stringify(CONV)}: { "method": "spatial", "ranks": [6] }${end}`];
      if (!of(FC)) return [line];
      const broken = `    "nowhere": { "method": "svd", "ranks": [4] },`;
      return [broken, `    ${JSON.stringify(FC)}: { "method": "svd", "ranks": [50000] }${end}`];
    });
    assert.equal(replaced.length, lines.length + 1);
    writeFileSync(plan, replaced.join('\n'));
    writeFileSync(path.join(folder, 'broken.onnx'), 'this is no model');
    workbench = await openWorkbench({ folder, locale: 'zh-cn', viewport: { width: 1400, height: 900 } });
    // Notifications come and go, with their progress: what each of them ever said is kept.
    await workbench.page.evaluate(`{
      window.said = new Set();
      new MutationObserver(() => {
        for (const each of document.querySelectorAll('.notification-list-item-message')) window.said.add(each.innerText);
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    }`);
  });
  after(async () => {
    await workbench?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Holds all texts of some elements against the rule; there has to be something to hold against it. */
  const inChinese = async (found: Locator) => {
    const texts = ((await found.evaluateAll(textsOf as never)) as readonly string[]).filter(
      (text) => !OF_VSCODE.test(text),
    );
    assert.match(texts.join(), /\p{Script=Han}/u, 'nothing in Chinese was found');
    const english = texts.flatMap((text) => {
      const words = englishWords(text.replace(OF_PROBLEM, ''), NAMES);
      return words.length > 0 ? [`${words.join(' ')}: ${text.replace(/\s+/g, ' ').slice(0, 300)}`] : [];
    });
    assert.deepEqual([...new Set(english)], []);
  };
  const press = (key: string) => workbench.page.keyboard.press(key);
  const picker = () => workbench.page.locator('.quick-input-widget');
  const choices = () =>
    picker().locator(
      '.quick-input-title, .quick-input-list .monaco-icon-label, .quick-input-list .quick-input-list-separator:visible',
    );
  it('has menus, views, rows and tooltips', () =>
    workbench.attempt('chinese-tree', async () => {
      const { page, menuEntries, openContainer, row, view, screenshot } = workbench;
      const entries = await menuEntries(MODEL);
      for (const key of ['analyzeModel', 'compressModel', 'openPlan', 'compareModels', 'openModel'])
        assert.ok(entries.includes(manifest[`command.${key}`]!), `${key} in ${entries}`);
      await openContainer('Ranksmith');
      await row(LAYERS, say('{0} parameters', '2.31 M')).waitFor();
      await workbench.expand(LAYERS, /^fashion-vgg\.onnx/);
      await row(LAYERS, /建议：/).waitFor();
      await row(LAYERS, /^broken\.onnx/).waitFor();
      await workbench.expand(LAYERS, /^broken\.onnx/);
      await row(LAYERS, /broken\.onnx 不是可读取的/).waitFor();
      await inChinese(view(LAYERS).getByRole('treeitem'));
      await inChinese(view(LAYERS).locator('.pane-header h3'));
      const hover = page.locator('.monaco-hover:visible');
      await workbench.again(async (timeout) => {
        await row(LAYERS, /^fc2/).hover();
        await hover
          .getByText(/MACs：/)
          .first()
          .waitFor({ timeout });
      });
      await inChinese(hover.locator('.hover-contents'));
      await screenshot('chinese-tree-dark');
    }));

  it('explains a plan: lenses, hover, problems, light bulb, status bar', () =>
    workbench.attempt('chinese-plan', async () => {
      const { page, contextMenu, row, screenshot, runCommand } = workbench;
      await contextMenu(row(LAYERS, /^fashion-vgg\.onnx/), manifest['command.openPlan']!);
      const errors = page.locator('.monaco-editor .squiggly-error');
      await errors.nth(1).waitFor();
      await page.locator('.monaco-editor .squiggly-warning').first().waitFor();
      const lenses = page.locator('.codelens-decoration');
      await lenses
        .filter({ hasText: /误差 (≤ |≈ )?\d/ })
        .first()
        .waitFor();
      await inChinese(lenses);
      const status = page.locator('.statusbar-item[id^="ranksmith."]').first();
      await status.filter({ hasText: /误差/ }).waitFor();
      await inChinese(status);
      await workbench.again(async (timeout) => {
        await status.hover();
        await page.locator('.monaco-hover:visible', { hasText: '目标' }).first().waitFor({ timeout });
      });
      await inChinese(page.locator('.monaco-hover:visible .hover-contents'));
      await page.locator('.monaco-editor .view-line', { hasText: 'features.8.0' }).first().click();
      const hover = page.locator('.monaco-editor .monaco-hover:visible').first();
      await workbench.again(async (timeout) => {
        await press('Control+K');
        await press('Control+I');
        await hover.locator('table').waitFor({ timeout });
      });
      await inChinese(hover.locator('.hover-row:has(table)'));
      await screenshot('chinese-hover-dark');
      await press('Escape');
      const fixes = page.locator('.action-widget .monaco-list-row.action');
      await workbench.again(async (timeout) => {
        await press('Control+.');
        await fixes
          .filter({ hasText: say('Compare Methods…') })
          .first()
          .waitFor({ timeout });
      });
      await inChinese(fixes.locator('.title'));
      await screenshot('chinese-bulb-dark');
      await press('Escape');
      await runCommand('Problems: Focus on Problems View');
      const problems = page.locator('.markers-panel .marker-message-line');
      await problems.nth(2).waitFor();
      await inChinese(problems);
      await screenshot('chinese-problems-dark');
      await runCommand(`Ranksmith: ${manifest['command.planActions']}`);
      await picker()
        .locator('.quick-input-title', { hasText: say('Plan {0}', PLAN) })
        .waitFor();
      await choices()
        .filter({ hasText: say('Apply All Suggestions') })
        .waitFor();
      await inChinese(choices());
      await press('Escape');
      await runCommand('View: Toggle Panel Visibility');
    }));

  it('compresses, and says what came of it', () =>
    workbench.attempt('chinese-compress', async () => {
      const { page, contextMenu, notification, row, screenshot, view, webviewFrame } = workbench;
      await contextMenu(row(LAYERS, /^fashion-vgg\.onnx/), manifest['command.compressModel']!);
      await picker().getByText(say('No layer would become smaller.')).waitFor();
      await inChinese(choices());
      await screenshot('chinese-goals-dark');
      await picker().getByText(say('Half the MACs'), { exact: true }).click();
      const toast = await notification(/−5\d(\.\d)? % MACs/);
      await inChinese(
        toast.locator('.notification-list-item-message, .notification-list-item-buttons-container'),
      );
      await toast.getByRole('button', { name: say('Show Report') }).click();
      const said = (await page.evaluate('[...window.said]')) as string[];
      assert.deepEqual(
        said.flatMap((text) => englishWords(text, NAMES)),
        [],
      );
      const report = webviewFrame('webviewView');
      await report
        .getByText(/ONNX Runtime/)
        .first()
        .waitFor();
      await inChinese(report.locator('body'));
      await row(LAYERS, /^fashion-vgg\.compressed\.onnx/).waitFor();
      await inChinese(view(manifest['view.report']!).locator('.pane-header h3'));
      await screenshot('chinese-report-dark');
    }));

  it('shows a model, and compares two', () =>
    workbench.attempt('chinese-pages', async () => {
      const { openContainer, contextMenu, pageWith, screenshot } = workbench;
      await openContainer('Explorer');
      await contextMenu(MODEL, manifest['command.openModel']!);
      const model = await pageWith('.facts');
      await model.getByRole('grid', { name: say('Layers') }).waitFor();
      await inChinese(model.locator('body'));
      await screenshot('chinese-model-dark');
      await contextMenu(COMPRESSED, manifest['command.compareModels']!);
      await choices().filter({ hasText: MODEL }).first().waitFor();
      await inChinese(choices());
      await choices().filter({ hasText: MODEL }).first().click();
      const comparison = await pageWith('[data-action="run"]');
      await comparison
        .getByRole('row', { name: new RegExp(say('factored')) })
        .first()
        .waitFor();
      await comparison
        .getByRole('button', { name: say('Run Both') })
        .first()
        .click();
      await comparison
        .getByText(/输出误差 \d/)
        .first()
        .waitFor();
      await inChinese(comparison.locator('body'));
      await screenshot('chinese-compare-dark');
    }));

  it('leads through the first minutes', () =>
    workbench.attempt('chinese-walkthrough', async () => {
      const { page, runCommand, screenshot } = workbench;
      await runCommand(`Ranksmith: ${manifest['command.getStarted']}`);
      const steps = page.locator('.getting-started-step');
      await steps.filter({ hasText: manifest['walkthrough.report.title']! }).waitFor();
      for (const key of ['open', 'look', 'accept', 'compress', 'report']) {
        const step = steps.filter({ hasText: manifest[`walkthrough.${key}.title`]! });
        if (!/\bexpanded\b/.test((await step.getAttribute('class')) ?? '')) await step.click();
        await page.locator('.getting-started-step.expanded').and(step).waitFor();
        const text = await step.innerText();
        assert.match(text, /\p{Script=Han}.*\n/u);
        assert.deepEqual(englishWords(text, NAMES), []);
      }
      await screenshot('chinese-walkthrough-dark');
    }));
});
