import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { onnx } from 'onnx-proto';
import { memorySource } from '../../src/core/onnx/byteSource';
import { graphMacs, nodeMacs } from '../../src/core/onnx/cost';
import { readModel } from '../../src/core/onnx/read';
import { printDim } from '../../src/core/onnx/shapes/dim';
import { inferShapes } from '../../src/core/onnx/shapes/inferShapes';
import { openFile } from '../../src/worker/fileSource';
import { type AttributeSpec, buildModel } from '../support/onnxModel';
import { assertQuick } from '../support/processorTime';

const openExternal = () => assert.fail('no external file was expected');

interface Example {
  readonly op: string;
  readonly sizes: readonly (readonly (number | string)[])[];
  readonly attributes?: Record<string, AttributeSpec>;
  readonly macs: string;
  readonly opset?: number;
}

/** One node on inputs of these sizes; what it costs, worked out by hand. */
const EXAMPLES: readonly Example[] = [
  // 8·16·16 outputs, each a sum over 3·3·3.
  {
    op: 'Conv',
    sizes: [
      ['N', 3, 16, 16],
      [8, 3, 3, 3],
    ],
    attributes: { pads: [1, 1, 1, 1] },
    macs: '55296*N',
  },
  {
    op: 'Conv',
    sizes: [
      [1, 8, 10],
      [8, 1, 3],
    ],
    attributes: { group: 8 },
    macs: `${8 * 8 * 3}`,
  },
  {
    op: 'Conv',
    sizes: [
      [1, 8, 'L'],
      [4, 8, 1],
    ],
    macs: '32*L',
  },
  // 4·5·5 inputs, each spread over 3·2·2.
  {
    op: 'ConvTranspose',
    sizes: [
      [1, 4, 5, 5],
      [4, 3, 2, 2],
    ],
    attributes: { strides: [2, 2] },
    macs: `${100 * 12}`,
  },
  {
    op: 'Gemm',
    sizes: [
      [5, 'N'],
      [7, 5],
    ],
    attributes: { transA: 1, transB: 1 },
    macs: '35*N',
  },
  {
    op: 'MatMul',
    sizes: [
      ['B', 12, 'L', 64],
      ['B', 12, 64, 'L'],
    ],
    macs: '768*B*L^2',
  },
  { op: 'MatMul', sizes: [[5], [5]], macs: '5' },
  {
    op: 'Einsum',
    sizes: [
      ['b', 3, 4],
      [4, 5],
    ],
    attributes: { equation: 'bij,jk->bik' },
    macs: '60*b',
  },
  // Pairwise: a·b·c, then a·c·d.
  {
    op: 'Einsum',
    sizes: [
      [2, 3],
      [3, 4],
      [4, 5],
    ],
    attributes: { equation: 'ab,bc,cd->ad' },
    macs: `${24 + 40}`,
  },
  { op: 'Einsum', sizes: [[3, 3]], attributes: { equation: 'ii->i' }, macs: '0' },
  // T·B·directions·gates·H·(I + H)
  {
    op: 'LSTM',
    sizes: [
      ['T', 2, 3],
      [2, 16, 3],
      [2, 16, 4],
    ],
    attributes: { direction: 'bidirectional', hidden_size: 4 },
    macs: `${2 * 2 * 16 * 7}*T`,
  },
  {
    op: 'GRU',
    sizes: [
      [5, 1, 3],
      [1, 12, 3],
      [1, 12, 4],
    ],
    attributes: { hidden_size: 4 },
    macs: `${5 * 12 * 7}`,
  },
  {
    op: 'RNN',
    sizes: [
      [5, 1, 3],
      [1, 4, 3],
      [1, 4, 4],
    ],
    attributes: { hidden_size: 4 },
    macs: `${5 * 4 * 7}`,
  },
  // B·h·Lq·Lk·(dk + dv)
  {
    op: 'Attention',
    sizes: [
      [2, 8, 'Q', 16],
      [2, 2, 'K', 16],
      [2, 2, 'K', 32],
    ],
    opset: 23,
    macs: `${2 * 8 * 48}*K*Q`,
  },
  { op: 'Relu', sizes: [[4, 4]], macs: '0' },
  { op: 'LayerNormalization', sizes: [[4, 4], [4]], macs: '0' },
  { op: 'Mystery', sizes: [[4, 4]], macs: '?' },
  // Inputs that do not fit: not 0.
  {
    op: 'MatMul',
    sizes: [
      [4, 5],
      [6, 7],
    ],
    macs: '?',
  },
];

