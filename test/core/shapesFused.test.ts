import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnx } from 'onnx-proto';
import * as ort from 'onnxruntime-web';
import { memorySource } from '../../src/core/onnx/byteSource';
import { nodeMacs } from '../../src/core/onnx/cost';
import { readModel } from '../../src/core/onnx/read';
import { type Dim, printDim } from '../../src/core/onnx/shapes/dim';
import { inferShapes } from '../../src/core/onnx/shapes/inferShapes';
import { askRuntime } from './shapeOracle';

const [FLOAT, UINT8, INT8, INT32, INT64, BOOL] = [1, 2, 3, 6, 7, 9];

type Sizes = readonly (number | string)[];

interface Input {
  readonly sizes: Sizes;
  readonly type?: number;
  /** A constant with these elements. */
  readonly values?: readonly number[];
}

interface Case {
  readonly op: string;
  /** A list of sizes is a float input; null an absent one. */
  readonly inputs: readonly (Sizes | Input | null)[];
  readonly attributes?: Readonly<Record<string, number | string | readonly number[]>>;
  readonly outputs: readonly string[];
  readonly macs: string;
  /** Sizes of the symbols for ONNX Runtime, where its build for Node and browsers has the operator. */
  readonly run?: Readonly<Record<string, number>>;
}

const int32 = (...values: number[]): Input => ({ sizes: [values.length], type: INT32, values });
const scalar = (type: number, value: number): Input => ({ sizes: [], type, values: [value] });
const bytes = (...sizes: Sizes): Input => ({ sizes, type: UINT8 });
/** Scale and zero point of a quantised tensor. */
const quantised = [scalar(FLOAT, 0.5), scalar(UINT8, 3)] as const;

