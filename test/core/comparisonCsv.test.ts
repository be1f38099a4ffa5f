import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparisonCsv } from '../../src/core/compress/compare/comparisonCsv';
import type { LayerChange } from '../../src/core/compress/compare/modelComparison';

const figures = {
  file: 'a.onnx',
  bytes: 1,
  parameters: 1,
  macs: null,
  activationBytes: null,
  opset: 17,
  nodes: 1,
  layers: 1,
};

const layer: LayerChange = {
  kind: 'factored',
  name: 'fc "1", the first',
  op: '=Gemm()',
  matchedBy: 'tensors',
  layers: { before: ['fc1'], after: ['fc1_factor1', 'fc1_factor2'] },
  shapes: {
    before: [[8, 4]],
    after: [
      [4, 2],
      [2, 8],
    ],
  },
  method: 'svd',
  ranks: [2],
  parameters: { before: 40, after: 32 },
  macs: { before: 32, after: null },
  bytes: { before: 160, after: 128 },
  weightError: 0.25,
};

test('a comparison as CSV: texts are quoted, formulas disarmed, unknown figures empty', () => {
  const text = comparisonCsv({
    before: figures,
    after: figures,
    layers: [layer],
    problems: [],
    weights: true,
  });
  const [head, row, ...rest] = text.split('\r\n');
  assert.equal(head!.split(',').length, 16);
  assert.equal(
    row,
    `"fc ""1"", the first",'=Gemm(),factored,svd,2,fc1,fc1_factor1 fc1_factor2,8x4,4x2 2x8,40,32,32,,160,128,0.25`,
  );
  assert.deepEqual(rest, ['']);
});
