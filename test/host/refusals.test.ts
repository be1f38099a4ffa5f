import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type * as vscode from 'vscode';
import { missesGoal } from '../../src/core/compress/worth';
import { NO_PREPROCESSING } from '../../src/worker/calibration/preprocessing';
import { slowWhenFactored } from '../support/slowWhenFactored';
import { classifierNet, misleadingData } from '../support/unlikeHeldBack';
import { compress } from './compressing';
import { answering } from './dialogs';
import { exists, folderWithSample, internals } from './internals';

let folders = 0;

describe('a result that the engine refuses', function () {
  this.timeout(240_000);

  let folder: ReturnType<typeof folderWithSample>;
  let output: vscode.Uri;
  beforeEach(() => {
    folder = folderWithSample(`refusals-${++folders}`);
    output = folder.file('small.onnx');
  });
  afterEach(async () => {
    const { calibrations } = await internals();
    await calibrations.set(folder.model, null);
    folder.remove();
  });

  /** Compresses, and says no and then yes to what is asked. */
  async function refusedThenWritten(target: string) {
    const no = await answering(undefined, async () => {
      assert.equal(await compress({ uri: folder.model, target, output }), undefined);
    });
    assert.ok(!exists(output));
    let reports: Awaited<ReturnType<typeof compress>>;
    const yes = await answering('Write Anyway', async () => {
      reports = await compress({ uri: folder.model, target, output });
    });
    assert.ok(exists(output));
    const [asked, ...more] = yes;
    assert.ok(asked && more.length === 0, 'it is asked once');
    assert.deepEqual(asked.buttons, ['Write Anyway']);
    assert.deepEqual(
      no.map(({ question }) => question),
      [asked.question],
    );
    return { asked, report: reports![0]! };
  }

  it('because it is slower, is written for whoever insists', async () => {
    writeFileSync(folder.model.fsPath, slowWhenFactored());
    const { asked, report } = await refusedThenWritten('energy=0.99');
    assert.equal(asked.question, 'The compressed model would be slower than the original.');
    assert.match(
      asked.detail,
      /the result would be slower, so nothing was written: .* ms instead of .* ms per run/,
    );
    assert.ok(report.outputError.relative < 1e-4);
    assert.match(report.reproduce!.command, / --allow-slower$/);
  });

  it('because it is damaged, is written for whoever insists', async () => {
    writeFileSync(folder.model.fsPath, classifierNet());
    const { asked, report } = await refusedThenWritten('parameters=0.2');
    assert.match(asked.question, /would be too far from those of the original\.$/);
    assert.match(asked.detail, /it does not pay, so nothing was written/);
    assert.match(report.reproduce!.command, / --allow-inaccurate$/);
  });

  it('because it misses its goal on data, is written for whoever insists: the nearest', async () => {
    writeFileSync(folder.model.fsPath, classifierNet());
    const data = folder.file('data.npy');
    writeFileSync(data.fsPath, misleadingData());
    const { calibrations } = await internals();
    const chosen = { uri: data, preprocessing: NO_PREPROCESSING, limit: 1024, samples: 64, heldBack: 8 };
    await calibrations.set(folder.model, chosen);
    const { asked, report } = await refusedThenWritten('error=0.05');
    assert.match(asked.question, /^The goal would be missed\. The nearest result can be written/);
    const nearest = /the nearest has ([\d.]+) % with/.exec(asked.detail);
    assert.ok(nearest, asked.detail);
    assert.equal((100 * report.outputError.relative).toPrecision(3), Number(nearest[1]).toPrecision(3));
    assert.ok(missesGoal(report));
  });
});