const CASES: readonly Case[] = [
  {
    op: 'Attention',
    inputs: [['B', 'S', 32], [32, 80], [80]],
    attributes: { num_heads: 4, qkv_hidden_sizes: [32, 32, 16] },
    outputs: ['B, S, 16'],
    // The projection, then scores over 8 numbers and sums of 4 for each of 4 heads.
    macs: `48*B*S^2 + ${32 * 80}*B*S`,
    run: { B: 2, S: 3 },
  },
  {
    op: 'Attention',
    inputs: [['B', 'S', 32], [32, 96], [96], null, [2, 'B', 4, 'P', 8]],
    attributes: { num_heads: 4, unidirectional: 1 },
    outputs: ['B, S, 32', '2, B, 4, P + S, 8'],
    macs: `64*B*P*S + 64*B*S^2 + ${32 * 96}*B*S`,
    run: { B: 2, S: 3, P: 5 },
  },
  {
    op: 'QAttention',
    inputs: [
      bytes('B', 'S', 32),
      { sizes: [32, 96], type: UINT8, values: new Array<number>(32 * 96).fill(2) },
      { sizes: [96], values: new Array<number>(96).fill(0) },
      scalar(FLOAT, 0.5),
      scalar(FLOAT, 0.5),
      null,
      scalar(UINT8, 3),
      scalar(UINT8, 3),
    ],
    attributes: { num_heads: 4 },
    outputs: ['B, S, 32'],
    macs: `64*B*S^2 + ${32 * 96}*B*S`,
    run: { B: 2, S: 3 },
  },
  {
    op: 'MultiHeadAttention',
    inputs: [
      ['B', 'S', 32],
      ['B', 'L', 32],
      ['B', 'L', 48],
    ],
    attributes: { num_heads: 4 },
    outputs: ['B, S, 48'],
    // 4 heads: scores over 8 numbers, sums of 12.
    macs: '80*B*L*S',
    run: { B: 2, S: 3, L: 5 },
  },
  {
    op: 'MultiHeadAttention',
    inputs: [
      ['B', 'S', 32],
      ['B', 'S', 32],
      ['B', 'S', 32],
      null,
      null,
      null,
      ['B', 4, 'P', 8],
      ['B', 4, 'P', 8],
    ],
    attributes: { num_heads: 4 },
    outputs: ['B, S, 32', 'B, 4, P + S, 8', 'B, 4, P + S, 8'],
    macs: '64*B*P*S + 64*B*S^2',
    run: { B: 2, S: 3, P: 5 },
  },
  {
    op: 'MultiHeadAttention',
    inputs: [['B', 'S', 4, 3, 8]],
    attributes: { num_heads: 4 },
    outputs: ['B, S, 32'],
    macs: '64*B*S^2',
  },
  {
    op: 'MultiHeadAttention',
    inputs: [
      ['B', 'S', 32],
      ['B', 'L', 4, 2, 8],
    ],
    attributes: { num_heads: 4 },
    outputs: ['B, S, 32'],
    macs: '64*B*L*S',
  },
  {
    op: 'MultiHeadAttention',
    inputs: [
      ['B', 'S', 32],
      ['B', 4, 'L', 8],
      ['B', 4, 'L', 8],
    ],
    attributes: { num_heads: 4 },
    outputs: ['B, S, 32'],
    macs: '64*B*L*S',
    run: { B: 2, S: 3, L: 5 },
  },
  {
    op: 'GroupQueryAttention',
    inputs: [['B', 'S', 64], ['B', 'S', 16], ['B', 'S', 16], null, null, int32(2), scalar(INT32, 3)],
    attributes: { num_heads: 8, kv_num_heads: 2 },
    outputs: ['B, S, 64', 'B, 2, S, 8', 'B, 2, S, 8'],
    // 8 heads of 8 numbers, twice.
    macs: '128*B*S^2',
    run: { B: 1, S: 3 },
  },
  {
    op: 'GroupQueryAttention',
    inputs: [['B', 'S', 96], null, null, null, null, int32(2), scalar(INT32, 3)],
    attributes: { num_heads: 8, kv_num_heads: 2 },
    outputs: ['B, S, 64', 'B, 2, S, 8', 'B, 2, S, 8'],
    macs: '128*B*S^2',
    run: { B: 1, S: 3 },
  },
  {
    op: 'GroupQueryAttention',
    inputs: [
      ['B', 1, 64],
      ['B', 1, 16],
      ['B', 1, 16],
      ['B', 2, 5, 8],
      ['B', 2, 5, 8],
      int32(5),
      scalar(INT32, 6),
    ],
    attributes: { num_heads: 8, kv_num_heads: 2 },
    outputs: ['B, 1, 64', 'B, 2, 6, 8', 'B, 2, 6, 8'],
    macs: `${128 * 6}*B`,
    run: { B: 1 },
  },
  {
    // The cache has room for more than is in it.
    op: 'GroupQueryAttention',
    inputs: [
      ['B', 1, 64],
      ['B', 1, 16],
      ['B', 1, 16],
      ['B', 2, 20, 8],
      ['B', 2, 20, 8],
      int32(5),
      scalar(INT32, 6),
    ],
    attributes: { num_heads: 8, kv_num_heads: 2 },
    outputs: ['B, 1, 64', 'B, 2, 20, 8', 'B, 2, 20, 8'],
    macs: `${128 * 6}*B`,
    run: { B: 1 },
  },
  {
    op: 'GroupQueryAttention',
    inputs: [
      ['B', 1, 64],
      ['B', 1, 16],
      ['B', 1, 16],
      ['B', 2, 'P', 8],
      ['B', 2, 'P', 8],
      { sizes: ['B'], type: INT32 },
      { sizes: [], type: INT32 },
    ],
    attributes: { num_heads: 8, kv_num_heads: 2 },
    outputs: ['B, 1, 64', 'B, 2, ?, 8', 'B, 2, ?, 8'],
    macs: '?',
  },
  {
    op: 'PackedAttention',
    inputs: [[24, 32], [32, 80], [80], { sizes: [4, 6], type: INT32 }, { sizes: [5], type: INT32 }],
    attributes: { num_heads: 4, qkv_hidden_sizes: [32, 32, 16] },
    outputs: ['24, 16'],
    macs: `${24 * 32 * 80 + 24 * 6 * 48}`,
  },
  {
    op: 'PackedAttention',
    inputs: [['T', 32], [32, 96], [96], { sizes: [4, 6], type: INT32 }, { sizes: [5], type: INT32 }],
    attributes: { num_heads: 4 },
    outputs: ['T, 32'],
    macs: '?',
  },
  {
    op: 'PackedMultiHeadAttention',
    inputs: [[24, 4, 3, 8], null, null, null, { sizes: [4, 6], type: INT32 }, { sizes: [5], type: INT32 }],
    attributes: { num_heads: 4 },
    outputs: ['24, 32'],
    macs: `${24 * 6 * 64}`,
  },
  {
    op: 'MoE',
    inputs: [['B', 'S', 16], ['T', 4], [4, 24, 16], null, [4, 16, 24], null, [4, 24, 16]],
    attributes: { k: 2 },
    outputs: ['B, S, 16'],
    // Three matrices of 24 × 16, two experts.
    macs: `${3 * 24 * 16 * 2}*B*S`,
  },
  {
    op: 'QMoE',
    inputs: [['T', 16], ['T', 4], bytes(4, 24, 8), [4, 24], null, bytes(4, 16, 12), [4, 16]],
    attributes: { k: 2, expert_weight_bits: 4 },
    outputs: ['T, 16'],
    macs: `${2 * 24 * 16 * 2}*T`,
  },
  {
    op: 'MatMulNBitsMlp',
    inputs: [['B', 'S', 64], null, [64], bytes(96, 2, 16), [96, 2], null, bytes(96, 2, 16), [96, 2]],
    attributes: { K: 64, N: 96, block_size: 32, activation: 'silu' },
    outputs: ['B, S, 96'],
    macs: `${2 * 64 * 96}*B*S`,
  },
  {
    op: 'MatMulNBitsQkv',
    inputs: [['B', 'S', 64]],
    attributes: { K: 64, Nq: 64, Nkv: 16, block_size: 32 },
    outputs: ['B, S, 64', 'B, S, 16', 'B, S, 16'],
    macs: `${64 * 96}*B*S`,
  },
  {
    op: 'NhwcConv',
    inputs: [
      ['N', 'H', 10, 8],
      [6, 4, 3, 3],
    ],
    attributes: { group: 2, pads: [1, 1, 1, 1], strides: [2, 2] },
    outputs: ['N, floor((H + 1)/2), 5, 6'],
    macs: `${5 * 6 * 4 * 9}*N*floor((H + 1)/2)`,
  },
  {
    op: 'NhwcMaxPool',
    inputs: [bytes('N', 'H', 9, 8)],
    attributes: { kernel_shape: [3, 3], strides: [2, 2] },
    outputs: ['N, floor((H + 1)/2) - 1, 4, 8'],
    macs: '0',
    run: { N: 2, H: 7 },
  },
  {
    op: 'QLinearAveragePool',
    inputs: [bytes('N', 8, 'H', 9), ...quantised, ...quantised],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1, pads: [1, 1, 0, 0] },
    outputs: ['N, 8, floor((H + 1)/2), 5'],
    macs: '0',
    run: { N: 2, H: 8 },
  },
  {
    op: 'QLinearAveragePool',
    inputs: [bytes('N', 'H', 9, 8), ...quantised, ...quantised],
    attributes: { kernel_shape: [3, 3], channels_last: 1 },
    outputs: ['N, H - 2, 7, 8'],
    macs: '0',
    run: { N: 2, H: 8 },
  },
  {
    op: 'QLinearGlobalAveragePool',
    inputs: [bytes('N', 'H', 9, 8), ...quantised, ...quantised],
    attributes: { channels_last: 1 },
    outputs: ['N, 1, 1, 8'],
    macs: '0',
    run: { N: 2, H: 8 },
  },
  {
    op: 'QLinearConv',
    inputs: [
      bytes('N', 'H', 9, 4),
      ...quantised,
      { sizes: [6, 4, 3, 3], type: UINT8, values: new Array<number>(216).fill(2) },
      ...quantised,
      ...quantised,
    ],
    attributes: { channels_last: 1 },
    outputs: ['N, H - 2, 7, 6'],
    macs: `${7 * 6 * 36}*H*N - ${2 * 7 * 6 * 36}*N`,
    run: { N: 2, H: 8 },
  },
  {
    op: 'DynamicQuantizeLSTM',
    inputs: [
      ['T', 'B', 5],
      { sizes: [1, 5, 12], type: INT8, values: new Array<number>(60).fill(1) },
      { sizes: [1, 3, 12], type: INT8, values: new Array<number>(36).fill(1) },
      null,
      null,
      null,
      null,
      null,
      { sizes: [1], values: [0.1] },
      { sizes: [1], type: INT8, values: [0] },
      { sizes: [1], values: [0.1] },
      { sizes: [1], type: INT8, values: [0] },
    ],
    attributes: { hidden_size: 3 },
    outputs: ['T, 1, B, 3', '1, B, 3', '1, B, 3'],
    macs: `${4 * 3 * 8}*B*T`,
    run: { T: 4, B: 2 },
  },
  {
    op: 'GatherBlockQuantized',
    inputs: [
      { sizes: [50, 16], type: UINT8, values: new Array<number>(800).fill(1) },
      { sizes: [3], type: INT32, values: [4, 5, 6] },
      { sizes: [50, 1], values: new Array<number>(50).fill(1) },
    ],
    attributes: { bits: 4, block_size: 32, gather_axis: 0, quantize_axis: 1 },
    outputs: ['3, 32'],
    macs: '0',
  },
  {
    op: 'QLinearReduceMean',
    inputs: [bytes('N', 4, 6), ...quantised, ...quantised],
    attributes: { axes: [1], keepdims: 0 },
    outputs: ['N, 6'],
    macs: '0',
  },
  {
    op: 'Pad',
    inputs: [['N', 4], { sizes: [4], type: INT64, values: [0, 1, 1, 2] }],
    attributes: { mode: 'constant' },
    outputs: ['N + 1, 7'],
    macs: '0',
    run: { N: 2 },
  },
  {
    op: 'QLinearWhere',
    inputs: [
      { sizes: [4, 1], type: BOOL, values: [1, 0, 1, 0] },
      bytes('N', 1, 6),
      ...quantised,
      bytes('N', 4, 1),
      ...quantised,
      ...quantised,
    ],
    outputs: ['N, 4, 6'],
    macs: '0',
    run: { N: 2 },
  },
  {
    op: 'PagedAttention',
    inputs: [['T', 96]],
    attributes: { num_heads: 8, kv_num_heads: 2 },
    outputs: ['T, 64'],
    macs: '?',
  },
];

