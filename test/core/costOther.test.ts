import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeOtherOps, OTHER_OPS, otherOps } from '../../src/core/onnx/otherOps';
import { printDim } from '../../src/core/onnx/shapes/dim';
import { inferShapes } from '../../src/core/onnx/shapes/inferShapes';
import { RULES } from '../../src/core/onnx/shapes/rules';
import { alexnet } from '../support/architectures/plain';
import { resnet18 } from '../support/architectures/residual';
import { type AttributeSpec, buildModel } from '../support/onnxModel';

const openExternal = () => assert.fail('no external file was expected');

type Example = readonly [
  op: string,
  sizes: readonly (readonly (number | string)[])[],
  attributes: Record<string, AttributeSpec>,
  ops: string,
  opset?: number,
];

const EXAMPLES: readonly Example[] = [
  ['Relu', [['N', 8]], {}, '8*N'],
  ['Add', [['N', 8], [8]], {}, '8*N'],
  ['Sum', [['N', 8], [8], [8]], {}, '16*N'],
  ['Softmax', [['N', 8]], {}, '8*N'],
  ['LayerNormalization', [['N', 8], [8], [8]], {}, '8*N'],
  // 4 × 4 places of 3 × 3 elements.
  [
    'MaxPool',
    [['N', 2, 8, 8]],
    { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 0, 0] },
    `${2 * 16 * 9}*N`,
  ],
  ['GlobalAveragePool', [['N', 2, 8, 8]], {}, '128*N'],
  ['ReduceMean', [['N', 8]], { axes: [1] }, '8*N'],
  // The bias only: products are multiply-accumulates.
  ['Conv', [['N', 3, 8, 8], [4, 3, 3, 3], [4]], {}, `${4 * 36}*N`],
  [
    'Conv',
    [
      ['N', 3, 8, 8],
      [4, 3, 3, 3],
    ],
    {},
    '0',
  ],
  ['Gemm', [['N', 3], [3, 5], [5]], {}, '5*N'],
  [
    'MatMul',
    [
      ['N', 3],
      [3, 5],
    ],
    {},
    '0',
  ],
  [
    'LSTM',
    [
      ['T', 2, 3],
      [1, 16, 3],
      [1, 16, 4],
    ],
    { hidden_size: 4 },
    '32*T',
  ],
  [
    'Attention',
    [
      [2, 8, 'Q', 16],
      [2, 2, 'K', 16],
      [2, 2, 'K', 32],
    ],
    {},
    '16*K*Q',
    23,
  ],
  ['Transpose', [['N', 8]], { perm: [1, 0] }, '0'],
  ['Mystery', [['N', 8]], {}, '?'],
];

for (const [op, sizes, attributes, ops, opset] of EXAMPLES) {
  test(`${op} of ${sizes.map((s) => s.join('×')).join(' and ')} takes ${ops} other operations`, () => {
    const names = sizes.map((_, i) => `x${i}`);
    const model = buildModel({
      nodes: [{ op, name: 'n', inputs: names, outputs: ['y'], attributes }],
      inputs: Object.fromEntries(sizes.map((s, i) => [names[i]!, s])),
      opset: opset ?? 17,
    });
    const shapes = inferShapes(model, { bind: new Map(), openExternal });
    assert.equal(printDim(nodeOtherOps(model.graph.nodes[0]!, shapes)), ops);
    assert.deepEqual(otherOps(model, shapes).unknown, ops === '?' ? ['n'] : []);
  });
}

test('every operator with a shape rule is counted, known to count nothing, or known not to be countable', () => {
  assert.deepEqual(
    [...RULES.keys()].filter((op) => !OTHER_OPS.has(op)),
    [],
  );
  assert.deepEqual(
    [...OTHER_OPS.keys()].filter((op) => !RULES.has(op)),
    [],
  );
});

test('AlexNet adds 2 million operations to its 714 million multiply-accumulates', () => {
  const { model } = alexnet();
  const shapes = inferShapes(model, { bind: new Map(), openExternal });
  // Bias and Relu of five convolutions and two of three products, three poolings of 3 × 3.
  const convs = 64 * 55 ** 2 + 192 * 27 ** 2 + (384 + 256 + 256) * 13 ** 2;
  const pools = 9 * (64 * 27 ** 2 + 192 * 13 ** 2 + 256 * 6 ** 2);
  const expected = 2 * convs + pools + 2 * (4096 + 4096) + 1000;
  assert.deepEqual(otherOps(model, shapes), { total: expected, unknown: [] });
});

test('ResNet-18: normalisation, Relu, addition and pooling', () => {
  const { model } = resnet18();
  const shapes = inferShapes(model, { bind: new Map(), openExternal });
  const stem = 2 * 64 * 112 ** 2 + 9 * 64 * 56 ** 2;
  // Per block two normalisations, two Relus and one addition; three blocks normalise their side path, too.
  const stage = (channels: number, size: number, sides: number) => (10 + sides) * channels * size ** 2;
  const stages = stage(64, 56, 0) + stage(128, 28, 1) + stage(256, 14, 1) + stage(512, 7, 1);
  assert.deepEqual(otherOps(model, shapes), {
    total: stem + stages + 512 * 49 + 1000,
    unknown: [],
  });
});
