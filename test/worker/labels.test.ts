import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import type { Target } from '../../src/core/compress/plan';
import { ModelError } from '../../src/core/onnx/modelError';
import { openCalibration } from '../../src/worker/calibration/calibrationData';
import { readLabels } from '../../src/worker/calibration/labels';
import type { CompressRequest } from '../../src/worker/engine';
import { openModel } from '../../src/worker/openModel';
import { loadRuntime } from '../../src/worker/runtime';
import { createCheckedSession } from '../support/checkedSession';
import { npyFile } from '../support/npyFile';
import { encodeModel, floatTensor, type ModelSpec, seededArray } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

/** Labels beside calibration data: right answers counted, and goals that ask for them. */

const folder = path.resolve('dist');
const session = createCheckedSession({ folder, threadScript: path.join(folder, 'factorThread.js') });
const runtime = loadRuntime(folder);
after(() => session.close());

const [COUNT, INPUTS, CLASSES] = [256, 24, 5];

const scaled = (length: number, seed: number, inputs: number) =>
  seededArray(length, seed).map((value) => value * Math.sqrt(3 / inputs));

function classifier(): ModelSpec {
  return {
    nodes: [
      { op: 'Gemm', name: 'f1', inputs: ['x', 'w1', 'b1'], outputs: ['a'] },
      { op: 'Relu', name: 'r1', inputs: ['a'], outputs: ['b'] },
      { op: 'Gemm', name: 'f2', inputs: ['b', 'w2', 'b2'], outputs: ['c'] },
      { op: 'Relu', name: 'r2', inputs: ['c'], outputs: ['d'] },
      { op: 'Gemm', name: 'f3', inputs: ['d', 'w3', 'b3'], outputs: ['e'] },
      { op: 'Softmax', name: 'p', inputs: ['e'], outputs: ['y'] },
    ],
    inputs: { x: ['N', INPUTS] },
    outputs: { y: null },
    initializers: [
      floatTensor('w1', [INPUTS, 48], scaled(INPUTS * 48, 1, 8)),
      floatTensor('b1', [48], scaled(48, 2, 8)),
      floatTensor('w2', [48, 32], scaled(48 * 32, 3, 16)),
      floatTensor('b2', [32], scaled(32, 4, 8)),
      floatTensor('w3', [32, CLASSES], scaled(32 * CLASSES, 5, 4)),
      floatTensor('b3', [CLASSES], new Float32Array(CLASSES)),
    ],
  };
}

/** The model's own answers for samples of some data, by index. */
async function answersOf(model: string, data: string): Promise<number[]> {
  const open = openModel(model);
  const samples = await openCalibration(open.model, new Map(), { path: data });
  const run = await runtime.open(model, []);
  const answers = new Array<number>(samples.count).fill(0);
  try {
    const all = [...samples.fit, ...samples.heldBack].sort((a, b) => a - b);
    for (const batch of samples.batches(all, 32)) {
      const [output] = (await run.run(batch.tensors)).values();
      const values = Array.from(output!.data as Float32Array);
      for (const [row, index] of batch.samples.entries()) {
        const own = values.slice(row * CLASSES, (row + 1) * CLASSES);
        answers[index] = own.indexOf(Math.max(...own));
      }
    }
    return answers;
  } finally {
    await run.release();
    samples.close();
    open.close();
  }
}

/** A classifier, data of few directions, and the classifier's own answers as labels but for every tenth. */
async function prepared() {
  const home = scratchFolder();
  const model = writeInto(home, 'model.onnx', encodeModel(classifier()));
  const directions = seededArray(6 * INPUTS, 7);
  const places = seededArray(COUNT * 6, 8);
  const noise = seededArray(COUNT * INPUTS, 9);
  const values = Float32Array.from({ length: COUNT * INPUTS }, (_, at) => {
    const [sample, input] = [Math.floor(at / INPUTS), at % INPUTS];
    let sum = 0.1 * noise[at]!;
    for (let k = 0; k < 6; k++) sum += places[sample * 6 + k]! * directions[k * INPUTS + input]!;
    return sum;
  });
  const data = writeInto(home, 'data.npy', npyFile('<f4', [COUNT, INPUTS], values));
  const answers = await answersOf(model, data);
  const wrong = answers.map((answer, i) => (i % 10 === 0 ? (answer + 1) % CLASSES : answer));
  const labels = writeInto(home, 'labels.npy', npyFile('<i8', [COUNT], wrong));
  const beside = (name: string) => path.join(home, name);
  const request = (target: Target, more: Partial<CompressRequest> = {}): CompressRequest => ({
    path: model,
    output: beside('small.onnx'),
    target,
    method: 'auto',
    multiple: 1,
    overwrite: true,
    calibration: { path: data, labels },
    ...more,
  });
  return { home, model, data, labels, wrong, beside, request };
}

