import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { parsePlanFile } from '../../src/core/compress/parsePlanFile';
import { printPlanFile } from '../../src/core/compress/planFile';
import { findCandidates } from '../../src/host/calibration/findCandidates';
import { NO_PREPROCESSING } from '../../src/worker/calibration/preprocessing';
import { pngFile } from '../support/pngFile';
import { compress } from './compressing';
import { folderWithSample, internals, modelRow, until } from './internals';
import { closeAll, measured, openPlan, squiggled } from './plans/openPlan';
import { COUNT, otherData, smallData, smallNet } from './smallNet';

let folders = 0;

/** Runs commands, as keys would, until something is done. */
async function choosing(keys: readonly string[], isDone: () => boolean): Promise<void> {
  await until(`${keys.join(', ')} to be done`, async () => {
    if (isDone()) return true;
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (const key of keys) await vscode.commands.executeCommand(key);
    return isDone();
  });
}

describe('calibration data in the editor', function () {
  this.timeout(120_000);

  let folder: ReturnType<typeof folderWithSample>;
  let data: vscode.Uri;
  beforeEach(async () => {
    folder = folderWithSample(`calibration-${++folders}`);
    data = folder.file('calib.npy');
    writeFileSync(folder.model.fsPath, smallNet());
    writeFileSync(data.fsPath, smallData());
  });
  afterEach(async () => {
    await closeAll();
    const { calibrations } = await internals();
    await calibrations.set(folder.model, null);
    folder.remove();
  });

  const chosen = {
    preprocessing: { ...NO_PREPROCESSING, mean: [0.286], std: [0.353] },
    limit: 1024,
    samples: COUNT,
    heldBack: 6,
  };
  const remember = async () => {
    const { calibrations } = await internals();
    await calibrations.set(folder.model, { ...chosen, uri: data });
  };

  it('is found beside a model: arrays, test data, folders of pictures', async () => {
    const inside = (...parts: string[]) => path.join(path.dirname(folder.model.fsPath), ...parts);
    const png = pngFile({ width: 2, height: 2, colorType: 0, values: [0, 1, 2, 3] });
    mkdirSync(inside('photos', 'cats'), { recursive: true });
    writeFileSync(inside('photos', 'cats', 'a.png'), png);
    mkdirSync(inside('test_data_set_0'));
    writeFileSync(inside('test_data_set_0', 'input_0.pb'), '');
    mkdirSync(inside('notes'));
    writeFileSync(inside('notes', 'readme.txt'), '');
    mkdirSync(inside('arrays'));
    writeFileSync(inside('arrays', 'more.npz'), '');
    const found = await findCandidates(folder.model);
    assert.deepEqual(
      found.map(({ kind, label }) => [kind, label]),
      [
        ['tensors', 'test_data_set_*'],
        ['array', 'arrays/more.npz'],
        ['array', 'calib.npy'],
        ['pictures', 'photos/'],
      ],
    );
  });

  it('is chosen by keyboard, remembered for the model, and shown in its row', async () => {
    const { calibrations, layers } = await internals();
    const choose = vscode.commands.executeCommand('ranksmith.chooseCalibration', folder.model);
    // Enter on what is first in the list, calib.npy, and on "Use This Data" once it is read.
    await choosing(['workbench.action.acceptSelectedQuickOpenItem'], () =>
      Boolean(calibrations.of(folder.model)),
    );
    await choose;
    const remembered = calibrations.of(folder.model)!;
    assert.equal(remembered.uri.fsPath, data.fsPath);
    assert.deepEqual([remembered.samples, remembered.heldBack, remembered.limit], [COUNT, 6, 1024]);
    assert.deepEqual(remembered.preprocessing, NO_PREPROCESSING);
    const row = await modelRow(folder.model);
    await until('its name in the row', async () => {
      const item = await layers.getTreeItem(row);
      return /^calib\.npy · 5\.07 k params/.test(String(item.description));
    });
    const item = await layers.getTreeItem(row);
    const token = new vscode.CancellationTokenSource().token;
    const { tooltip } = (await layers.resolveTreeItem!(item, row, token))!;
    assert.match(
      (tooltip as vscode.MarkdownString).value,
      /\*\*Calibration data:\*\* calib\\\.npy · 48 samples/,
    );
  });

  it('is what a compression fits to, keeps an output error on, and reports', async () => {
    await remember();
    const output = folder.file('small.onnx');
    const [report] = (await compress({ uri: folder.model, target: 'error=0.3', output }))!;
    assert.equal(report!.calibration?.source, data.fsPath);
    assert.deepEqual([report!.calibration?.fit, report!.calibration?.heldBack], [COUNT - 6, 6]);
    assert.ok(report!.outputError.relative <= 0.3, `${report!.outputError.relative}`);
    const without = folder.file('without.onnx');
    const [uncalibrated] = (await compress({
      uri: folder.model,
      target: 'error=0.5',
      output: without,
      calibration: null,
    }))!;
    assert.equal(uncalibrated!.calibration, undefined);
  });

  describe('of a plan', () => {
    let text: string;
    beforeEach(async () => {
      await remember();
      const { host } = await internals();
      const calibration = { path: data.fsPath, preprocessing: chosen.preprocessing, limit: 1024 };
      const target = { kind: 'parameters', share: 0.5 } as const;
      const request = { path: folder.model.fsPath, target, method: 'auto', calibration } as const;
      text = printPlanFile((await host.engine.plan(request)).plan);
    });

    it('is named where errors are those of the weights', async () => {
      const { document } = await openPlan(folder.model, text);
      const { review } = await measured(document);
      assert.deepEqual(squiggled(document), []);
      const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
        'vscode.executeCodeLensProvider',
        document.uri,
        100,
      );
      const titles = lenses.map(({ command }) => command?.title ?? '');
      assert.ok(
        titles.some((each) => / · made on calibration data$/.test(each)),
        titles.join('\n'),
      );
      const planned = review!.layers.filter((each) => each.planned).length;
      const entries = titles.filter((each) => /→ .* parameters · .* weight error/.test(each));
      assert.equal(entries.length, planned, titles.join('\n'));
      const { planStatus } = await internals();
      await until('the status bar', () => /weight error/.test(planStatus.shown()?.text ?? ''));
      const tooltip = planStatus.shown()!.tooltip as vscode.MarkdownString;
      assert.match(
        tooltip.value,
        /Errors shown here are those of the weights\\\. The plan was made on calib\\\.npy/,
      );
      const at = document.positionAt(text.indexOf('"calibration"') + 20);
      const [hover] = await vscode.commands.executeCommand<vscode.Hover[]>(
        'vscode.executeHoverProvider',
        document.uri,
        at,
      );
      const told = hover!.contents.map((each) => (each as vscode.MarkdownString).value).join('\n');
      assert.match(told, /\*\*calib\\\.npy\*\* 48 samples/);
    });

    it('is missed where it is gone, and a fix does without it; undo brings it back', async () => {
      rmSync(data.fsPath);
      const { document } = await openPlan(folder.model, text);
      await measured(document);
      assert.deepEqual(
        squiggled(document).map(([code, severity]) => [code, severity]),
        [['no-data', 'Warning']],
      );
      const [diagnostic] = vscode.languages.getDiagnostics(document.uri);
      const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
        'vscode.executeCodeActionProvider',
        document.uri,
        diagnostic!.range,
      );
      const titles = actions.map(({ title }) => title);
      assert.ok(titles.includes('Choose calibration data…'), titles.join('\n'));
      const remove = actions.find(({ title }) => title === 'Remove the calibration data from the plan');
      assert.ok(await vscode.workspace.applyEdit(remove!.edit!));
      assert.equal(parsePlanFile(document.getText()).plan!.calibration, null);
      await measured(document);
      await until(
        'the warning to go',
        () => squiggled(document).length === 0 || !squiggled(document).some(([code]) => code === 'no-data'),
      );
      await vscode.commands.executeCommand('undo');
      assert.equal(document.getText(), text);
    });

    it('warns when it changes while the plan is open', async () => {
      const { document } = await openPlan(folder.model, text);
      await measured(document);
      writeFileSync(data.fsPath, otherData());
      await until('the warning', () => squiggled(document).some(([code]) => code === 'other-data'));
    });

    it('is what the plan is carried out and made anew with', async () => {
      const uri = folder.file('net.ranks.json');
      writeFileSync(uri.fsPath, text);
      const output = folder.file('small.onnx');
      const [report] = (await compress({ uri: folder.model, plan: uri, output }))!;
      const { plan } = parsePlanFile(text);
      assert.equal(report!.calibration?.sha256, plan!.calibration!.sha256);
      const { document } = await openPlan(folder.model, text.replace('parameters=0.5', 'parameters=0.6'));
      await vscode.commands.executeCommand('ranksmith.replan', { uri: document.uri, goal: 'parameters=0.5' });
      assert.equal(document.getText(), text);
    });

    it('is offered where a plan names it', async () => {
      const without = text.replace(/"calibration": \{.*\}/, '"calibration": null');
      const { document } = await openPlan(folder.model, without);
      await measured(document);
      const at = document.positionAt(without.indexOf('null'));
      const { items } = await vscode.commands.executeCommand<vscode.CompletionList>(
        'vscode.executeCompletionItemProvider',
        document.uri,
        at,
      );
      const offered = items.find(({ label }) => label === 'calib.npy');
      const { calibration } = parsePlanFile(text).plan!;
      assert.deepEqual(JSON.parse(String(offered!.insertText)), calibration);
    });
  });
});