function attributeOf(name: string, value: number | string | readonly number[]): onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if (typeof value === 'string')
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  return { name, type: AttributeType.INTS, ints: [...value] };
}

const isInput = (input: Sizes | Input): input is Input => 'sizes' in input;

function encode(c: Case): Uint8Array {
  const graph = { name: 'g', node: [] as onnx.INodeProto[], input: [], initializer: [], output: [] };
  const input: onnx.IValueInfoProto[] = [];
  const initializer: onnx.ITensorProto[] = [];
  const names = c.inputs.map((given, i) => {
    if (given === null) return '';
    const { sizes, type = FLOAT, values } = isInput(given) ? given : { sizes: given };
    const name = `x${i}`;
    if (values) {
      const list = [...values];
      const field =
        type === FLOAT ? { floatData: list } : type === INT64 ? { int64Data: list } : { int32Data: list };
      initializer.push({ name, dims: sizes.map(Number), dataType: type, ...field });
    } else {
      const dim = sizes.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d }));
      input.push({ name, type: { tensorType: { elemType: type, shape: { dim } } } });
    }
    return name;
  });
  const output = c.outputs.map((_, i) => `y${i}`);
  const attribute = Object.entries(c.attributes ?? {}).map(([name, value]) => attributeOf(name, value));
  const node = [{ opType: c.op, domain: 'com.microsoft', name: 'n', input: names, output, attribute }];
  return onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [
      { domain: '', version: 17 },
      { domain: 'com.microsoft', version: 1 },
    ],
    graph: { ...graph, node, input, initializer },
  }).finish();
}

