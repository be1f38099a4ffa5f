import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import type * as vscode from 'vscode';
import { formatChange, formatPercent } from '../../../src/core/format';
import { folderWithSample, internals, until } from '../internals';
import { closeAll, LAYERS, measured, openPlan, plannedText, replace } from './openPlan';

describe('a plan in the status bar', () => {
  let folder: ReturnType<typeof folderWithSample>;
  let text: string;
  before(async () => {
    folder = folderWithSample('status');
    text = await plannedText(folder.model, { kind: 'macs', share: 0.5 });
  });
  afterEach(closeAll);
  after(() => folder.remove());

  const shown = async () => (await internals()).planStatus.shown();
  const tooltip = async () => ((await shown())!.tooltip as vscode.MarkdownString).value;

  it('shows what it saves and loses, and is gone with its editor', async () => {
    assert.equal(await shown(), undefined);
    const { document } = await openPlan(folder.model, text);
    const { review } = await measured(document);
    const { before, after, weightError } = review!;
    const figures = [
      `${formatChange(before.parameters, after.parameters, 2)} params`,
      `${formatChange(before.macs!, after.macs!, 2)} MACs`,
      `error ${formatPercent(weightError!)}`,
    ];
    assert.equal((await shown())!.text, `$(fold-down) ${figures.join(' · ')}`);
    const { accessibilityInformation } = (await shown())!;
    assert.match(accessibilityInformation!.label, /^Plan plan-\d+\.ranks\.json, −\d+ % params, /);
    assert.match(await tooltip(), /\| Parameters \| &ensp;2\.31 M \|/);
    assert.match(await tooltip(), /Goal macs\\=0\\\.5\\: met/);
    assert.match(await tooltip(), /6 of 8 layers factored/);
    await closeAll();
    await until('nothing', async () => (await shown()) === undefined);
  });

  it('follows an edit', async function () {
    const editor = await openPlan(folder.model, text);
    const { document } = editor;
    await measured(document);
    const entry = `"${LAYERS.wide}": { "method": "spatial", "ranks": [`;
    const [from] = /\d+(?=\])/.exec(text.slice(text.indexOf(entry)))!;
    const former = (await shown())!.text;
    const started = performance.now();
    await replace(editor, `${entry}${from}]`, `${entry}8]`);
    await until('other figures', async () => (await shown())!.text !== former, 10);
    this.test!.title += `: ${(performance.now() - started).toFixed(0)} ms`;
    const { review } = await measured(document);
    assert.match((await shown())!.text, new RegExp(`error ${formatPercent(review!.weightError!)}$`));
  });

  it('says by how much a goal is missed', async () => {
    const { document } = await openPlan(folder.model, text.replace('macs=0.5', 'macs=0.3'));
    await measured(document);
    assert.match(await tooltip(), /missed\\, 46\\\.2 \\% are left\\, 2\\\.\d+ M MACs too many/);
    assert.match(await tooltip(), /\$\(warning\) Warnings: \d/);
  });

  it('calls figures former while the text is broken, and says what is wrong', async () => {
    const editor = await openPlan(folder.model, text);
    await measured(editor.document);
    const { text: before } = (await shown())!;
    await replace(editor, '"seed": 1', '"seed": -1');
    await until('the mark', async () => (await shown())!.text.startsWith('$(history)'));
    assert.equal((await shown())!.text, before.replace('$(fold-down)', '$(history)'));
    assert.match(await tooltip(), /The seed is a whole number/);
    await replace(editor, '"seed": -1', '"seed": 1');
    await until('the figures', async () => (await shown())!.text === before);
  });

  it('says that the model is not there', async () => {
    const other = folderWithSample('status-away');
    try {
      const away = other.file('away.onnx');
      renameSync(other.model.fsPath, away.fsPath);
      await openPlan(other.model, text);
      await until('the failure', async () => (await shown())?.text.startsWith('$(warning)') === true);
      assert.match(await tooltip(), /net\\\.onnx/);
      renameSync(away.fsPath, other.model.fsPath);
      await until('the figures', async () => (await shown())!.text.startsWith('$(fold-down)'));
    } finally {
      other.remove();
    }
  });

  it('shows that it is measuring', async () => {
    const other = folderWithSample('status-measuring');
    const { plans, planStatus } = await internals();
    const seen = new Set<string>();
    const watching = plans.onDidChange(() => seen.add(planStatus.shown()?.text ?? ''));
    try {
      // Another file, and dimensions nobody asked about: nothing of it is known. What is shown before its editor
      // is in sight would not be seen, so measuring starts with an edit.
      const editor = await openPlan(other.model, text.replace('"seed": 1', '"seed": -1'));
      await until('the problem', async () => planStatus.shown()?.text.startsWith('$(error)') === true);
      await replace(editor, '"seed": -1', '"seed": 1');
      await measured(editor.document);
      assert.ok(
        [...seen].some((each) => /^\$\(loading~spin\) −.* · measuring \d+ %$/.test(each)),
        [...seen].join('\n'),
      );
    } finally {
      watching.dispose();
      other.remove();
    }
  });
});
