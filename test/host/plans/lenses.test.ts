import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import * as vscode from 'vscode';
import { parsePlanFile } from '../../../src/core/compress/parsePlanFile';
import type { CompressionReport } from '../../../src/core/compress/report';
import { formatChange, formatCount, formatMacs, formatPercent } from '../../../src/core/format';
import { checkReport } from '../compressing';
import { exists, folderWithSample, internals, until } from '../internals';
import { closeAll, LAYERS, measured, openPlan, plannedText, replace } from './openPlan';

describe('the lenses of a plan', () => {
  let folder: ReturnType<typeof folderWithSample>;
  let text: string;
  before(async () => {
    folder = folderWithSample('lenses');
    text = await plannedText(folder.model, { kind: 'macs', share: 0.5 });
  });
  afterEach(closeAll);
  after(() => folder.remove());

  const lensesOf = async ({ uri }: vscode.TextDocument) =>
    (await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri)) ?? [];
  /** What stands above a line that holds a text. */
  const above = async (document: vscode.TextDocument, piece: string) => {
    const line = document.positionAt(document.getText().indexOf(piece)).line;
    const lenses = await lensesOf(document);
    return lenses.filter(({ range }) => range.start.line === line).map(({ command }) => command!.title);
  };
  const review = async (of: string) => {
    const { host } = await internals();
    const { plan } = parsePlanFile(of);
    return host.engine.review({ path: folder.model.fsPath, plan: plan!, measure: true });
  };

  it('say of every layer what the engine says of it', async () => {
    const { document } = await openPlan(folder.model, text);
    await measured(document);
    const { layers } = await review(text);
    assert.equal(layers.length, 8);
    for (const { layer, dense, planned } of layers) {
      const [title, ...more] = await above(document, `"${layer}"`);
      assert.deepEqual(more, []);
      if (!planned) {
        const amounts = `${formatCount(dense.parameters)} parameters · ${formatMacs(dense.macs)} MACs`;
        assert.equal(title, `${amounts} · stays dense`);
        continue;
      }
      const { cost, error } = planned;
      assert.equal(
        title,
        [
          `${formatCount(dense.parameters)} → ${formatCount(cost.parameters)} parameters`,
          `${formatMacs(dense.macs)} → ${formatMacs(cost.macs)} MACs`,
          `error ${formatPercent(error!)}`,
        ].join(' · '),
      );
    }
  });

  it('say above the plan what it comes to, and offer to carry it out', async () => {
    const { document } = await openPlan(folder.model, text);
    await measured(document);
    const { before, after, weightError, layers } = await review(text);
    const factored = layers.filter(({ planned }) => planned).length;
    const totals = (await lensesOf(document)).filter(({ range }) => range.start.line === 0);
    const commands = new Map(totals.map(({ command }) => [command!.command, command!]));
    assert.equal(
      commands.get('ranksmith.revealInLayers')?.title,
      [
        `${formatCount(before.parameters)} → ${formatCount(after.parameters)} params (${formatChange(before.parameters, after.parameters, 2)})`,
        `${formatMacs(before.macs)} → ${formatMacs(after.macs)} MACs (${formatChange(before.macs!, after.macs!, 2)})`,
        `weight error ${formatPercent(weightError!)}`,
        `${factored} of 8 layers`,
      ].join(' · '),
    );
    const replan = commands.get('ranksmith.replan')!;
    assert.match(replan.title, /Re-plan…/);
    assert.equal(String(replan.arguments![0]), document.uri.toString());
    const compress = commands.get('ranksmith.compressModel')!;
    assert.match(compress.title, /Compress/);
    const output = folder.file('small.onnx');
    const [report] = (await vscode.commands.executeCommand<readonly CompressionReport[]>(compress.command, {
      ...compress.arguments![0],
      output,
    }))!;
    await checkReport(report!);
    assert.equal(report!.compressed.parameters, after.parameters, 'it is made by this plan');
    assert.ok(exists(output));
  });

  it('name what would be better for a layer that stays as it is', async () => {
    const changed = text.replace(new RegExp(`("${LAYERS.wide}": )\\{.*?\\}`), '$1{ "dense": "Let us see." }');
    const { document } = await openPlan(folder.model, changed);
    await measured(document);
    const { advice } = (await review(changed)).layers.find(({ layer }) => layer === LAYERS.wide)!;
    assert.ok(advice?.kind === 'factor');
    const { method, ranks } = advice.setting;
    const [title] = await above(document, LAYERS.wide);
    assert.equal(
      title,
      `590 k parameters · 5.31 M MACs · stays dense · suggested: ${method}, rank ${ranks.join(' × ')}`,
    );
  });

  it('follow an edit, layer and totals', async function () {
    const editor = await openPlan(folder.model, text);
    const { document } = editor;
    await measured(document);
    const rank = /"ranks": \[(\d+)\]/.exec(text.slice(text.indexOf(LAYERS.wide)))![1]!;
    const entry = `"${LAYERS.wide}": { "method": "spatial", "ranks": [`;
    const times: number[] = [];
    for (let step = 1; step <= 5; step++) {
      const [from, to] = [`${entry}${Number(rank) + step - 1}]`, `${entry}${Number(rank) + step}]`];
      const { layers, weightError } = await review(document.getText().replace(from, to));
      const wanted = layers.find(({ layer }) => layer === LAYERS.wide)!.planned!;
      const started = performance.now();
      await replace(editor, from, to);
      const lens = `error ${formatPercent(wanted.error!)}`;
      await until('the lens', async () => (await above(document, LAYERS.wide))[0]!.endsWith(lens), 10);
      times.push(performance.now() - started);
      const totals = (await above(document, '{')).join();
      assert.match(totals, new RegExp(`weight error ${formatPercent(weightError!)}`));
    }
    const [median] = times.sort((a, b) => a - b).slice(2);
    this.test!.title += `: median ${median!.toFixed(0)} ms`;
  });

  it('keep what still holds while the text is broken, and call the totals former', async () => {
    const editor = await openPlan(folder.model, text);
    const { document } = editor;
    await measured(document);
    const before = await lensesOf(document);
    await replace(editor, '"seed": 1', '"seed": ');
    const broken = await lensesOf(document);
    assert.equal(broken.length, before.length - 2, 'what can not be read can not be carried out or replaced');
    const titles = (lenses: readonly vscode.CodeLens[]) =>
      lenses.filter(({ range }) => range.start.line > 0).map(({ command }) => command!.title);
    assert.deepEqual(titles(broken), titles(before));
    assert.match(broken[0]!.command!.title, /^\$\(history\) Before the last edits: 2\.31 M → /);
    await replace(editor, '"seed": ,', '"seed": 1,');
    await measured(document);
    assert.deepEqual(titles(await lensesOf(document)), titles(before));
    assert.equal((await lensesOf(document)).length, before.length);
  });

  it('do not show the figures of another entry for one that was changed and can not be reviewed yet', async () => {
    const editor = await openPlan(folder.model, text);
    const { document } = editor;
    await measured(document);
    await replace(editor, '"seed": 1', '"seed": ');
    await replace(editor, `"${LAYERS.wide}": { "method": "spatial"`, `"${LAYERS.wide}": { "method": "svd"`);
    assert.deepEqual(await above(document, LAYERS.wide), ['590 k parameters · 5.31 M MACs · …']);
    await replace(editor, '"seed": ,', '"seed": 1,');
    await measured(document);
    const [title] = await above(document, LAYERS.wide);
    assert.match(title!, /^\$\(error\) /, 'svd does not fit a convolution of 3 × 3');
  });

  it('say why there are no figures when the model is not there', async () => {
    const other = folderWithSample('lenses-away');
    try {
      const away = other.file('away.onnx');
      renameSync(other.model.fsPath, away.fsPath);
      const { document } = await openPlan(other.model, text);
      await until(
        'the failure',
        async () => (await lensesOf(document))[0]?.command?.title.includes('net.onnx') === true,
      );
      const lenses = await lensesOf(document);
      assert.equal(lenses.length, 1);
      renameSync(away.fsPath, other.model.fsPath);
      await until('the figures', async () =>
        /→ .* parameters/.test((await above(document, LAYERS.fc1))[0] ?? ''),
      );
    } finally {
      other.remove();
    }
  });

  it('leave out entries that share a line', async () => {
    const { document } = await openPlan(folder.model, JSON.stringify(JSON.parse(text)));
    await measured(document);
    const lenses = await lensesOf(document);
    assert.ok(lenses.length > 0);
    assert.ok(lenses.every(({ command }) => command!.command !== 'ranksmith.revealPlannedLayer'));
  });

  it('lead to the layer in the tree', async () => {
    const { document } = await openPlan(folder.model, text);
    await measured(document);
    const lens = (await lensesOf(document)).find(({ command }) => command!.arguments?.[1] === LAYERS.wide)!;
    assert.equal(lens.command!.command, 'ranksmith.revealPlannedLayer');
    await vscode.commands.executeCommand(lens.command!.command, ...lens.command!.arguments!);
    const { tree } = await internals();
    await until('the row', () => {
      const [row, ...more] = tree.selection();
      return row?.kind === 'layer' && row.layer.name === LAYERS.wide && more.length === 0;
    });
    const [row] = tree.selection();
    assert.equal(row!.model.uri.toString(), folder.model.toString());
  });

  it('lead to the layer at the cursor from the editor', async () => {
    const editor = await openPlan(folder.model, text);
    const { document } = editor;
    await measured(document);
    const at = document.positionAt(text.indexOf(LAYERS.fc2) + 2);
    editor.selection = new vscode.Selection(at, at);
    await vscode.commands.executeCommand('ranksmith.revealPlannedLayer', document.uri, { groupId: 0 });
    const { tree } = await internals();
    await until('the row', () => {
      const [row] = tree.selection();
      return row?.kind === 'layer' && row.layer.name === LAYERS.fc2;
    });
  });
});
