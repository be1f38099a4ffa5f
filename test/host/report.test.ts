import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { parsePlanFile } from '../../src/core/compress/parsePlanFile';
import { planUri } from '../../src/host/plans/planUri';
import type { Subject } from '../../webview/messages';
import { compress } from './compressing';
import { folderWithSample, internals, until } from './internals';

const FC = '/fc1/Gemm';
const text = (uri: vscode.Uri) => readFileSync(uri.fsPath, 'utf8');

/** Resolves with what the report shows once it is like this. */
async function shown(what: string, isWanted: (subject: Subject) => boolean): Promise<Subject> {
  const { report } = await internals();
  let found: Subject | undefined;
  await until(
    what,
    () => {
      const now = report.subject.current();
      if (now && isWanted(now)) found = now;
      return found !== undefined;
    },
    60,
  );
  return found!;
}

describe('the report', () => {
  it('shows a model as it is, under its plan, and as it was written, each under its name', async () => {
    const folder = folderWithSample('reported');
    try {
      const { report } = await internals();
      report.choose(folder.model, FC);
      report.subject.look();
      const isAbout = ({ overview }: Subject) => overview.file === folder.model.fsPath;
      const plain = await shown(
        'the model',
        (subject) => isAbout(subject) && subject.overview.basis === 'none',
      );
      assert.equal(plain.layer, FC);
      assert.equal(plain.plan, 'none');
      assert.equal(plain.overview.after, null);
      assert.ok(plain.overview.before.activationBytes! > 0);

      const model = folder.model;
      const plan = planUri(model);
      const { plan: made } = await (await internals()).host.engine.plan({
        path: model.fsPath,
        target: { kind: 'parameters', share: 0.5 },
        method: 'auto',
      });
      await report.replace(model, made);
      const predicted = await shown(
        'the plan',
        (subject) => isAbout(subject) && subject.overview.basis === 'predicted' && subject.isMeasured,
      );
      const { before, after } = predicted.overview;
      assert.ok(after!.parameters <= 0.5 * before.parameters);
      assert.ok(after!.bytes! < before.bytes!);
      assert.equal(after!.ms, null, 'a plan tells no time');

      const output = folder.file('small.onnx');
      await compress({ uri: model, plan, output });
      const measured = await shown(
        'the result',
        (subject) => subject.overview.basis === 'measured' && subject.overview.compressed === output.fsPath,
      );
      assert.deepEqual(measured.bases, ['predicted', 'measured']);
      // What was predicted is what was written.
      assert.equal(measured.overview.after!.parameters, after!.parameters);
      assert.equal(measured.overview.after!.macs, after!.macs);
      assert.equal(measured.overview.after!.activationBytes, after!.activationBytes);
      report.subject.setBasis('predicted');
      await shown('the plan again', ({ overview }) => overview.basis === 'predicted');
    } finally {
      folder.remove();
    }
  });

  it('writes down what it shows, in the format that the file asks for', async () => {
    const folder = folderWithSample('exported');
    try {
      const { report } = await internals();
      report.choose(folder.model);
      report.subject.look();
      await shown('the model', ({ overview }) => overview.file === folder.model.fsPath);
      for (const name of ['r.csv', 'r.json', 'r.md', 'r.netron.json']) {
        const output = folder.file(name);
        await vscode.commands.executeCommand('ranksmith.exportReport', { output });
        assert.ok(existsSync(output.fsPath), name);
      }
      const { basis, layers } = JSON.parse(text(folder.file('r.json')));
      assert.deepEqual([basis, layers.length], ['none', 8]);
      assert.equal(text(folder.file('r.csv')).trimEnd().split('\r\n').length, 9);
      assert.match(text(folder.file('r.md')), /\| \/fc1\/Gemm \| Gemm \|/);
      assert.equal(JSON.parse(text(folder.file('r.netron.json'))).signature, 'netron:attachment');
    } finally {
      folder.remove();
    }
  });

  it('makes the plan anew as one change that can be taken back', async () => {
    const folder = folderWithSample('replanned');
    try {
      const { report, host } = await internals();
      const plan = planUri(folder.model);
      const planned = async (share: number) =>
        (
          await host.engine.plan({
            path: folder.model.fsPath,
            target: { kind: 'macs', share },
            method: 'auto',
          })
        ).plan;
      await report.replace(folder.model, await planned(0.7));
      const first = text(plan);
      assert.match(first, /"goal": "macs=0\.7"/);
      await report.replace(folder.model, await planned(0.4));
      assert.match(text(plan), /"goal": "macs=0\.4"/);
      assert.ok(parsePlanFile(text(plan)).plan);
      await vscode.commands.executeCommand('ranksmith.undoPlanChange');
      assert.equal(text(plan), first);
    } finally {
      folder.remove();
    }
  });

  it('opens as an editor tab, once', async () => {
    const tabs = () =>
      vscode.window.tabGroups.all
        .flatMap((group) => group.tabs)
        .filter(
          ({ input }) =>
            input instanceof vscode.TabInputWebview && input.viewType.includes('ranksmith.report'),
        );
    await vscode.commands.executeCommand('ranksmith.openReport');
    await until('the tab', () => tabs().length === 1);
    await vscode.commands.executeCommand('ranksmith.openReport');
    assert.equal(tabs().length, 1);
    await vscode.window.tabGroups.close(tabs());
  });
});
