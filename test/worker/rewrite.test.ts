import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memorySource } from '../../src/core/onnx/byteSource';
import { readModel } from '../../src/core/onnx/read';
import { encodeFloats } from '../../src/core/onnx/tensorData';
import { valueTable } from '../../src/core/onnx/values';
import { layersOf, rewritten, rewrittenError } from '../support/fullRank';
import {
  doubleTensor,
  encodeGraph,
  encodeModel,
  floatTensor,
  int64Tensor,
  type ModelSpec,
  type NodeSpec,
  seededArray,
} from '../support/onnxModel';

/** A convolution of x with a random weight, and a bias where one is asked for. */
function conv(
  weight: readonly number[],
  attributes: NonNullable<NodeSpec['attributes']>,
  { channels = weight[1]! * Number(attributes.group ?? 1), bias = true, size = [9, 8] } = {},
): ModelSpec {
  const inputs = bias ? ['x', 'w', 'b'] : ['x', 'w'];
  return {
    nodes: [{ op: 'Conv', name: 'conv', inputs, outputs: ['y'], attributes }],
    inputs: { x: [2, channels, ...size] },
    outputs: { y: null },
    initializers: [
      floatTensor(
        'w',
        weight,
        seededArray(
          weight.reduce((a, b) => a * b, 1),
          3,
        ),
      ),
      ...(bias ? [floatTensor('b', [weight[0]!], seededArray(weight[0]!, 4))] : []),
    ],
  };
}

/** A transposed convolution of x with a random weight and a bias. */
function transposedConv(
  weight: readonly number[],
  attributes: NonNullable<NodeSpec['attributes']>,
  size = [5, 6],
): ModelSpec {
  const out = weight[1]! * Number(attributes.group ?? 1);
  return {
    nodes: [{ op: 'ConvTranspose', name: 'conv', inputs: ['x', 'w', 'b'], outputs: ['y'], attributes }],
    inputs: { x: [2, weight[0]!, ...size] },
    outputs: { y: null },
    initializers: [
      floatTensor(
        'w',
        weight,
        seededArray(
          weight.reduce((a, b) => a * b, 1),
          3,
        ),
      ),
      floatTensor('b', [out], seededArray(out, 4)),
    ],
  };
}

/** The model with a BatchNormalization behind its only node. */
function withNorm(spec: ModelSpec): ModelSpec {
  const node = spec.nodes[0]!;
  const weight = spec.initializers!.find((t) => t.name === 'w')!;
  const channels =
    node.op === 'Conv'
      ? Number(weight.dims![0])
      : Number(weight.dims![1]) * Number(node.attributes?.group ?? 1);
  const positive = (seed: number) => seededArray(channels, seed).map((x) => 1.5 + x);
  return {
    ...spec,
    nodes: [
      { ...node, outputs: ['h'] },
      {
        op: 'BatchNormalization',
        inputs: ['h', 'gamma', 'beta', 'mean', 'var'],
        outputs: ['y'],
        attributes: { epsilon: { float: 0.01 } },
      },
    ],
    initializers: [
      ...spec.initializers!,
      floatTensor('gamma', [channels], positive(11)),
      floatTensor('beta', [channels], seededArray(channels, 12)),
      floatTensor('mean', [channels], seededArray(channels, 13)),
      floatTensor('var', [channels], positive(14)),
    ],
  };
}

/** An If whose branches multiply: one with a weight of its own, the other with one from outside, and its own too. */
function branches(): ModelSpec {
  const matrix = (name: string, seed: number) => floatTensor(name, [6, 6], seededArray(36, seed));
  const graph = (nodes: readonly NodeSpec[], output: string, initializers: ModelSpec['initializers'] = []) =>
    encodeGraph({ nodes, outputs: { [output]: null }, initializers });
  return {
    nodes: [
      { op: 'ReduceSum', inputs: ['x'], outputs: ['sum'], attributes: { keepdims: 0 } },
      { op: 'Greater', inputs: ['sum', 'zero'], outputs: ['condition'] },
      {
        op: 'If',
        inputs: ['condition'],
        outputs: ['y'],
        attributes: {
          then_branch: graph([{ op: 'MatMul', name: 'inner', inputs: ['x', 'w'], outputs: ['t'] }], 't', [
            matrix('w', 5),
          ]),
          else_branch: graph(
            [
              { op: 'MatMul', name: 'captured', inputs: ['x', 'outside'], outputs: ['h'] },
              { op: 'MatMul', name: 'own', inputs: ['h', 'v'], outputs: ['e'] },
            ],
            'e',
            [matrix('v', 7)],
          ),
        },
      },
    ],
    inputs: { x: [3, 6] },
    outputs: { y: null },
    initializers: [matrix('outside', 6), floatTensor('zero', [], [0])],
  };
}

