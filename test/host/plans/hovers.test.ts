import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { parsePlanFile } from '../../../src/core/compress/parsePlanFile';
import type { PlanFile } from '../../../src/core/compress/planFile';
import { formatCount, formatMacs, formatPercent } from '../../../src/core/format';
import { descendants, parseXml, textOf } from '../../support/xml';
import { folderWithSample, internals, until } from '../internals';
import { closeAll, LAYERS, measured, openPlan, plannedText, replace } from './openPlan';

describe('the hovers of a plan', () => {
  let folder: ReturnType<typeof folderWithSample>;
  let text: string;
  let plan: PlanFile;
  before(async () => {
    folder = folderWithSample('hovers');
    text = await plannedText(folder.model, { kind: 'macs', share: 0.5 });
    plan = parsePlanFile(text).plan!;
  });
  afterEach(closeAll);
  after(() => folder.remove());

  /** Our part of what a hover over a piece of text says; the schema of JSON has its own. */
  async function hover({ uri, getText, positionAt }: vscode.TextDocument, piece: string): Promise<string> {
    const position = positionAt(getText().indexOf(piece) + 2);
    const found = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      uri,
      position,
    );
    const texts = found.flatMap(({ contents }) =>
      contents.flatMap((each) => (each instanceof vscode.MarkdownString ? [each.value] : [])),
    );
    return texts.find((each) => /ranksmith|Goal /.test(each)) ?? '';
  }

  const pictureIn = (markdown: string) => {
    const [, description, data] = /!\[(.*?)\]\(data:image\/svg\+xml;base64,([\w+/=]+)\)/.exec(markdown) ?? [];
    assert.ok(data, markdown);
    return { description: description!, root: parseXml(Buffer.from(data, 'base64').toString('utf8')) };
  };

  const explain = async (layer: string) => {
    const { host } = await internals();
    const entry = plan.layers.find((each) => each.layer === layer);
    assert.ok(entry?.kind === 'factor');
    const { method, ranks } = entry;
    const request = { path: folder.model.fsPath, layer, method, ranks, foldNorms: true };
    return host.engine.explain(request);
  };

  it('picture the spectrum of a layer, with its ranks, and give the numbers as a table', async () => {
    const { document } = await openPlan(folder.model, text);
    await measured(document);
    const value = await hover(document, LAYERS.wide);
    const detail = await explain(LAYERS.wide);
    const { setting, curves, breakEven, dense } = detail;
    const [rank] = setting.ranks;
    const { root, description } = pictureIn(value);
    const labels = descendants(root, 'text').map(textOf);
    const wanted = [
      `planned ${rank} (${formatPercent(setting.error!)})`,
      `break-even ${breakEven}`,
      `EVBMF ${curves[0]!.evbmf}`,
    ];
    for (const label of wanted) {
      assert.ok(labels.includes(label), `${label} in ${labels.join('; ')}`);
      assert.ok(textOf(descendants(root, 'title')[0]!).includes(label));
    }
    assert.match(description, /features/, 'the picture has a text for who can not see it');
    const rows = value.split('\n').filter((line) => line.startsWith('|'));
    assert.equal(rows.length, detail.table.length + 3, 'a head, its rule, and the layer as it is');
    const cells = rows.map((row) => row.split('|').map((cell) => cell.replace('&ensp;', '').trim()));
    assert.deepEqual(cells[2]!.slice(1, -1), [
      'as it is',
      '',
      formatCount(dense.parameters),
      formatMacs(dense.macs),
      '0 %',
    ]);
    for (const [i, { ranks, cost, error }] of detail.table.entries()) {
      const numbers = [
        String(ranks),
        formatCount(cost.parameters),
        formatMacs(cost.macs),
        formatPercent(error!),
      ];
      const shown = cells[i + 3]!.slice(2, -1);
      const isPlanned = String(ranks) === String(rank);
      assert.deepEqual(shown, isPlanned ? numbers.map((each) => `**${each}**`) : numbers);
      assert.equal(/● planned/.test(cells[i + 3]![1]!), isPlanned);
    }
    assert.match(value, new RegExp(`saves up to rank ${breakEven}\\.`));
    assert.match(value, /this is the suggestion/);
    assert.match(value, /\[Show in Layers\]\(command:ranksmith\.revealPlannedLayer\?/);
  });

  it('have a panel for each rank of a method with several', async () => {
    const changed = text.replace(
      new RegExp(`("${LAYERS.wide}": )\\{.*?\\}`),
      '$1{ "method": "tucker2", "ranks": [64, 48] }',
    );
    const { document } = await openPlan(folder.model, changed);
    await measured(document);
    const { root } = pictureIn(await hover(document, LAYERS.wide));
    const labels = descendants(root, 'text').map(textOf);
    for (const label of ['planned 64', 'planned 48', '“in”', '“out”'])
      assert.ok(labels.includes(label), label);
    assert.equal(descendants(root, 'polyline').length, 2);
  });

  it('give numbers without a picture for methods that have to be tried', async () => {
    const changed = text.replace(
      new RegExp(`("${LAYERS.first}": )\\{.*?\\}`),
      '$1{ "method": "cp3", "ranks": [5] }',
    );
    const { document } = await openPlan(folder.model, changed);
    await measured(document);
    const value = await hover(document, LAYERS.first);
    assert.doesNotMatch(value, /!\[/);
    assert.match(value, /\| \*\*● planned\*\* .*\*\*5\*\*/);
  });

  it('show what a layer that stays as it is could be', async () => {
    const { document } = await openPlan(folder.model, text);
    await measured(document);
    const value = await hover(document, LAYERS.fc2);
    assert.match(value, /stays as it is\. Within this budget/);
    assert.match(value, /\| svd \|/);
    assert.doesNotMatch(value, /planned/);
    const labels = descendants(pictureIn(value).root, 'text').map(textOf);
    assert.ok(labels.some((label) => /^break-even \d+$/.test(label)));
  });

  it('follow an edit', async function () {
    const editor = await openPlan(folder.model, text);
    const { document } = editor;
    await measured(document);
    const [from] = plan.layers.flatMap((each) =>
      each.kind === 'factor' && each.layer === LAYERS.wide ? each.ranks : [],
    );
    const entry = `"${LAYERS.wide}": { "method": "spatial", "ranks": [`;
    const started = performance.now();
    await replace(editor, `${entry}${from}]`, `${entry}11]`);
    await until('the new rank', async () => /\*\*11\*\*/.test(await hover(document, LAYERS.wide)), 10);
    this.test!.title += `: ${(performance.now() - started).toFixed(0)} ms`;
    const value = await hover(document, LAYERS.wide);
    const labels = descendants(pictureIn(value).root, 'text').map(textOf);
    assert.ok(labels.some((label) => label.startsWith('planned 11 (')));
    assert.ok(
      labels.some((label) => label.startsWith(`suggested ${from} (`)),
      'the suggestion stays where it was',
    );
  });

  it('say why an entry can not be carried out', async () => {
    const changed = text.replace(new RegExp(`("${LAYERS.wide}": .*)"spatial"`), '$1"svd"');
    const { document } = await openPlan(folder.model, changed);
    await measured(document);
    const { uri } = document;
    const position = document.positionAt(changed.indexOf(LAYERS.wide) + 2);
    const found = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      uri,
      position,
    );
    const all = found.flatMap(({ contents }) =>
      contents.map((each) => (each as vscode.MarkdownString).value),
    );
    assert.ok(
      all.some((each) => each.includes('features') && !each.includes('data:image')),
      all.join('\n'),
    );
  });

  it('tell over the goal whether it is met', async () => {
    const { document } = await openPlan(folder.model, text);
    await measured(document);
    assert.match(
      await hover(document, '"macs=0.5"'),
      /^Goal macs\\=0\\\.5\\: met\\, 46\\\.2 \\% are left\\\.$/,
    );
    await closeAll();
    const missed = await openPlan(folder.model, text.replace('macs=0.5', 'macs=0.3'));
    await measured(missed.document);
    assert.match(
      await hover(missed.document, '"macs=0.3"'),
      /missed\\, 46\\\.2 \\% are left\\, 2\\\.\d+ M MACs too many/,
    );
  });

  it('give nothing where there is nothing to say', async () => {
    const { document } = await openPlan(folder.model, text);
    await measured(document);
    assert.equal(await hover(document, '"version"'), '');
  });
});