const isModelError = (code: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ModelError, `${error}`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, text);
  return true;
};

describe('labels', () => {
  it('tell how many answers are right before and after, on samples held back', async () => {
    const at = await prepared();
    const report = await session.compress(at.request({ kind: 'parameters', share: 0.4 }));
    const accuracy = report.accuracy!;
    const factored = report.layers.filter(({ method }) => method !== 'dense');
    assert.equal(report.calibration!.weighed, factored.length);
    const open = openModel(at.model);
    const data = await openCalibration(open.model, new Map(), { path: at.data });
    const after = await answersOf(report.compressed.file, at.data);
    const before = await answersOf(at.model, at.data);
    const right = (answers: readonly number[]) =>
      data.heldBack.filter((i) => answers[i] === at.wrong[i]).length / data.heldBack.length;
    assert.deepEqual(accuracy, {
      before: right(before),
      after: right(after),
      samples: data.heldBack.length,
      labels: at.labels,
    });
    assert.ok(accuracy.before > 0.7 && accuracy.before < 1);
    data.close();
    open.close();
    const verified = await session.verify({
      original: at.model,
      compressed: report.compressed.file,
      calibration: { path: at.data, labels: at.labels },
    });
    assert.deepEqual(verified.accuracy, accuracy);
    const without = await session.compress(
      at.request({ kind: 'parameters', share: 0.4 }, { calibration: { path: at.data } }),
    );
    assert.equal(without.accuracy, undefined);
    assert.match(report.reproduce!.command, /--calibration data\.npy --labels labels\.npy/);
  });

  it('are refused where they do not belong to the data or the model', async () => {
    const at = await prepared();
    const compressWith = (name: string, file: Uint8Array) =>
      session.compress(
        at.request(
          { kind: 'parameters', share: 0.4 },
          { calibration: { path: at.data, labels: writeInto(at.home, name, file) } },
        ),
      );
    for (const [name, file, why] of [
      ['few.npy', npyFile('<i8', [9], new Array(9).fill(0)), /it has 9 numbers for 256 samples/],
      ['wide.npy', npyFile('<i8', [COUNT, 2], new Array(2 * COUNT).fill(0)), /its shape is 256 × 2/],
      ['half.npy', npyFile('<f4', [COUNT], new Float32Array(COUNT).fill(0.5)), /it holds 0\.5/],
      ['less.npy', npyFile('<i8', [COUNT], new Array(COUNT).fill(-1)), /it holds -1/],
      [
        'more.npy',
        npyFile('<i8', [COUNT], new Array(COUNT).fill(CLASSES)),
        /the label 5.*scores for 5 classes/,
      ],
    ] as const)
      await assert.rejects(compressWith(name, file), isModelError('bad-data', why), name);
    assert.ok(!existsSync(at.beside('small.onnx')));
  });

  it('are described as the model sees them: classes, how far it agrees, what looks wrong', async () => {
    const at = await prepared();
    const describeWith = (file: string) =>
      session.describeCalibration({ path: at.model, calibration: { path: at.data, labels: file } });
    const { labels, warnings } = await describeWith(at.labels);
    const { accuracy } = await session.compress(at.request({ kind: 'parameters', share: 0.4 }));
    assert.deepEqual(labels, {
      kind: 'fit',
      count: COUNT,
      classes: new Set(at.wrong).size,
      right: { share: accuracy!.before, samples: accuracy!.samples },
    });
    assert.deepEqual(warnings, []);
    // Each label in the place of another class: numbered otherwise.
    const other = npyFile(
      '<i8',
      [COUNT],
      at.wrong.map((label) => (label + 1) % CLASSES),
    );
    const odd = await describeWith(writeInto(at.home, 'other.npy', other));
    assert.ok(odd.labels?.kind === 'fit' && odd.labels.right!.share < 0.2);
    assert.match(
      odd.warnings.join('\n'),
      /^Of 32 samples the model as it is answers .* as other\.npy says, no more/,
    );
    for (const [values, why] of [
      [new Array(9).fill(0), /it has 9 numbers for 256 samples/],
      [[...new Array(COUNT - 1).fill(0), CLASSES], /the label 5.*scores for 5 classes/],
    ] as const) {
      const file = writeInto(at.home, 'unfit.npy', npyFile('<i8', [values.length], values));
      const found = await describeWith(file);
      assert.ok(found.labels?.kind === 'unfit');
      assert.match(found.labels.reason, why);
      assert.equal(found.fit + found.heldBack, COUNT);
    }
    const gone = await describeWith(at.beside('gone.npy'));
    assert.ok(gone.labels?.kind === 'unfit' && /gone\.npy/.test(gone.labels.reason));
  });

  it('may stand in a column', async () => {
    const at = await prepared();
    const file = writeInto(at.home, 'column.npy', npyFile('|u1', [COUNT, 1], at.wrong));
    assert.deepEqual(Array.from(readLabels(file, COUNT).classes), at.wrong);
  });
});

