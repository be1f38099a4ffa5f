import assert from 'node:assert/strict';
import path from 'node:path';
import { after, it } from 'node:test';
import { openCalibration } from '../../src/worker/calibration/calibrationData';
import { openModel } from '../../src/worker/openModel';
import { createCheckedSession } from '../support/checkedSession';
import { npyFile } from '../support/npyFile';
import { encodeModel, floatTensor, seededArray } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

/** A model that computes NaN for some samples: y = W₂ · relu(W₁ · x) + √(mean of x). */

const [INPUTS, HIDDEN, OUTPUTS, COUNT] = [48, 64, 8, 64];
const folder = path.resolve('dist');
const session = createCheckedSession({ folder, threadScript: path.join(folder, 'factorThread.js') });
after(() => session.close());

const model = encodeModel({
  nodes: [
    { op: 'Gemm', inputs: ['x', 'w1'], outputs: ['h'], name: 'first' },
    { op: 'Relu', inputs: ['h'], outputs: ['r'] },
    { op: 'Gemm', inputs: ['r', 'w2'], outputs: ['s'], name: 'second' },
    { op: 'ReduceMean', inputs: ['x'], outputs: ['m'], attributes: { axes: [1], keepdims: 1 } },
    { op: 'Sqrt', inputs: ['m'], outputs: ['root'] },
    { op: 'Add', inputs: ['s', 'root'], outputs: ['y'] },
  ],
  inputs: { x: ['N', INPUTS] },
  outputs: { y: ['N', OUTPUTS] },
  initializers: [
    floatTensor('w1', [INPUTS, HIDDEN], seededArray(INPUTS * HIDDEN, 1)),
    floatTensor('w2', [HIDDEN, OUTPUTS], seededArray(HIDDEN * OUTPUTS, 2)),
  ],
});

/** Samples of mean above 0, but for these. */
function samples(below: ReadonlySet<number>): Uint8Array {
  const values = seededArray(COUNT * INPUTS, 3);
  for (let at = 0; at < values.length; at++)
    values[at] = (below.has(Math.floor(at / INPUTS)) ? -1 : 1) * (Math.abs(values[at]!) + 0.01);
  return npyFile('<f4', [COUNT, INPUTS], values);
}

it('a model that computes NaN for the first sample held back is compared on the others, and that is told', async () => {
  const home = scratchFolder();
  const file = writeInto(home, 'model.onnx', model);
  const calibration = { path: path.join(home, 'samples.npy') };
  writeInto(home, 'samples.npy', samples(new Set()));
  const open = openModel(file);
  const data = await openCalibration(open.model, new Map(), calibration);
  const { heldBack } = data;
  data.close();
  open.close();
  assert.ok(heldBack.length > 2);
  writeInto(home, 'samples.npy', samples(new Set([heldBack[0]!])));
  const report = await session.compress({
    path: file,
    output: path.join(home, 'small.onnx'),
    target: { kind: 'parameters', share: 0.7 },
    method: 'auto',
    overwrite: false,
    allowSlower: true,
    allowInaccurate: true,
    dims: { N: 1 },
    calibration,
  });
  const { relative, notFinite } = report.outputError;
  assert.ok(relative > 0 && relative < 1, `${relative}`);
  assert.equal(notFinite, OUTPUTS);
  assert.match(
    report.problems.find(({ code }) => code === 'not-finite')!.message,
    /^The original computes NaN or infinity for 8 values of its outputs, which no comparison counts\.$/,
  );

  const all = new Set(Array.from({ length: COUNT }, (_, i) => i));
  writeInto(home, 'samples.npy', samples(all));
  await assert.rejects(
    session.compress({
      path: file,
      output: path.join(home, 'none.onnx'),
      target: { kind: 'parameters', share: 0.7 },
      method: 'auto',
      overwrite: false,
      dims: { N: 1 },
      allowSlower: true,
      calibration,
    }),
    /can't be compared: on its input the original computes nothing but NaN and infinity\.$/,
  );
});