function feed(sizes: Sizes, type: number, symbols: Readonly<Record<string, number>>): ort.Tensor {
  const dims = sizes.map((d) => (typeof d === 'number' ? d : symbols[d]!));
  const count = dims.reduce((p, d) => p * d, 1);
  return type === UINT8
    ? new ort.Tensor('uint8', new Uint8Array(count).fill(7), dims)
    : new ort.Tensor('float32', new Float32Array(count).fill(0.25), dims);
}

for (const [i, c] of CASES.entries()) {
  const label = `${i}: com.microsoft ${c.op} makes ${c.outputs.join(' and ')} at ${c.macs}`;
  test(`${label}${c.run ? ', as ONNX Runtime does' : ''}`, async () => {
    const file = encode(c);
    const model = readModel(memorySource('test.onnx', file));
    const openExternal = () => assert.fail('no external file was expected');
    const shapes = inferShapes(model, { bind: new Map(), openExternal });
    const print = (dims: readonly Dim[] | null | undefined) => dims?.map(printDim).join(', ');
    assert.deepEqual(
      c.outputs.map((_, k) => print(shapes.get(`y${k}`)?.shape)),
      c.outputs,
    );
    assert.equal(printDim(nodeMacs(model.graph.nodes[0]!, shapes)), c.macs);
    if (!c.run) return;
    const feeds: Record<string, ort.Tensor> = {};
    for (const [k, given] of c.inputs.entries()) {
      if (given === null || (isInput(given) && given.values)) continue;
      const { sizes, type = FLOAT } = isInput(given) ? given : { sizes: given };
      feeds[`x${k}`] = feed(sizes, type, c.run);
    }
    const report = await askRuntime(file, feeds, new Map(Object.entries(c.run)));
    assert.equal(report.compared, c.outputs.length);
    assert.deepEqual(report.wrong, []);
    assert.deepEqual(report.unknown, []);
  });
}
