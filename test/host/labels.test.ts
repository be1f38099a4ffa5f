import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { printPlanFile } from '../../src/core/compress/planFile';
import { findLabels } from '../../src/host/calibration/findLabels';
import { summaryOf } from '../../src/host/summary';
import { NO_PREPROCESSING } from '../../src/worker/calibration/preprocessing';
import { compress } from './compressing';
import { folderWithSample, internals, until } from './internals';
import { closeAll } from './plans/openPlan';
import { COUNT, smallData, smallLabels, smallNet } from './smallNet';

let folders = 0;

describe('labels in the editor', function () {
  this.timeout(120_000);

  let folder: ReturnType<typeof folderWithSample>;
  let data: vscode.Uri;
  let labels: vscode.Uri;
  beforeEach(async () => {
    folder = folderWithSample(`labels-${++folders}`);
    [data, labels] = [folder.file('calib.npy'), folder.file('labels.npy')];
    writeFileSync(folder.model.fsPath, smallNet());
    writeFileSync(data.fsPath, smallData());
    writeFileSync(labels.fsPath, smallLabels());
    const { calibrations } = await internals();
    const how = { preprocessing: NO_PREPROCESSING, limit: 1024, samples: COUNT, heldBack: 6 };
    await calibrations.set(folder.model, { ...how, uri: data, labels });
  });
  afterEach(async () => {
    await closeAll();
    const { calibrations } = await internals();
    await calibrations.set(folder.model, null);
    folder.remove();
  });

  it('are found beside the data, those called so first', async () => {
    writeFileSync(folder.file('a.npy').fsPath, '');
    const names = (await findLabels(folder.model, data)).map(({ path }) => path.split('/').at(-1));
    assert.deepEqual(names, ['labels.npy', 'a.npy']);
  });

  it('are remembered with the data, and count right answers in report and notification', async () => {
    const { calibrations } = await internals();
    assert.equal(calibrations.of(folder.model)!.labels!.fsPath, labels.fsPath);
    const [report] = (await compress({
      uri: folder.model,
      // A loss that nothing exceeds: the goal is there to be met.
      target: 'accuracy=99',
      output: folder.file('small.onnx'),
    }))!;
    const { accuracy } = report!;
    assert.deepEqual([accuracy!.samples, accuracy!.labels], [6, labels.fsPath]);
    assert.match(summaryOf(report!), /, right answers [\d.]+ % → [\d.]+ %/);
    assert.match(report!.reproduce!.command, /--calibration calib\.npy .*--labels labels\.npy/);
  });

  it('go with a plan that was made on the data', async () => {
    const { host } = await internals();
    const { plan } = await host.engine.plan({
      path: folder.model.fsPath,
      target: { kind: 'parameters', share: 0.5 },
      method: 'auto',
      calibration: { path: data.fsPath, limit: 1024 },
    });
    const uri = folder.file('net.ranks.json');
    writeFileSync(uri.fsPath, printPlanFile(plan));
    const [report] = (await compress({ uri: folder.model, plan: uri, output: folder.file('small.onnx') }))!;
    assert.equal(report!.accuracy?.samples, 6);
  });

  it('and data are what Compare Models runs both on, and tells', async () => {
    const after = folder.file('net.compressed.onnx');
    const [report] = (await compress({ uri: folder.model, target: 'error=0.3', output: after }))!;
    const pair = { before: folder.model, after };
    const { comparePanels } = await internals();
    await vscode.commands.executeCommand('ranksmith.compareModels', folder.model, [folder.model, after]);
    await until('the comparison', () => comparePanels.viewOf(pair)?.kind === 'ready');
    const runOf = () => {
      const view = comparePanels.viewOf(pair);
      assert.ok(view?.kind === 'ready' && view.comparison.run && 'outputError' in view.comparison.run);
      return { ...view.comparison.run, isFromReport: view.isFromReport };
    };
    // What the report measured, and then afresh: on the same samples.
    const then = runOf();
    assert.deepEqual([then.isFromReport, then.accuracy], [true, report!.accuracy]);
    await comparePanels.run(pair);
    const now = runOf();
    assert.equal(now.isFromReport, false);
    assert.equal(now.inputs, '6 samples held back of calib.npy');
    assert.deepEqual(now.accuracy, report!.accuracy);
    assert.ok(Math.abs(now.outputError.relative - report!.outputError.relative) < 1e-6);
  });
});
