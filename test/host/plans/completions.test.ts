import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { parsePlanFile } from '../../../src/core/compress/parsePlanFile';
import { folderWithSample, until } from '../internals';
import { closeAll, entryIn, LAYERS, measured, openPlan, plannedText, replace, squiggled } from './openPlan';

describe('completion in a plan', () => {
  let folder: ReturnType<typeof folderWithSample>;
  let text: string;
  before(async () => {
    folder = folderWithSample('completions');
    text = await plannedText(folder.model, { kind: 'parameters', share: 0.5 });
  });
  afterEach(closeAll);
  after(() => folder.remove());

  /** What is offered behind a piece of the text, ours only: the schema of plans offers some, too. */
  const offeredBehind = async (document: vscode.TextDocument, piece: string) => {
    const offset = document.getText().indexOf(piece);
    assert.ok(offset >= 0, piece);
    const list = await vscode.commands.executeCommand<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      document.uri,
      document.positionAt(offset + piece.length),
    );
    return list.items.filter(({ sortText }) => /^\d{6}$/.test(sortText ?? ''));
  };
  const labelOf = ({ label }: vscode.CompletionItem) => (typeof label === 'string' ? label : label.label);
  /** Puts an item where VS Code would. */
  const insert = async (editor: vscode.TextEditor, { range, insertText }: vscode.CompletionItem) => {
    assert.ok(range && typeof insertText === 'string');
    const where = range instanceof vscode.Range ? range : range.replacing;
    assert.ok(await editor.edit((edit) => edit.replace(where, insertText)));
  };

  it('offers the layers that are not there, each with what a planner would make of it', async () => {
    const line = new RegExp(`\\n *${JSON.stringify(LAYERS.fc1).replaceAll('/', '\\/')}.*`);
    const editor = await openPlan(folder.model, text.replace(line, ''));
    const { document } = editor;
    await measured(document);
    await replace(editor, '"layers": {', '"layers": {\n    ""');
    const items = await offeredBehind(document, '"layers": {\n    "');
    assert.deepEqual(items.map(labelOf), [LAYERS.fc1]);
    assert.match(items[0]!.detail!, /^Gemm · 1\.18 M parameters · 1\.18 M MACs$/);
    await insert(editor, items[0]!);
    assert.equal(entryIn(document, LAYERS.fc1), '{ "method": "svd", "ranks": [160] }');
    const { plan } = parsePlanFile(document.getText());
    assert.equal(plan?.layers.length, 8, 'it is a plan again, commas and all');
    await measured(document);
    assert.deepEqual(squiggled(document), []);
  });

  it('offers the methods that fit, while the text is no plan', async () => {
    const editor = await openPlan(folder.model, text);
    const { document } = editor;
    await measured(document);
    const entry = `"${LAYERS.wide}": { "method": "`;
    await replace(editor, `${entry}spatial"`, `${entry}"`);
    await until('the complaint', () => squiggled(document).length > 0);
    const items = await offeredBehind(document, entry);
    const labels = items.map(labelOf);
    for (const fits of ['channel', 'spatial', 'tucker2', 'cp']) assert.ok(labels.includes(fits), fits);
    assert.ok(!labels.includes('svd'), 'svd is for matrices');
    assert.equal(
      items.find((item) => labelOf(item) === 'tucker2')!.detail,
      'fewer channels in front of and behind the convolution',
    );
    await insert(editor, items.find((item) => labelOf(item) === 'spatial')!);
    assert.equal(document.getText(), text);
  });

  it('offers ranks: the suggested first, with errors, none that saves nothing', async () => {
    const editor = await openPlan(folder.model, text);
    const { document } = editor;
    const state = await measured(document);
    const { breakEven } = state.review!.layers.find(({ layer }) => layer === LAYERS.wide)!;
    await replace(editor, '"spatial", "ranks": [160]', '"spatial", "ranks": []');
    const items = await offeredBehind(document, `"${LAYERS.wide}": { "method": "spatial", "ranks": [`);
    const [first, ...others] = items.map(labelOf).map(Number);
    assert.equal(first, 160);
    assert.match(items[0]!.detail!, /^error \d/);
    assert.ok(
      others.length > 4 && others.every((rank) => rank % 16 === 0 && rank <= breakEven!),
      String(others),
    );
    assert.deepEqual(
      others,
      [...others].sort((a, b) => a - b),
    );
    await insert(editor, items[0]!);
    assert.equal(document.getText(), text);
  });

  it('offers goals', async () => {
    const editor = await openPlan(folder.model, text.replaceAll('\n', '\r\n'));
    const { document } = editor;
    const items = await offeredBehind(document, '"goal": "');
    assert.ok(items.length >= 5);
    await insert(editor, items.find((item) => labelOf(item) === 'macs=0.5')!);
    assert.deepEqual(parsePlanFile(document.getText()).plan?.goal, { kind: 'macs', share: 0.5 });
    for (const item of items) {
      const plain = document.getText().replace('"macs=0.5"', String(item.insertText));
      assert.deepEqual(parsePlanFile(plain).problems, []);
    }
  });
});