for (const { op, sizes, attributes, macs, opset } of EXAMPLES) {
  test(`${op} of ${sizes.map((s) => s.join('×')).join(' and ')} costs ${macs}`, () => {
    const names = sizes.map((_, i) => `x${i}`);
    const model = buildModel({
      nodes: [{ op, name: 'n', inputs: names, outputs: ['y'], ...(attributes ? { attributes } : {}) }],
      inputs: Object.fromEntries(sizes.map((s, i) => [names[i]!, s])),
      opset: opset ?? 17,
    });
    const shapes = inferShapes(model, { bind: new Map(), openExternal });
    assert.equal(printDim(nodeMacs(model.graph.nodes[0]!, shapes)), macs);
    const { total, unknown } = graphMacs(model, shapes);
    assert.equal(printDim(total), macs === '?' ? '0' : macs);
    assert.deepEqual(unknown, macs === '?' ? ['n'] : []);
  });
}

test('a linear model of ai.onnx.ml costs its coefficients for every row', () => {
  const { FLOATS } = onnx.AttributeProto.AttributeType;
  const dim = [{ dimParam: 'N' }, { dimValue: 4 }];
  const bytes = onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: 'ai.onnx.ml', version: 1 }],
    graph: {
      name: 'g',
      input: [{ name: 'x', type: { tensorType: { elemType: 1, shape: { dim } } } }],
      node: [
        {
          opType: 'LinearRegressor',
          domain: 'ai.onnx.ml',
          input: ['x'],
          output: ['y'],
          attribute: [{ name: 'coefficients', type: FLOATS, floats: new Array<number>(12).fill(1) }],
        },
      ],
    },
  }).finish();
  const model = readModel(memorySource('test.onnx', bytes));
  const { total } = graphMacs(model, inferShapes(model, { bind: new Map(), openExternal }));
  assert.equal(printDim(total), '12*N');
});

const ocr = (file: string) => join('node_modules', '@gutenye', 'ocr-models', 'assets', file);

/** Whole models: the sum of their nodes, per symbol. */
const MODELS: readonly (readonly [path: string, sizes: readonly number[], macs: number])[] = [
  [join('media', 'sample', 'fashion-vgg.onnx'), [1, 1, 28, 28], 17_925_632],
  [ocr('ch_PP-OCRv4_rec_infer.onnx'), [1, 3, 48, 320], 702_469_440],
  [ocr('ch_PP-OCRv4_det_infer.onnx'), [1, 3, 640, 640], 2_301_935_744],
  [ocr('ch_ppocr_mobile_v2.0_cls_infer.onnx'), [1, 3, 48, 192], 16_315_376],
];

for (const [path, sizes, expected] of MODELS) {
  test(`${path.split(/[\\/]/).at(-1)} costs ${expected} multiply-accumulates`, () => {
    const source = openFile(path);
    const model = readModel(source);
    const input = model.graph.inputs[0]!;
    const bind = new Map(
      input.shape!.flatMap((d, i): [string, number][] =>
        typeof d === 'number' ? [] : [[d ?? `${input.name}[${i}]`, sizes[i]!]],
      ),
    );
    const { total, unknown } = graphMacs(model, inferShapes(model, { bind, openExternal }));
    source.close();
    assert.equal(total, expected);
    assert.deepEqual(unknown, []);
  });
}

test('a graph of six thousand nodes takes well under a second', () => {
  const nodes = Array.from({ length: 2000 }, (_, i) => [
    { op: 'MatMul', inputs: [i === 0 ? 'x' : `v${i - 1}`, 'w'], outputs: [`m${i}`] },
    { op: 'Add', inputs: [`m${i}`, 'x'], outputs: [`v${i}`] },
    { op: 'Shape', inputs: [`v${i}`], outputs: [`s${i}`] },
  ]).flat();
  const model = buildModel({ nodes, inputs: { x: ['N', 'N'], w: ['N', 'N'] } });
  const count = () => {
    const { unknown } = graphMacs(model, inferShapes(model, { bind: new Map(), openExternal }));
    assert.deepEqual(unknown, []);
  };
  assertQuick(count, 1000, 'counting');
});
