import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { candidatesOf } from '../../src/core/compress/candidates';
import { factorWeight } from '../../src/core/compress/factor';
import { findLayers } from '../../src/core/compress/layer';
import { rewriteModel } from '../../src/core/compress/rewrite';
import { memorySource } from '../../src/core/onnx/byteSource';
import { readModel } from '../../src/core/onnx/read';
import { decodeFloats, encodeFloats, readFloats } from '../../src/core/onnx/tensorData';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { permuteAxes } from '../../src/core/tensor/permute';
import { modelInputs } from '../../src/worker/modelInputs';
import { loadRuntime } from '../../src/worker/runtime';
import { compareOutputs } from '../../src/worker/verifyModels';
import { encodeModel, floatTensor, type ModelSpec, type NodeSpec, seededArray } from '../support/onnxModel';

const runtime = loadRuntime(path.resolve('dist'));
const linalg = createMlMatrix();
const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-rewrite-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const noFiles = () => {
  throw new Error('no external file was expected');
};

/** Factors every layer of the model at full rank with its n-th method; returns how many nodes changed and the error. */
async function rewrittenError(spec: ModelSpec, nth: number): Promise<{ layers: number; relative: number }> {
  const bytes = encodeModel(spec);
  const model = readModel(memorySource('m.onnx', bytes));
  const factored = findLayers(model, () => undefined).flatMap((layer) => {
    const candidate = candidatesOf(layer, 'auto')[nth];
    if (!candidate) return [];
    const { tensor, permutation } = layer.weight;
    const weight = permuteAxes(readFloats(model, tensor, noFiles), tensor.dims, permutation);
    const round = <T extends Float32Array | Float64Array>(x: T) =>
      decodeFloats(tensor.type, encodeFloats(tensor.type, x)) as T;
    const rank = candidate.maxRank;
    const { factors } = factorWeight(linalg, weight, candidate.unfolding, rank, candidate.folds(rank), round);
    const [first, second] = factors.map((f) => encodeFloats(tensor.type, f));
    return [{ layer, candidate, rank, factors: [first!, second!] as const }];
  });
  const { segments } = rewriteModel(model, factored);
  const original = path.join(folder, 'original.onnx');
  const compressed = path.join(folder, 'compressed.onnx');
  writeFileSync(original, bytes);
  writeFileSync(
    compressed,
    Buffer.concat(
      segments.map((s) => (s.kind === 'bytes' ? s.bytes : s.source.read(s.start, s.end - s.start))),
    ),
  );
  const inputs = modelInputs(model, new Map()).tensors;
  const [a, b] = [await runtime.open(original, []), await runtime.open(compressed, [])];
  try {
    return {
      layers: factored.length,
      ...compareOutputs(await a.run(inputs), await b.run(inputs), compressed),
    };
  } finally {
    await a.release();
    await b.release();
  }
}

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
const cases: readonly (readonly [name: string, spec: ModelSpec, methods: number])[] = [
  ['conv 3 × 3', conv([6, 5, 3, 3], {}), 2],
  ['conv without bias, asymmetric pads', conv([6, 5, 3, 3], { pads: [1, 0, 2, 1] }, { bias: false }), 2],
  [
    'conv with strides and dilations',
    conv([6, 5, 3, 2], { strides: [2, 1], dilations: [1, 2], pads: [1, 1, 1, 1] }),
    2,
  ],
  ['conv 1 × 7', conv([4, 3, 1, 7], { pads: [0, 3, 0, 3] }), 2],
  ['conv 5 × 1', conv([4, 3, 5, 1], { strides: [2, 2] }), 2],
  ['conv SAME_UPPER with strides', conv([4, 3, 3, 3], { auto_pad: 'SAME_UPPER', strides: [2, 2] }), 2],
  ['conv SAME_LOWER, even kernel', conv([4, 3, 2, 4], { auto_pad: 'SAME_LOWER' }), 2],
  ['conv VALID', conv([4, 3, 3, 3], { auto_pad: 'VALID' }), 2],
  ['grouped conv', conv([6, 4, 3, 3], { group: 3, pads: [1, 1, 1, 1] }), 2],
  ['conv 1 × 1 with stride and pads', conv([7, 5, 1, 1], { strides: [2, 2], pads: [1, 1, 1, 1] }), 1],
  ['grouped conv 1 × 1', conv([6, 4, 1, 1], { group: 2 }), 1],
  ['conv 1-D', conv([6, 5, 3], { pads: [1, 1], strides: [2] }, { size: [11] }), 1],
  ['conv 3-D', conv([4, 3, 2, 3, 2], { pads: [0, 1, 0, 1, 1, 1] }, { size: [4, 5, 6] }), 1],
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

for (const [name, spec, methods] of cases) {
  test(`full rank changes nothing: ${name}`, async () => {
    for (let nth = 0; nth < methods; nth++) {
      const { layers, relative } = await rewrittenError(spec, nth);
      assert.equal(layers, 1, 'the layer is factored');
      assert.ok(relative < 1e-5, `method ${nth} is off by ${relative}`);
    }
    assert.equal((await rewrittenError(spec, methods)).layers, 0, 'no further method');
  });
}

/** Layers that have to stay, and a piece of the reason. */
const left: readonly (readonly [name: string, spec: ModelSpec, reason: RegExp])[] = [
  ['depthwise conv', conv([4, 1, 3, 3], { group: 4 }), /Depthwise/],
  [
    'a weight two layers share',
    {
      nodes: [
        { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
        { op: 'MatMul', inputs: ['h', 'w'], outputs: ['y'] },
      ],
      inputs: { x: [2, 5] },
      outputs: { y: null },
      initializers: [floatTensor('w', [5, 5], seededArray(25, 1))],
    },
    /shared/,
  ],
  [
    'a batched MatMul',
    matmulModel({ op: 'MatMul', inputs: ['x', 'w'] }, [2, 4, 6], [['w', [2, 6, 5]]]),
    /only matrices/,
  ],
];

for (const [name, spec, reason] of left) {
  test(`left alone with the reason: ${name}`, () => {
    const layers = findLayers(readModel(memorySource('m.onnx', encodeModel(spec))), () => undefined);
    assert.ok(layers.length > 0);
    for (const { form } of layers) {
      assert.ok(form.kind === 'none' && reason.test(form.reason), JSON.stringify(form));
    }
  });
}

test('an initializer the caller may override is no layer', () => {
  const spec = matmulModel({ op: 'MatMul', inputs: ['x', 'w'] }, [3, 6], [['w', [6, 5]]]);
  const overridable = { ...spec, inputs: { x: [3, 6], w: [6, 5] } };
  assert.deepEqual(
    findLayers(readModel(memorySource('m.onnx', encodeModel(overridable))), () => undefined),
    [],
  );
});
