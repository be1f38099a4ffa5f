import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memorySource } from '../../src/core/onnx/byteSource';
import { readModel } from '../../src/core/onnx/read';
import { outputDistance } from '../../src/worker/calibrate/outputDistance';
import { encodeModel } from '../support/onnxModel';

const modelWith = (op: string) =>
  readModel(
    memorySource(
      'a.onnx',
      encodeModel({
        nodes: [{ op, inputs: ['x'], outputs: ['y'] }],
        inputs: { x: ['N', 3] },
        outputs: { y: null },
      }),
    ),
  );
const outputs = (dims: number[], values: number[]) =>
  new Map([['y', { type: 'float32', dims, data: Float32Array.from(values) }]]);

function distance(
  op: string,
  dims: number[],
  expected: number[],
  actual: number[],
  samples = dims[0]!,
): number {
  const sum = outputDistance(modelWith(op));
  sum.add(outputs(dims, expected), outputs(dims, actual), { samples, rows: dims[0]! });
  return sum.total();
}

const softmax = (row: number[]) => {
  const sum = row.reduce((total, value) => total + Math.exp(value), 0);
  return row.map((value) => Math.exp(value) / sum);
};
const divergence = (p: number[], q: number[]) =>
  p.reduce((sum, value, i) => sum + value * Math.log(value / q[i]!), 0);
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-6 * (1 + Math.abs(expected)), `${actual}, not ${expected}`);

const [a, b] = [
  [1, 2, -1],
  [0.5, 2.5, 0],
];

test('probabilities and scores are compared by divergence, row by row, wherever the scores come from', () => {
  const expected = divergence(softmax(a!), softmax(b!));
  near(distance('Identity', [1, 3], a!, b!), expected);
  near(distance('Softmax', [1, 3], softmax(a!), softmax(b!)), expected);
  near(distance('LogSoftmax', [1, 3], softmax(a!).map(Math.log), softmax(b!).map(Math.log)), expected);
  // A constant on all scores says nothing; equal rows halve the mean.
  near(distance('Identity', [2, 3], [...a!, ...a!], [...b!, ...a!.map((value) => value + 5)]), expected / 2);
});

test('other outputs are compared by their squared relative distance', () => {
  near(distance('Identity', [1, 3, 1], a!, b!), (0.25 + 0.25 + 1) / 6);
  near(distance('Softmax', [1, 1, 3], softmax(a!), softmax(b!)), divergence(softmax(a!), softmax(b!)));
});

test('rows that only fill up a run do not count, and what is not finite is as bad as can be', () => {
  const expected = divergence(softmax(a!), softmax(b!));
  near(distance('Identity', [2, 3], [...a!, 1, 1, 1], [...b!, 9, 0, 0], 1), expected);
  assert.equal(distance('Identity', [1, 3], a!, [Number.NaN, 0, 0]), 1e6);
  assert.equal(distance('Identity', [1, 3], a!, a!), 0);
});

test('what is expected to be no number is left out, be it a value or a row', () => {
  near(distance('Identity', [1, 3, 1], [1, Number.NaN, 3], [1.5, 7, 3]), 0.25 / 10);
  const rows = [...softmax(a!), Number.NaN, 0, 0];
  near(distance('Softmax', [2, 3], rows, [...softmax(b!), 1, 0, 0]), divergence(softmax(a!), softmax(b!)));
  assert.equal(distance('Identity', [1, 3, 1], a!, [1, 2, Number.NaN]), 1e6);
});
