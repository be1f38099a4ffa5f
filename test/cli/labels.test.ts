import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { run } from '../support/cli';
import { npyFile } from '../support/npyFile';
import { encodeModel, floatTensor, seededArray } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

const [COUNT, INPUTS, CLASSES] = [128, 24, 4];

/** A classifier, samples, and a class for each. */
function prepared() {
  const home = scratchFolder();
  const model = encodeModel({
    nodes: [
      { op: 'Gemm', name: 'f1', inputs: ['x', 'w1'], outputs: ['a'] },
      { op: 'Relu', name: 'r', inputs: ['a'], outputs: ['b'] },
      { op: 'Gemm', name: 'f2', inputs: ['b', 'w2'], outputs: ['y'] },
    ],
    inputs: { x: ['N', INPUTS] },
    outputs: { y: null },
    initializers: [
      floatTensor('w1', [INPUTS, 40], seededArray(INPUTS * 40, 1)),
      floatTensor('w2', [40, CLASSES], seededArray(40 * CLASSES, 2)),
    ],
  });
  const samples = npyFile('<f4', [COUNT, INPUTS], seededArray(COUNT * INPUTS, 3));
  const classes = Array.from({ length: COUNT }, (_, i) => i % CLASSES);
  return {
    model: writeInto(home, 'model.onnx', model),
    data: writeInto(home, 'data.npy', samples),
    labels: writeInto(home, 'labels.npy', npyFile('<i8', [COUNT], classes)),
    small: path.join(home, 'small.onnx'),
    plan: path.join(home, 'model.ranks.json'),
  };
}

test('with --labels right answers are told before and after, by compress, plan and verify', () => {
  const { model, data, labels, small, plan } = prepared();
  const on = ['--calibration', data, '--labels', labels];
  // A loss that nothing exceeds: the goal is there to be met.
  const goal = ['--target', 'accuracy=99', '--multiple', '1'];
  const compressed = run('compress', model, '-o', small, ...goal, ...on, '--json');
  assert.deepEqual([compressed.status, compressed.stderr], [0, '']);
  const report = JSON.parse(compressed.stdout);
  const { accuracy } = report;
  assert.equal(accuracy.samples, COUNT / 8);
  assert.ok(accuracy.before >= 0 && accuracy.before <= 1 && accuracy.after >= 0);
  assert.equal(report.target.points, 99);
  const planned = run('plan', model, '-o', plan, ...goal, ...on);
  assert.deepEqual([planned.status, planned.stderr], [0, '']);
  assert.match(
    planned.stdout,
    /on 16 samples held back: output error .* %, accuracy .* of 16 samples \([+−].* points\)/,
  );
  const verified = run('verify', model, small, ...on);
  assert.equal(verified.status, 0);
  assert.match(verified.stdout, /^accuracy {6}.* of 16 samples/m);
  assert.deepEqual(JSON.parse(run('verify', model, small, ...on, '--json').stdout).accuracy, accuracy);
});

test('--labels without data is wrong usage; a goal of accuracy without labels is refused', () => {
  const { model, data, labels, small } = prepared();
  const alone = run('compress', model, '-o', small, '--labels', labels);
  assert.equal(alone.status, 2);
  assert.match(alone.stderr, /--labels .* needs --calibration/);
  for (const args of [[], ['--calibration', data]]) {
    const { status, stdout } = run(
      'compress',
      model,
      '-o',
      small,
      '--target',
      'accuracy=1',
      ...args,
      '--json',
    );
    assert.equal(status, 1);
    assert.equal(JSON.parse(stdout).error.code, 'bad-data');
  }
});