/** A Loop of three trips, each of which multiplies. */
function loop(): ModelSpec {
  const body = encodeGraph({
    nodes: [
      { op: 'MatMul', name: 'again', inputs: ['state', 'w'], outputs: ['next'] },
      { op: 'Identity', inputs: ['go'], outputs: ['on'] },
    ],
    inputs: { i: [], go: [], state: [3, 6] },
    inputTypes: { i: 7, go: 9 },
    outputs: { on: [], next: [3, 6] },
    outputTypes: { on: 9 },
    initializers: [floatTensor('w', [6, 6], seededArray(36, 5))],
  });
  return {
    nodes: [{ op: 'Loop', inputs: ['trips', '', 'x'], outputs: ['y'], attributes: { body } }],
    inputs: { x: [3, 6] },
    outputs: { y: null },
    initializers: [int64Tensor('trips', [], [3])],
  };
}

/** A product in another floating-point type, between casts. */
function inPrecision(type: number): ModelSpec {
  const raw = encodeFloats(type, seededArray(24 * 20, 3));
  return {
    nodes: [
      { op: 'Cast', inputs: ['x'], outputs: ['a'], attributes: { to: type } },
      { op: 'MatMul', inputs: ['a', 'w'], outputs: ['b'] },
      { op: 'Cast', inputs: ['b'], outputs: ['y'], attributes: { to: 1 } },
    ],
    inputs: { x: [4, 24] },
    outputs: { y: null },
    initializers: [{ name: 'w', dims: [24, 20], dataType: type, rawData: raw }],
  };
}

function matmulModel(
  node: Omit<NodeSpec, 'outputs'>,
  x: readonly number[],
  constants: readonly (readonly [string, readonly number[]])[],
  rest: Partial<ModelSpec> = {},
): ModelSpec {
  return {
    nodes: [{ ...node, outputs: ['y'] }],
    inputs: { x },
    outputs: { y: null },
    initializers: constants.map(([name, dims], i) =>
      floatTensor(
        name,
        dims,
        seededArray(
          dims.reduce((a, b) => a * b, 1),
          i + 9,
        ),
      ),
    ),
    ...rest,
  };
}