describe('a goal of accuracy', () => {
  it('is met on samples held back, by the smallest plan that was tried; the plan says the same and gives the same file', async () => {
    const at = await prepared();
    const target = { kind: 'accuracy', points: 4 } as const;
    const report = await session.compress(at.request(target));
    const { before, after } = report.accuracy!;
    assert.ok(100 * (before - after) <= 4, `${before} to ${after}`);
    assert.ok(report.compressed.parameters < report.original.parameters);
    const strict = await session.compress(
      at.request({ kind: 'accuracy', points: 0 }, { output: at.beside('strict.onnx') }),
    );
    assert.ok(strict.accuracy!.after >= strict.accuracy!.before);
    assert.ok(strict.compressed.parameters >= report.compressed.parameters);

    const { plan, checked } = await session.plan(at.request(target));
    assert.deepEqual(plan.goal, target);
    assert.deepEqual(
      [checked?.accuracy, checked?.outputError, checked?.samples],
      [report.accuracy, report.outputError, report.accuracy!.samples],
    );
    const again = await session.compress(
      at.request(target, { plan, planPath: at.beside('model.ranks.json'), output: at.beside('again.onnx') }),
    );
    assert.ok(readFileSync(again.compressed.file).equals(readFileSync(report.compressed.file)));
  });

  it('takes data with labels', async () => {
    const at = await prepared();
    const target = { kind: 'accuracy', points: 1 } as const;
    const message = /accuracy=1 takes calibration data and its labels/;
    for (const calibration of [{ path: at.data }, undefined]) {
      const { calibration: _, ...bare } = at.request(target);
      const request = { ...bare, ...(calibration ? { calibration } : {}) };
      await assert.rejects(session.compress(request), isModelError('bad-data', message));
      await assert.rejects(session.plan(request), (error: unknown) => error instanceof ModelError);
    }
  });
});

describe('a goal of output error', () => {
  it('is met by the plan as by the file that it gives', async () => {
    const at = await prepared();
    const target = { kind: 'error', error: 0.1 } as const;
    const { plan, checked } = await session.plan(at.request(target));
    assert.ok(checked!.outputError.relative <= 0.1);
    const report = await session.compress(
      at.request(target, { plan, planPath: at.beside('model.ranks.json') }),
    );
    assert.deepEqual(report.outputError, checked!.outputError);
    const strict = await session.plan(at.request({ kind: 'error', error: 1e-9 }));
    assert.ok(strict.plan.layers.every(({ kind }) => kind === 'dense'));
    assert.equal(strict.checked, undefined);
  });
});
