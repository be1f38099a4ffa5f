import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyzeModel } from '../../src/core/compress/analyzeModel';
import { resolveBindings } from '../../src/core/onnx/bindings';
import { buildModel, encodeGraph, floatTensor } from '../support/onnxModel';

const noFiles = () => {
  throw new Error('no external file was expected');
};

test('a dimension is named by its symbol or by its place, an unknown name is reported', () => {
  const model = buildModel({ nodes: [], inputs: { x: ['N', 3, null], y: [null] } });
  const { bind, unknown } = resolveBindings(model, { N: 2, 'x[2]': 5, 'y[0]': 7, z: 1, 'x[1]': 4 });
  assert.deepEqual(
    [...bind],
    [
      ['N', 2],
      ['x[2]', 5],
      ['y[0]', 7],
    ],
  );
  assert.deepEqual(unknown, ['z', 'x[1]']);
  assert.deepEqual([...resolveBindings(model, { 'x[0]': 9 }).bind], [['N', 9]]);
});

test('an input of one whole number is given its value, and the branch it chooses is counted', () => {
  const branch = (inner: number) =>
    encodeGraph({
      nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['t'] }],
      outputs: { t: null },
      initializers: [floatTensor('w', [4, inner], new Float32Array(4 * inner))],
    });
  const model = buildModel({
    nodes: [
      {
        op: 'Constant',
        inputs: [],
        outputs: ['rate'],
        attributes: { value: { name: '', dims: [], dataType: 7, int64Data: [16000] } },
      },
      { op: 'Equal', inputs: ['sr', 'rate'], outputs: ['is16k'] },
      {
        op: 'If',
        inputs: ['is16k'],
        outputs: ['y'],
        attributes: { then_branch: branch(5), else_branch: branch(50) },
      },
    ],
    inputs: { x: [2, 4], sr: [] },
    inputTypes: { sr: 7 },
    outputs: { y: null },
  });
  const macs = (dims: Record<string, number>) =>
    analyzeModel(model, { dims, openExternal: noFiles }).analysis.macs;
  assert.equal(macs({}), 2 * 4 * 50, 'without a value the larger branch counts');
  assert.equal(macs({ sr: 16000 }), 2 * 4 * 5);
  assert.equal(macs({ sr: 8000 }), 2 * 4 * 50);
});
