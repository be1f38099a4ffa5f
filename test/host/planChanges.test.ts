import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { parsePlanFile } from '../../src/core/compress/parsePlanFile';
import { entryEdit } from '../../src/core/compress/planEdits';
import { type PlanFile, printPlanFile } from '../../src/core/compress/planFile';
import type { LayerRow } from '../../src/host/rows';
import {
  accept,
  childrenOf,
  closePlan,
  exists,
  folderWithSample,
  internals,
  isLayer,
  modelRow,
  until,
} from './internals';

const run = <T>(command: string, ...args: unknown[]) =>
  vscode.commands.executeCommand<T>(`ranksmith.${command}`, ...args);

describe('what the Layers view does with plans', () => {
  let folder: ReturnType<typeof folderWithSample>;
  let plan: vscode.Uri;
  beforeEach(() => {
    folder = folderWithSample('plans');
    plan = folder.file('net.ranks.json');
  });
  afterEach(async () => {
    await closePlan(plan);
    folder.remove();
  });

  const fileText = () => readFileSync(plan.fsPath, 'utf8');
  const fileEntries = () => parsePlanFile(fileText()).plan!.layers;
  const documentOf = () => vscode.workspace.openTextDocument(plan);

  /** Rows of the layers, all with suggestions. */
  async function layerRows(): Promise<{ row: LayerRow; item: vscode.TreeItem }[]> {
    const model = await modelRow(folder.model);
    let rows: { row: LayerRow; item: vscode.TreeItem }[] = [];
    await until('suggestions', async () => {
      rows = (await childrenOf(model)).flatMap(({ row, item }) => (isLayer(row) ? [{ row, item }] : []));
      return rows.every(({ row }) => row.layer.suggestion);
    });
    return rows;
  }
  const layerRow = async (title: string) => (await layerRows()).find(({ row }) => row.title === title)!;
  const entryOf = ({ row: { layer } }: { readonly row: LayerRow }) => ({
    kind: 'factor',
    layer: layer.name,
    method: layer.suggestion!.method,
    ranks: layer.suggestion!.ranks,
  });

  async function type(edit: (text: string) => string): Promise<vscode.TextDocument> {
    const document = await documentOf();
    const change = new vscode.WorkspaceEdit();
    const all = new vscode.Range(0, 0, document.lineCount, 0);
    change.replace(plan, all, edit(document.getText()));
    await vscode.workspace.applyEdit(change);
    return document;
  }

  it('makes a plan of the first suggestion that is applied, and takes it back', async () => {
    const fc1 = await layerRow('fc1');
    assert.equal(fc1.item.contextValue, 'layer.suggested');
    await run('applySuggestion', fc1.row);
    const made = parsePlanFile(fileText()).plan!;
    assert.deepEqual(made.goal, { kind: 'energy', energy: 0.9 });
    assert.deepEqual(made.layers, [entryOf(fc1)]);
    assert.equal(printPlanFile(made), fileText());
    assert.equal((await documentOf()).isDirty, false);
    assert.equal(vscode.window.activeTextEditor, undefined, 'no editor opens');
    await until('the row to say so', async () => {
      const { item } = await layerRow('fc1');
      return (
        /^→ svd \d+ \(−19 %\) · 51 % · 1\.18 M params/.test(String(item.description)) &&
        item.contextValue === 'layer'
      );
    });
    const { layers } = await internals();
    const model = await modelRow(folder.model);
    await childrenOf(model);
    assert.match(String((await layers.getTreeItem(model)).description), /^plan · 2\.31 M params/);

    await run('undoPlanChange');
    assert.deepEqual(fileEntries(), []);
    assert.equal(fileText(), printPlanFile({ ...made, layers: [] }));
    await until('the row to say so', async () => !/→/.test(String((await layerRow('fc1')).item.description)));
  });

  it('can carry out the plan that it made', async () => {
    const fc1 = await layerRow('fc1');
    await run('applySuggestion', fc1.row);
    const { host } = await internals();
    const made = parsePlanFile(fileText()).plan!;
    const review = await host.engine.review({ path: folder.model.fsPath, plan: made, measure: true });
    assert.deepEqual(
      review.remarks.filter(({ severity }) => severity !== 'information'),
      [],
    );
    assert.equal(review.after.parameters, review.before.parameters - savedBy(fc1.row));
  });

  it('applies what is selected, and all of a model, in one change each', async () => {
    const rows = await layerRows();
    const some = rows.slice(1, 4);
    await run(
      'applySuggestion',
      some[0]!.row,
      some.map(({ row }) => row),
    );
    assert.deepEqual(fileEntries(), some.map(entryOf));
    await run('applySuggestion', await modelRow(folder.model));
    const byName = new Map(fileEntries().map((each) => [each.layer, each]));
    assert.equal(byName.size, rows.length);
    for (const each of rows) assert.deepEqual(byName.get(each.row.layer.name), entryOf(each));
    await run('undoPlanChange');
    assert.deepEqual(fileEntries(), some.map(entryOf));
    await run('undoPlanChange');
    assert.deepEqual(fileEntries(), []);
  });

  it('leaves a plan unsaved that was so, and takes back its own change only', async () => {
    const [first, second] = (await layerRows()).slice(0, 2);
    await run('applySuggestion', first!.row);
    const saved = fileText();
    const document = await type((text) => text.replace('"multiple": 1', '"multiple": 8'));
    assert.equal(document.isDirty, true);
    await run('applySuggestion', second!.row);
    assert.equal(document.isDirty, true);
    assert.equal(fileText(), saved);
    assert.deepEqual(parsePlanFile(document.getText()).plan!.layers, [entryOf(first!), entryOf(second!)]);
    await type((text) => text.replace('"multiple": 8', '"multiple": 4'));
    await run('undoPlanChange');
    const left = parsePlanFile(document.getText()).plan!;
    assert.equal(left.multiple, 4);
    assert.deepEqual(left.layers, [entryOf(first!)]);
    assert.equal(document.isDirty, true);
  });

  it('leaves an entry alone that was edited since', async () => {
    const fc1 = await layerRow('fc1');
    await run('applySuggestion', fc1.row);
    const document = await type((text) => text.replace(/"ranks": \[\d+\]/, '"ranks": [3]'));
    const text = document.getText();
    await run('undoPlanChange');
    assert.equal(document.getText(), text);
  });

  it('undoes in the editor of the plan, where it can be redone', async () => {
    const [first, second] = (await layerRows()).slice(0, 2);
    await run('applySuggestion', first!.row);
    await run('openPlan', folder.model);
    assert.equal(vscode.window.activeTextEditor?.document.uri.toString(), plan.toString());
    await run('applySuggestion', second!.row);
    const both = fileText();
    await run('undoPlanChange');
    assert.deepEqual(fileEntries(), [entryOf(first!)]);
    const document = await documentOf();
    assert.equal(document.isDirty, false);
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand('redo');
    assert.equal(document.getText(), both);
  });

  it('refuses to change a plan that is no JSON, and leaves it as it is', async () => {
    const fc1 = await layerRow('fc1');
    for (const text of ['', '{ "layers": ', '[]', `{ "layers": { "fc1": { "method": "svd" } `]) {
      writeFileSync(plan.fsPath, text);
      await until('VS Code to see the file', async () => (await documentOf()).getText() === text);
      await run('applySuggestion', fc1.row);
      assert.equal(fileText(), text);
      assert.equal((await documentOf()).isDirty, false);
    }
  });

  it('follows the text as it is typed, the file, and its end', async () => {
    const fc1 = await layerRow('fc1');
    await run('applySuggestion', fc1.row);
    const made = parsePlanFile(fileText()).plan!;
    const description = async () => String((await layerRow('fc1')).item.description);
    await type((text) => text.replace(/"ranks": \[\d+\]/, '"ranks": [7]'));
    await until('the typed rank', async () => /^→ svd 7 · 51 % · −19 % at rank/.test(await description()));
    // A text that is broken for a moment does not make the rows flicker.
    await type((text) => text.replace('[7]', '['));
    const model = await modelRow(folder.model);
    const { layers } = await internals();
    await until('that it is broken', async () =>
      /^plan with errors · /.test(String((await layers.getTreeItem(model)).description)),
    );
    assert.match(await description(), /^→ svd 7 · 51 % · −19 % at rank/);
    await vscode.window.showTextDocument(await documentOf());
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await until('the file again', async () => !/svd 7/.test(await description()));
    const dense = { kind: 'dense', layer: fc1.row.layer.name, reason: 'By hand.' } as const;
    writeFileSync(plan.fsPath, printPlanFile({ ...made, layers: [dense] }));
    await until('the new file', async () => /^→ dense · 51 % · −/.test(await description()));
    rmSync(plan.fsPath);
    await until('its end', async () => !/→/.test(await description()));
  });

  it('shows an entry in the plan', async () => {
    const rows = await layerRows();
    await run('applySuggestion', await modelRow(folder.model));
    const row = rows[5]!.row;
    await run('revealInPlan', row);
    const editor = vscode.window.activeTextEditor!;
    assert.equal(editor.document.uri.toString(), plan.toString());
    const text = editor.document.getText(editor.selection);
    const [entry] = parsePlanFile(fileText()).plan!.layers.filter(({ layer }) => layer === row.layer.name);
    assert.ok(entry?.kind === 'factor');
    assert.equal(
      text,
      `${JSON.stringify(row.layer.name)}: { "method": "${entry.method}", "ranks": [${entry.ranks.join(', ')}] }`,
    );
  });

  it('makes a plan for a goal, never in the place of another', async () => {
    const opening = run('openPlan', folder.model);
    await accept(() => exists(plan));
    await opening;
    const made: PlanFile = parsePlanFile(fileText()).plan!;
    assert.deepEqual(made.goal, { kind: 'parameters', share: 0.5 });
    assert.equal(made.layers.length, 8);
    assert.equal(vscode.window.activeTextEditor?.document.uri.toString(), plan.toString());
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    const text = fileText();
    await run('openPlan', await modelRow(folder.model));
    assert.equal(vscode.window.activeTextEditor?.document.getText(), text);
    assert.equal(fileText(), text);
  });

  it('puts the method of a comparison into the plan', async () => {
    const conv = (await layerRows()).find(
      ({ row }) => row.layer.op === 'Conv' && row.layer.parameters > 1e5,
    )!;
    const { name } = conv.row.layer;
    const comparing = run('compareMethods', { model: folder.model, layer: name });
    await accept(() => exists(plan) && fileEntries().length > 0);
    await comparing;
    const [entry] = fileEntries();
    assert.ok(entry?.kind === 'factor' && entry.layer === name);
    const { host } = await internals();
    const share = conv.row.layer.suggestion!.parameters / conv.row.layer.parameters;
    const offers = await host.engine.compare({
      path: folder.model.fsPath,
      layer: name,
      methods: ['svd', 'channel', 'input-channel', 'spatial', 'tucker2', 'tt', 'group', 'dcf'],
      measure: 'parameters',
      share,
      multiple: 16,
      foldNorms: true,
    });
    const fits = offers.flatMap((each) => (each.kind === 'fits' ? [each.setting] : []));
    const chosen = fits.find(({ method }) => method === entry.method);
    assert.deepEqual(chosen?.ranks, entry.ranks);
    await run('undoPlanChange');
    assert.deepEqual(fileEntries(), []);
  });

  it('puts the method into the plan that was asked from, whatever its name', async () => {
    const fc1 = await layerRow('fc1');
    await run('applySuggestion', fc1.row);
    const other = folder.file('other.ranks.json');
    const text = printPlanFile({ ...parsePlanFile(fileText()).plan!, layers: [] });
    writeFileSync(other.fsPath, text);
    const { name } = fc1.row.layer;
    // As a link in a hover hands it over.
    const argument = JSON.parse(JSON.stringify({ model: folder.model, layer: name, plan: other }));
    const comparing = run('compareMethods', argument);
    await accept(() => readFileSync(other.fsPath, 'utf8') !== text);
    await comparing;
    const [entry] = parsePlanFile(readFileSync(other.fsPath, 'utf8')).plan!.layers;
    assert.ok(entry?.kind === 'factor' && entry.layer === name);
    assert.deepEqual(fileEntries(), [entryOf(fc1)]);
  });

  it('edits an entry of a plan that was written by hand', async () => {
    const fc1 = await layerRow('fc1');
    await run('applySuggestion', fc1.row);
    const text = JSON.stringify(JSON.parse(fileText()), null, '\t').replace('"svd"', '"tt"');
    writeFileSync(plan.fsPath, text);
    await until('VS Code to see the file', async () => (await documentOf()).getText() === text);
    await run('applySuggestion', fc1.row);
    const edit = entryEdit(text, parsePlanFile(text), entryOf(fc1) as PlanFile['layers'][number])!;
    assert.equal(fileText(), text.slice(0, edit.offset) + edit.text + text.slice(edit.offset + edit.length));
  });
});

function savedBy({ layer }: LayerRow): number {
  return layer.parameters - layer.suggestion!.parameters;
}
