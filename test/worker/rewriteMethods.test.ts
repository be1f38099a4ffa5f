import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidatesOf } from '../../src/core/compress/candidates';
import { METHOD_IDS, type MethodId, type Ranks } from '../../src/core/compress/method';
import { spatial } from '../../src/core/compress/methods/spatial';
import { rewriteModel } from '../../src/core/compress/rewrite';
import { memorySource } from '../../src/core/onnx/byteSource';
import { readModel } from '../../src/core/onnx/read';
import { encodeFloats } from '../../src/core/onnx/tensorData';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { compareOutputs } from '../../src/worker/outputComparison';
import { analyzed, layersOf, randomInputs, run } from '../support/fullRank';
import { encodeModel, floatTensor, joinSegments, type ModelSpec, seededArray } from '../support/onnxModel';

/**
 * Whatever the factors, the nodes they are applied by must compute what the layer computes with the weight that
 * the factors stand for: for every method, ranks far from full, and random factors.
 */

const linalg = createMlMatrix();

type Spec = (weight: Float32Array) => ModelSpec;

function layer(
  op: string,
  weightDims: readonly number[],
  input: readonly number[],
  attributes: NonNullable<ModelSpec['nodes'][number]['attributes']> = {},
  { bias, opset, domain }: { bias?: number; opset?: number; domain?: string } = {},
): Spec {
  return (weight) => ({
    nodes: [
      {
        op: domain ? `${domain}:${op}` : op,
        name: 'layer',
        inputs: ['x', 'w', ...(bias ? ['b'] : [])],
        outputs: ['y'],
        attributes,
      },
    ],
    inputs: { x: input },
    outputs: { y: null },
    initializers: [
      floatTensor('w', weightDims, weight),
      ...(bias ? [floatTensor('b', [bias], seededArray(bias, 4))] : []),
    ],
    ...(opset ? { opset } : {}),
  });
}

const image = [2, 8, 9, 7];

