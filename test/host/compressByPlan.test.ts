import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { type PlanFile, printPlanFile } from '../../src/core/compress/planFile';
import type { CompressionReport } from '../../src/core/compress/report';
import { compress } from './compressing';
import { accept, closePlan, exists, folderWithSample, internals, until } from './internals';

/** Chooses the first entry of the quick pick that is open, also where another one is preselected. */
async function takeFirst(isDone: () => boolean): Promise<void> {
  await until('a choice', async () => {
    if (isDone()) return true;
    await new Promise((resolve) => setTimeout(resolve, 500));
    await vscode.commands.executeCommand('quickInput.first');
    await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    return isDone();
  });
}

describe('Compress Model… with a plan beside the model', () => {
  let folder: ReturnType<typeof folderWithSample>;
  let uri: vscode.Uri;
  let output: vscode.Uri;
  let plan: PlanFile;
  beforeEach(async () => {
    folder = folderWithSample('by-plan');
    uri = folder.file('net.ranks.json');
    output = folder.file('small.onnx');
    const { host } = await internals();
    const target = { kind: 'macs', share: 0.6 } as const;
    plan = (await host.engine.plan({ path: folder.model.fsPath, target, method: 'auto' })).plan;
    writeFileSync(uri.fsPath, printPlanFile(plan));
  });
  afterEach(async () => {
    await closePlan(uri);
    folder.remove();
  });

  /** What a report says was done, as a plan does. */
  const doneBy = ({ layers }: CompressionReport) =>
    layers.flatMap(({ name, method, ranks }) =>
      ranks ? [{ kind: 'factor', layer: name, method, ranks }] : [],
    );
  const factored = ({ layers }: PlanFile) => layers.filter(({ kind }) => kind === 'factor');

  it('does what the plan says, and reports it', async () => {
    const [report] = (await compress({ uri: folder.model, plan: uri, output }))!;
    assert.ok(report);
    assert.equal(report.plan, uri.fsPath);
    assert.deepEqual(report.target, plan.goal);
    assert.deepEqual(doneBy(report), factored(plan));
    assert.deepEqual((await internals()).report.last(), report);
  });

  it('offers the plan first, so that Enter takes it', async () => {
    const running = compress({ uri: folder.model, output });
    await accept(() => exists(output));
    const [report] = (await running)!;
    assert.equal(report?.plan, uri.fsPath);
    assert.deepEqual(doneBy(report), factored(plan));
  });

  it('takes the text of the editor where that is not saved', async () => {
    const document = await vscode.workspace.openTextDocument(uri);
    await until('VS Code to see the file', () => document.getText() === printPlanFile(plan));
    const first = factored(plan)[0]!;
    const rest = plan.layers.map((each) =>
      each === first ? { kind: 'dense' as const, layer: each.layer, reason: 'By hand.' } : each,
    );
    const edit = new vscode.WorkspaceEdit();
    edit.replace(
      uri,
      new vscode.Range(0, 0, document.lineCount, 0),
      printPlanFile({ ...plan, layers: rest }),
    );
    await vscode.workspace.applyEdit(edit);
    assert.equal(document.isDirty, true);
    const running = compress({ uri: folder.model, output });
    await accept(() => exists(output));
    const [report] = (await running)!;
    assert.deepEqual(
      doneBy(report!).map(({ layer }) => layer),
      factored(plan)
        .slice(1)
        .map(({ layer }) => layer),
    );
    assert.equal(document.isDirty, true, 'it is not for us to save it');
    assert.equal(readFileSync(uri.fsPath, 'utf8'), printPlanFile(plan));
  });

  it('makes a plan of its own where a target is given', async () => {
    const [report] = (await compress({ uri: folder.model, target: 'parameters=0.5', output }))!;
    assert.equal(report?.plan, null);
    assert.deepEqual(report?.target, { kind: 'parameters', share: 0.5 });
  });

  it('asks for a goal where the plan is not wanted', async () => {
    const running = compress({ uri: folder.model, plan: false, output });
    await accept(() => exists(output));
    const [report] = (await running)!;
    assert.equal(report?.plan, null);
    assert.deepEqual(report?.target, { kind: 'parameters', share: 0.5 }, 'the first of the list');
  });

  it('shows what is wrong with a plan instead of carrying it out', async () => {
    writeFileSync(uri.fsPath, printPlanFile(plan).replace(/"method": "/, '"method": "x'));
    assert.equal(await compress({ uri: folder.model, plan: uri, output }), undefined);
    assert.equal(exists(output), false);
  });

  it('leads to the problems of a plan that has some, and makes one for another version anew', async () => {
    writeFileSync(uri.fsPath, printPlanFile(plan).replace(/"method": "/, '"method": "x'));
    const showing = compress({ uri: folder.model, output });
    await takeFirst(() => vscode.window.activeTextEditor?.document.uri.toString() === uri.toString());
    assert.deepEqual(await showing, []);
    const [first, ...rest] = factored(plan);
    assert.ok(first && rest.length > 0);
    const stale = { ...plan, model: { ...plan.model, sha256: 'ab' }, layers: rest };
    writeFileSync(uri.fsPath, printPlanFile(stale));
    const document = await vscode.workspace.openTextDocument(uri);
    await until('VS Code to see the file', () => document.getText() === printPlanFile(stale));
    const replanning = compress({ uri: folder.model, output });
    await takeFirst(() => document.getText() === printPlanFile(plan));
    assert.deepEqual(await replanning, []);
    assert.equal(exists(output), false);
  });

  it('refuses a plan that is not there, or is for another model', async () => {
    assert.equal(
      await compress({ uri: folder.model, plan: folder.file('none.ranks.json'), output }),
      undefined,
    );
    writeFileSync(uri.fsPath, printPlanFile({ ...plan, model: { ...plan.model, sha256: 'ab' } }));
    assert.equal(await compress({ uri: folder.model, plan: uri, output }), undefined);
    assert.equal(exists(output), false);
  });

  it('takes each of several models by its plan', async () => {
    const other = folder.file('other.onnx');
    copyFileSync(folder.model.fsPath, other.fsPath);
    const [, ...less] = factored(plan);
    writeFileSync(folder.file('other.ranks.json').fsPath, printPlanFile({ ...plan, layers: less }));
    const made = [folder.file('net.compressed.onnx'), folder.file('other.compressed.onnx')];
    const running = compress(folder.model, [folder.model, other]);
    await accept(() => made.every(exists));
    const reports = (await running)!;
    assert.deepEqual(
      reports.map((each) => each.plan),
      [uri.fsPath, folder.file('other.ranks.json').fsPath],
    );
    assert.deepEqual(reports.map(doneBy), [factored(plan), less]);
  });
});