/** Name, model, and how many methods fit its layer. */
const cases: readonly (readonly [name: string, spec: ModelSpec, methods: number, factoredLayers?: number])[] =
  [
    ['conv 3 × 3', conv([6, 5, 3, 3], {}), 4],
    ['conv without bias, asymmetric pads', conv([6, 5, 3, 3], { pads: [1, 0, 2, 1] }, { bias: false }), 4],
    [
      'conv with strides and dilations',
      conv([6, 5, 3, 2], { strides: [2, 1], dilations: [1, 2], pads: [1, 1, 1, 1] }),
      4,
    ],
    ['conv 1 × 7', conv([4, 3, 1, 7], { pads: [0, 3, 0, 3] }), 4],
    ['conv 5 × 1', conv([4, 3, 5, 1], { strides: [2, 2] }), 4],
    ['conv SAME_UPPER with strides', conv([4, 3, 3, 3], { auto_pad: 'SAME_UPPER', strides: [2, 2] }), 4],
    ['conv SAME_LOWER, even kernel', conv([4, 3, 2, 4], { auto_pad: 'SAME_LOWER' }), 4],
    ['conv VALID', conv([4, 3, 3, 3], { auto_pad: 'VALID' }), 4],
    ['grouped conv', conv([6, 4, 3, 3], { group: 3, pads: [1, 1, 1, 1] }), 4],
    ['conv 1 × 1 with stride and pads', conv([7, 5, 1, 1], { strides: [2, 2], pads: [1, 1, 1, 1] }), 1],
    ['grouped conv 1 × 1', conv([6, 4, 1, 1], { group: 2 }), 1],
    ['conv 1-D', conv([6, 5, 3], { pads: [1, 1], strides: [2] }, { size: [11] }), 3],
    ['conv 3-D', conv([4, 3, 2, 3, 2], { pads: [0, 1, 0, 1, 1, 1] }, { size: [4, 5, 6] }), 3],
    [
      'MatMul, weight on the right',
      matmulModel({ op: 'MatMul', inputs: ['x', 'w'] }, [3, 4, 6], [['w', [6, 5]]]),
      1,
    ],
    [
      'MatMul, weight on the left',
      matmulModel({ op: 'MatMul', inputs: ['w', 'x'] }, [3, 6, 4], [['w', [5, 6]]]),
      1,
    ],
    [
      'Gemm',
      matmulModel(
        { op: 'Gemm', inputs: ['x', 'w', 'c'], attributes: { alpha: { float: 0.5 }, beta: { float: 2 } } },
        [4, 6],
        [
          ['w', [6, 5]],
          ['c', [5]],
        ],
      ),
      1,
    ],
    [
      'Gemm with transA and transB',
      matmulModel(
        { op: 'Gemm', inputs: ['x', 'w', 'c'], attributes: { transA: 1, transB: 1 } },
        [6, 4],
        [
          ['w', [5, 6]],
          ['c', [4, 5]],
        ],
      ),
      1,
    ],
    [
      'Gemm without C',
      matmulModel({ op: 'Gemm', inputs: ['x', 'w'], attributes: { transB: 1 } }, [4, 6], [['w', [5, 6]]]),
      1,
    ],
    [
      'Gemm of opset 9',
      matmulModel(
        { op: 'Gemm', inputs: ['x', 'w', 'c'] },
        [4, 6],
        [
          ['w', [6, 5]],
          ['c', [5]],
        ],
        { opset: 9 },
      ),
      1,
    ],
    [
      'a weight behind Identity and Transpose',
      {
        nodes: [
          { op: 'Identity', inputs: ['w'], outputs: ['w1'] },
          { op: 'Transpose', inputs: ['w1'], outputs: ['w2'], attributes: { perm: [1, 0] } },
          { op: 'MatMul', inputs: ['x', 'w2'], outputs: ['y'] },
        ],
        inputs: { x: [3, 6] },
        outputs: { y: null },
        initializers: [floatTensor('w', [5, 6], seededArray(30, 2))],
      },
      1,
    ],
    [
      'a weight in a Constant node',
      {
        nodes: [
          {
            op: 'Constant',
            inputs: [],
            outputs: ['w'],
            attributes: { value: floatTensor('', [6, 5], seededArray(30, 2)) },
          },
          { op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] },
        ],
        inputs: { x: [3, 6] },
        outputs: { y: null },
      },
      1,
    ],
    [
      'a weight behind Reshape, Unsqueeze, Squeeze and Cast',
      {
        nodes: [
          { op: 'Reshape', inputs: ['w', 'shape'], outputs: ['w1'] },
          { op: 'Unsqueeze', inputs: ['w1', 'axis'], outputs: ['w2'] },
          { op: 'Squeeze', inputs: ['w2', 'axis'], outputs: ['w3'] },
          { op: 'Cast', inputs: ['w3'], outputs: ['w4'], attributes: { to: 1 } },
          { op: 'MatMul', inputs: ['x', 'w4'], outputs: ['y'] },
        ],
        inputs: { x: [3, 6] },
        outputs: { y: null },
        initializers: [
          doubleTensor('w', [30], seededArray(30, 2)),
          int64Tensor('shape', [2], [6, -1]),
          int64Tensor('axis', [1], [0]),
        ],
      },
      1,
    ],
    [
      'a weight made by ConstantOfShape',
      {
        nodes: [
          {
            op: 'ConstantOfShape',
            inputs: ['shape'],
            outputs: ['w'],
            attributes: { value: floatTensor('', [1], [0.25]) },
          },
          { op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] },
        ],
        inputs: { x: [3, 6] },
        outputs: { y: null },
        initializers: [int64Tensor('shape', [2], [6, 5])],
      },
      1,
    ],
    [
      'a weight two layers share in the same way',
      {
        nodes: [
          { op: 'MatMul', name: 'one', inputs: ['x', 'w'], outputs: ['h'] },
          { op: 'Relu', inputs: ['h'], outputs: ['r'] },
          { op: 'MatMul', name: 'two', inputs: ['r', 'w'], outputs: ['y'] },
        ],
        inputs: { x: [2, 5] },
        outputs: { y: null },
        initializers: [floatTensor('w', [5, 5], seededArray(25, 1))],
      },
      1,
    ],
    [
      'a weight shared through Identity (torch de-duplicates like this)',
      {
        nodes: [
          { op: 'Identity', inputs: ['w'], outputs: ['w1'] },
          { op: 'Conv', name: 'one', inputs: ['x', 'w'], outputs: ['h'], attributes: { pads: [1, 1, 1, 1] } },
          { op: 'Conv', name: 'two', inputs: ['h', 'w1'], outputs: ['y'], attributes: { strides: [2, 2] } },
        ],
        inputs: { x: [1, 4, 8, 8] },
        outputs: { y: null },
        initializers: [floatTensor('w', [4, 4, 3, 3], seededArray(144, 1))],
      },
      4,
    ],
    [
      'a batch of matrices on the right',
      matmulModel({ op: 'MatMul', inputs: ['x', 'w'] }, [2, 4, 6], [['w', [2, 6, 5]]]),
      1,
    ],
    [
      'a batch of matrices that broadcasts',
      matmulModel({ op: 'MatMul', inputs: ['x', 'w'] }, [3, 2, 4, 6], [['w', [1, 2, 6, 5]]]),
      1,
    ],
    [
      'a batch of matrices on the left',
      matmulModel({ op: 'MatMul', inputs: ['w', 'x'] }, [6, 4], [['w', [3, 5, 6]]]),
      1,
    ],
    [
      'Gemm, weight on the left',
      matmulModel(
        { op: 'Gemm', inputs: ['w', 'x', 'c'], attributes: { alpha: { float: 0.5 } } },
        [6, 4],
        [
          ['w', [5, 6]],
          ['c', [4]],
        ],
      ),
      1,
    ],
    [
      'Gemm, weight on the left, both transposed',
      matmulModel(
        { op: 'Gemm', inputs: ['w', 'x'], attributes: { transA: 1, transB: 1 } },
        [4, 6],
        [['w', [6, 5]]],
      ),
      1,
    ],
    [
      'an embedding',
      {
        nodes: [
          { op: 'Cast', inputs: ['x'], outputs: ['i'], attributes: { to: 7 } },
          { op: 'Abs', inputs: ['i'], outputs: ['a'] },
          { op: 'Gather', inputs: ['table', 'a'], outputs: ['y'] },
        ],
        inputs: { x: [2, 7] },
        outputs: { y: null },
        initializers: [floatTensor('table', [64, 20], seededArray(1280, 3))],
      },
      1,
    ],
    ['ConvTranspose', transposedConv([5, 6, 3, 3], {}), 4],
    [
      'ConvTranspose with strides, pads and output padding',
      transposedConv([5, 6, 3, 2], { strides: [2, 3], pads: [1, 0, 1, 1], output_padding: [1, 0] }),
      4,
    ],
    ['ConvTranspose with dilations', transposedConv([4, 3, 2, 3], { dilations: [2, 1] }), 4],
    ['grouped ConvTranspose', transposedConv([6, 4, 3, 3], { group: 2, strides: [2, 2] }), 4],
    ['ConvTranspose 1-D', transposedConv([5, 6, 4], { strides: [2] }, [9]), 3],
    ['ConvTranspose 1 × 1 with strides', transposedConv([5, 6, 1, 1], { strides: [2, 2] }), 1],
    ['Conv and BatchNormalization', withNorm(conv([6, 5, 3, 3], { pads: [1, 1, 1, 1] })), 4],
    ['Conv without bias and BatchNormalization', withNorm(conv([6, 5, 3, 3], {}, { bias: false })), 4],
    ['grouped Conv and BatchNormalization', withNorm(conv([6, 4, 3, 3], { group: 3 })), 4],
    ['grouped ConvTranspose and BatchNormalization', withNorm(transposedConv([6, 3, 3, 3], { group: 2 })), 4],
    [
      'FusedConv keeps its activation on the last factor',
      {
        ...conv([6, 5, 3, 3], {}),
        nodes: [
          {
            op: 'com.microsoft:FusedConv',
            inputs: ['x', 'w', 'b'],
            outputs: ['y'],
            attributes: { activation: 'LeakyRelu', activation_params: [{ float: 0.3 }] },
          },
        ],
      },
      4,
    ],
    [
      'FusedMatMul with alpha and transA',
      matmulModel(
        {
          op: 'com.microsoft:FusedMatMul',
          inputs: ['x', 'w'],
          attributes: { alpha: { float: 0.5 }, transA: 1 },
        },
        [2, 6, 4],
        [['w', [6, 5]]],
      ),
      1,
    ],
    [
      'FusedGemm',
      matmulModel(
        {
          op: 'com.microsoft:FusedGemm',
          inputs: ['x', 'w', 'c'],
          attributes: { activation: 'Relu', transB: 1 },
        },
        [4, 6],
        [
          ['w', [5, 6]],
          ['c', [5]],
        ],
      ),
      1,
    ],
    ['weights inside the branches of an If, and one captured from outside', branches(), 1, 3],
    ['a weight inside a Loop', loop(), 1],
    ['double precision', inPrecision(11), 1],
    ['half precision', inPrecision(10), 1],
    [
      'IR version 3: the weight is declared as an input too',
      {
        ...matmulModel({ op: 'MatMul', inputs: ['x', 'w'] }, [3, 6], [['w', [6, 5]]]),
        inputs: { x: [3, 6], w: [6, 5] },
        irVersion: 3,
        opset: 8,
      },
      1,
    ],
  ];