/** Name, dimensions of the weight, model, and the methods that fit. */
const cases: readonly (readonly [string, readonly number[], Spec, readonly MethodId[]])[] = [
  [
    'a convolution',
    [6, 8, 3, 3],
    layer('Conv', [6, 8, 3, 3], image, { pads: [1, 1, 1, 1] }, { bias: 6 }),
    METHOD_IDS.filter((id) => id !== 'svd'),
  ],
  [
    'strides, dilations, asymmetric pads, an uneven kernel',
    [6, 8, 3, 2],
    layer(
      'Conv',
      [6, 8, 3, 2],
      image,
      { strides: [2, 1], dilations: [1, 2], pads: [1, 0, 2, 1] },
      { bias: 6 },
    ),
    METHOD_IDS.filter((id) => id !== 'svd'),
  ],
  [
    'SAME_UPPER with strides',
    [6, 8, 3, 3],
    layer('Conv', [6, 8, 3, 3], image, { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
    METHOD_IDS.filter((id) => id !== 'svd'),
  ],
  [
    'groups',
    [6, 4, 3, 3],
    layer('Conv', [6, 4, 3, 3], image, { group: 2, pads: [1, 1, 1, 1] }, { bias: 6 }),
    ['channel', 'input-channel', 'spatial', 'tucker2', 'cp', 'cp3', 'tt'],
  ],
  [
    'one spatial axis',
    [6, 8, 3],
    layer('Conv', [6, 8, 3], [2, 8, 11], { pads: [1, 1], strides: [2] }, { bias: 6 }),
    ['channel', 'input-channel', 'tucker2', 'cp3', 'btd', 'group', 'dcf'],
  ],
  [
    'three spatial axes',
    [4, 8, 2, 3, 2],
    layer('Conv', [4, 8, 2, 3, 2], [1, 8, 4, 5, 6], { pads: [0, 1, 0, 1, 1, 1] }),
    ['channel', 'input-channel', 'tucker2', 'cp3', 'btd', 'group', 'dcf'],
  ],
  [
    'a transposed convolution with strides, pads and output padding',
    [8, 6, 3, 2],
    layer(
      'ConvTranspose',
      [8, 6, 3, 2],
      image,
      { strides: [2, 3], pads: [1, 0, 1, 1], output_padding: [1, 0] },
      { bias: 6 },
    ),
    METHOD_IDS.filter((id) => id !== 'svd'),
  ],
  [
    'a transposed convolution in groups',
    [8, 3, 3, 3],
    layer('ConvTranspose', [8, 3, 3, 3], image, { group: 2, strides: [2, 2] }, { bias: 6 }),
    ['channel', 'input-channel', 'spatial', 'tucker2', 'cp', 'cp3', 'tt'],
  ],
  ['a 1 × 1 convolution', [6, 8, 1, 1], layer('Conv', [6, 8, 1, 1], image, { strides: [2, 2] }), ['svd']],
  [
    'a fused convolution',
    [6, 8, 3, 3],
    layer('FusedConv', [6, 8, 3, 3], image, { activation: 'Relu' }, { bias: 6, domain: 'com.microsoft' }),
    METHOD_IDS.filter((id) => id !== 'svd'),
  ],
  ['MatMul', [12, 18], layer('MatMul', [12, 18], [3, 5, 12]), ['svd', 'tt', 'tr']],
  ['MatMul of a matrix', [16, 6], layer('MatMul', [16, 6], [5, 16]), ['svd', 'tt', 'tr']],
  [
    'Gemm with alpha, beta, C, transA and transB',
    [18, 12],
    layer(
      'Gemm',
      [18, 12],
      [12, 5],
      { alpha: { float: 0.5 }, beta: { float: 2 }, transA: 1, transB: 1 },
      { bias: 18 },
    ),
    ['svd', 'tt', 'tr'],
  ],
  ['Gemm with C', [12, 18], layer('Gemm', [12, 18], [5, 12], {}, { bias: 18 }), ['svd', 'tt', 'tr']],
];

for (const [name, dims, spec, methods] of cases) {
  const count = dims.reduce((a, b) => a * b, 1);
  const before = encodeModel(spec(seededArray(count, 3)));
  const [found] = layersOf(readModel(memorySource('m.onnx', before)));

  test(`${name}: ${methods.length} methods fit, the others say why not`, () => {
    for (const method of METHOD_IDS) {
      const { candidates, reason } = candidatesOf(found!, method);
      if (methods.includes(method)) assert.deepEqual([candidates[0]?.method, reason], [method, undefined]);
      else
        assert.ok(candidates[0]?.method === 'svd' || /^.{10,}\.$/.test(reason ?? ''), `${method}: ${reason}`);
    }
  });

  const { form } = found!;
  const turned = form.kind === 'conv' && methods.includes('spatial') ? [spatial(form, 1)] : [];
  const fitting = methods.flatMap((method) => candidatesOf(found!, method).candidates);
  for (const candidate of [...fitting, ...turned]) {
    const { method } = candidate;
    const title = turned.includes(candidate) ? 'spatial, the other axis first,' : method;
    test(`${name}: the nodes of ${title} compute what its factors stand for`, async () => {
      for (const ranks of ranksFor(method, candidate.fullRanks)) {
        const model = readModel(memorySource('m.onnx', before));
        const [target] = layersOf(model);
        const factors: readonly Float32Array[] = candidate.shapes(ranks).map((shape, i) =>
          seededArray(
            shape.reduce((a, b) => a * b, 1),
            20 + i,
          ),
        );
        const pieces = factors.map((factor) => encodeFloats(1, factor));
        const factored = { layer: target!, candidate, ranks, factors: pieces };
        const after = joinSegments(rewriteModel(model, [factored]).segments);
        const same = encodeModel(spec(candidate.expand<Float32Array>(linalg, factors, ranks)));
        const inputs = randomInputs(before);
        const [expected, actual] = [await run(same, inputs), await run(after, inputs)];
        assert.deepEqual(actual.get('y')?.dims, expected.get('y')?.dims, `${ranks}`);
        const { relative } = compareOutputs(expected, actual, 'the rewritten model');
        assert.ok(relative < 2e-6, `ranks ${ranks} are off by ${relative}`);

        // What it is said to cost is what the new file costs.
        const written = readModel(memorySource('m.onnx', after));
        const cost = candidate.cost(ranks);
        assert.equal(
          cost.parameters,
          factors.reduce((sum, { length }) => sum + length, 0),
        );
        assert.equal(cost.macs, analyzed(written).analysis.macs);
      }
    });
  }
}

/** Ranks well below full ones; none of them equal, so that none can stand for another. */
function ranksFor(method: MethodId, full: Ranks): readonly Ranks[] {
  switch (method) {
    case 'tucker2':
      return [[3, 2]];
    case 'tt':
      return full.length === 3 ? [[2, 4, 3]] : [full.map(() => 3)];
    case 'tr':
      return full.length === 4
        ? [
            [2, 3, 5, 4],
            [1, 2, 3, 4],
          ]
        : [full.map((_, i) => 2 + i)];
    case 'btd':
      return [[2, 3, 2]];
    case 'group':
      return [
        [2, 3],
        [4, 1],
      ];
    default:
      return [[1], [3]];
  }
}