for (const [name, spec, methods, factoredLayers = 1] of cases) {
  test(`full rank changes nothing: ${name}`, async () => {
    for (let nth = 0; nth < methods; nth++) {
      const { layers, relative, model } = await rewrittenError(encodeModel(spec), nth);
      assert.equal(layers, factoredLayers, 'the layer is factored');
      const names = valueTable(model).graphs.flatMap((g) => g.initializers.map((t) => t.name));
      assert.ok(
        !names.includes('w') && !names.includes('gamma'),
        `what only the layer used is gone: ${names}`,
      );
      assert.ok(relative < (name === 'half precision' ? 2e-3 : 1e-5), `method ${nth} is off by ${relative}`);
    }
    assert.equal((await rewrittenError(encodeModel(spec), methods)).layers, 0, 'no further method');
  });
}

/** Layers that have to stay, and a piece of the reason. */
const left: readonly (readonly [name: string, spec: ModelSpec, reason: RegExp])[] = [
  ['depthwise conv', conv([4, 1, 3, 3], { group: 4 }), /Depthwise/],
  [
    'a weight that is read by something else too',
    {
      nodes: [
        { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
        { op: 'Add', name: 'adder', inputs: ['h', 'w'], outputs: ['y'] },
      ],
      inputs: { x: [5, 5] },
      outputs: { y: null },
      initializers: [floatTensor('w', [5, 5], seededArray(25, 1))],
    },
    /also read by "adder"/,
  ],
  [
    'a weight that is an output too',
    {
      ...matmulModel({ op: 'MatMul', inputs: ['x', 'w'] }, [3, 6], [['w', [6, 5]]]),
      outputs: { y: null, w: [6, 5] },
    },
    /output of the model/,
  ],
  [
    'a weight the caller may override',
    {
      ...matmulModel({ op: 'MatMul', inputs: ['x', 'w'] }, [3, 6], [['w', [6, 5]]]),
      inputs: { x: [3, 6], w: [6, 5] },
    },
    /input of the model too/,
  ],
  [
    'a weight that two layers use in different ways',
    {
      nodes: [
        { op: 'MatMul', name: 'a', inputs: ['x', 'w'], outputs: ['h'] },
        { op: 'MatMul', name: 'b', inputs: ['w', 'h'], outputs: ['y'] },
      ],
      inputs: { x: [5, 5] },
      outputs: { y: null },
      initializers: [floatTensor('w', [5, 5], seededArray(25, 1))],
    },
    /"a", "b" share its weight/,
  ],
];

for (const [name, spec, reason] of left) {
  test(`left alone with the reason: ${name}`, () => {
    const layers = layersOf(readModel(memorySource('m.onnx', encodeModel(spec))));
    assert.ok(layers.length > 0);
    for (const { form } of layers) {
      assert.ok(form.kind === 'none' && reason.test(form.reason), JSON.stringify(form));
    }
  });
}

test('Gemm before opset 7: the last factor keeps broadcast and alpha, the first is a plain product', () => {
  const spec = matmulModel(
    { op: 'Gemm', inputs: ['x', 'w', 'c'], attributes: { broadcast: 1, alpha: { float: 0.5 }, transB: 1 } },
    [4, 6],
    [
      ['w', [5, 6]],
      ['c', [5]],
    ],
    { opset: 6, irVersion: 3, inputs: { x: [4, 6], w: [5, 6], c: [5] } },
  );
  // ONNX Runtime starts at opset 7, so the nodes themselves are looked at.
  const { layers, bytes } = rewritten(encodeModel(spec), 0);
  assert.equal(layers, 1);
  const [first, last] = readModel(memorySource('m.onnx', bytes)).graph.nodes;
  assert.deepEqual([first?.opType, first?.attributes.size], ['MatMul', 0]);
  assert.equal(last?.opType, 'Gemm');
  assert.deepEqual(Object.fromEntries(last!.attributes), {
    broadcast: { kind: 'int', value: 1 },
    alpha: { kind: 'float', value: 0.5 },
  });
});
