import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { onnx } from 'onnx-proto';
import { type AttributeSpec, encodeModel, floatTensor, type NodeSpec } from '../support/onnxModel';
import { askRuntime, floatInput } from './shapeOracle';

/** A node on float inputs `x`, `y`, `z` of these sizes and on constants. */
interface OpCase {
  readonly op: string;
  readonly sizes: readonly (readonly number[])[];
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
  /** Inputs after `x`, `y`, `z`: lists of int64, scalars, floats, or absent ones. */
  readonly constants?: readonly (
    | readonly number[]
    | number
    | { readonly floats: readonly number[] }
    | null
  )[];
  readonly outputs?: number;
  readonly opset?: number;
  /** Sizes that depend on the elements: nothing more than the order can be known. */
  readonly dataDependent?: boolean;
}

function int64(name: string, value: readonly number[] | number): onnx.ITensorProto {
  const list = typeof value === 'number' ? [value] : value;
  const rawData = new Uint8Array(BigInt64Array.from(list.map(BigInt)).buffer);
  return { name, dims: typeof value === 'number' ? [] : [list.length], dataType: 7, rawData };
}

const conv = (sizes: OpCase['sizes'], attributes: OpCase['attributes'] = {}): OpCase => ({
  op: 'Conv',
  sizes,
  attributes,
});
const pool = (
  op: string,
  size: readonly number[],
  attributes: NonNullable<OpCase['attributes']>,
  opset = 17,
): OpCase => ({
  op,
  sizes: [size],
  attributes,
  opset,
});
const slice = (size: readonly number[], ...constants: (readonly number[])[]): OpCase => ({
  op: 'Slice',
  sizes: [size],
  constants,
});
const reshape = (size: readonly number[], target: readonly number[], allowzero = 0): OpCase => ({
  op: 'Reshape',
  sizes: [size],
  constants: [target],
  attributes: { allowzero },
});
const floats = (...list: number[]) => ({ floats: list });

const CASES: readonly OpCase[] = [
  conv(
    [
      [2, 3, 15, 17],
      [8, 3, 3, 3],
    ],
    { pads: [1, 0, 2, 1], strides: [2, 3], dilations: [2, 1] },
  ),
  conv(
    [
      [1, 4, 9],
      [6, 2, 4],
    ],
    { group: 2 },
  ),
  conv(
    [
      [1, 3, 15, 16],
      [5, 3, 4, 3],
    ],
    { auto_pad: 'SAME_UPPER', strides: [2, 3] },
  ),
  conv(
    [
      [1, 3, 15, 16],
      [5, 3, 4, 3],
    ],
    { auto_pad: 'SAME_LOWER', strides: [1, 1] },
  ),
  conv(
    [
      [1, 3, 15, 16],
      [5, 3, 4, 3],
    ],
    { auto_pad: 'VALID', strides: [2, 2] },
  ),
  conv(
    [
      [1, 2, 5, 6, 7],
      [3, 2, 2, 2, 3],
    ],
    { strides: [1, 2, 2] },
  ),
  {
    op: 'ConvTranspose',
    sizes: [
      [1, 4, 5, 6],
      [4, 3, 3, 3],
    ],
    attributes: { strides: [2, 3], pads: [1, 0, 1, 2], output_padding: [1, 0] },
  },
  {
    op: 'ConvTranspose',
    sizes: [
      [1, 4, 5, 6],
      [4, 3, 3, 3],
    ],
    attributes: { group: 2, dilations: [2, 1] },
  },
  {
    op: 'ConvTranspose',
    sizes: [
      [1, 4, 5, 6],
      [4, 3, 3, 3],
    ],
    attributes: { strides: [2, 2], auto_pad: 'SAME_UPPER' },
  },
  {
    op: 'ConvTranspose',
    sizes: [
      [1, 4, 5, 6],
      [4, 3, 3, 3],
    ],
    attributes: { strides: [2, 2], output_shape: [11, 13] },
  },
  ...[14, 15, 16, 17, 18].flatMap((n) => [
    pool('MaxPool', [1, 2, n, n], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
    pool('MaxPool', [1, 2, n, n], {
      kernel_shape: [2, 2],
      strides: [3, 3],
      pads: [1, 1, 1, 1],
      ceil_mode: 1,
    }),
    pool('MaxPool', [1, 2, n, n], { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 1] }),
    pool('AveragePool', [1, 2, n, n], { kernel_shape: [2, 2], strides: [2, 2], auto_pad: 'SAME_UPPER' }),
    pool('AveragePool', [1, 2, n], { kernel_shape: [4], strides: [4], pads: [2, 2], ceil_mode: 1 }, 19),
  ]),
  pool('MaxPool', [1, 2, 20, 20], { kernel_shape: [3, 3], dilations: [3, 2], strides: [2, 2], ceil_mode: 1 }),
  pool('LpPool', [1, 2, 9, 9], { kernel_shape: [3, 3], strides: [2, 2] }),
  pool('GlobalAveragePool', [2, 3, 4, 5], {}),
  { op: 'MatMul', sizes: [[5], [5]] },
  { op: 'MatMul', sizes: [[5], [3, 5, 2]] },
  {
    op: 'MatMul',
    sizes: [
      [2, 1, 4, 5],
      [3, 5, 2],
    ],
  },
  { op: 'MatMul', sizes: [[4, 5], [5]] },
  {
    op: 'Gemm',
    sizes: [
      [5, 4],
      [3, 5],
    ],
    attributes: { transA: 1, transB: 1 },
  },
  {
    op: 'Einsum',
    sizes: [
      [2, 3, 4],
      [2, 4, 5],
    ],
    attributes: { equation: 'bij, bjk -> bik' },
  },
  {
    op: 'Einsum',
    sizes: [
      [2, 3, 4],
      [4, 5],
    ],
    attributes: { equation: '...j,jk->...k' },
  },
  {
    op: 'Einsum',
    sizes: [
      [3, 4],
      [4, 5],
    ],
    attributes: { equation: 'ij,jk' },
  },
  { op: 'Einsum', sizes: [[3, 3]], attributes: { equation: 'ii->' } },
  {
    op: 'Add',
    sizes: [
      [2, 1, 4],
      [3, 1],
    ],
  },
  {
    op: 'PRelu',
    sizes: [
      [2, 3, 4],
      [3, 1],
    ],
  },
  { op: 'ReduceMean', sizes: [[2, 3, 4]], attributes: { axes: [-1, 0], keepdims: 0 } },
  { op: 'ReduceSum', sizes: [[2, 3, 4]], constants: [[1]] },
  { op: 'ReduceMax', sizes: [[2, 3, 4]], attributes: { keepdims: 0 } },
  { op: 'ArgMax', sizes: [[2, 3, 4]], attributes: { axis: -2, keepdims: 0 } },
  slice([10, 11], [1, -5], [7, 100], [0, 1], [2, 3]),
  slice([10, 11], [-1], [-100], [1], [-2]),
  slice([10, 11], [8], [2], [0], [-3]),
  slice([10, 11], [100], [200], [0]),
  slice([10, 11], [-200, 3], [-3, -1]),
  reshape([2, 3, 4], [0, -1]),
  reshape([2, 3, 4], [-1]),
  reshape([2, 3, 4], [6, 4]),
  reshape([2, 12, 5], [0, 3, -1, 5]),
  { op: 'Transpose', sizes: [[2, 3, 4]], attributes: { perm: [2, 0, 1] } },
  { op: 'Transpose', sizes: [[2, 3, 4]] },
  { op: 'Squeeze', sizes: [[1, 3, 1]], constants: [[-1]] },
  { op: 'Unsqueeze', sizes: [[3, 4]], constants: [[0, -1]] },
  { op: 'Flatten', sizes: [[2, 3, 4]], attributes: { axis: -1 } },
  { op: 'Flatten', sizes: [[2, 3, 4]], attributes: { axis: 0 } },
  { op: 'Expand', sizes: [[3, 1]], constants: [[2, 1, 6]] },
  { op: 'Tile', sizes: [[2, 3]], constants: [[2, 3]] },
  {
    op: 'Concat',
    sizes: [
      [2, 3],
      [2, 5],
    ],
    attributes: { axis: -1 },
  },
  { op: 'Split', sizes: [[7, 2]], attributes: { num_outputs: 3 }, outputs: 3, opset: 18 },
  { op: 'Split', sizes: [[6, 2]], outputs: 3 },
  { op: 'Split', sizes: [[7, 2]], constants: [[3, 4]], outputs: 2 },
  { op: 'DepthToSpace', sizes: [[1, 8, 2, 3]], attributes: { blocksize: 2 } },
  { op: 'SpaceToDepth', sizes: [[1, 2, 4, 6]], attributes: { blocksize: 2 } },
  { op: 'Gather', sizes: [[4, 5, 6]], constants: [[0, 2]], attributes: { axis: 1 } },
  { op: 'Gather', sizes: [[4, 5, 6]], constants: [-1], attributes: { axis: -1 } },
  { op: 'GatherElements', sizes: [[4]], constants: [[0, 2, 1]] },
  { op: 'GatherND', sizes: [[4, 5]], constants: [[1]] },
  { op: 'Pad', sizes: [[4, 5]], constants: [[1, 2, 3, -1]] },
  { op: 'Pad', sizes: [[4, 5]], constants: [[1, 2], null, [-1]], opset: 18 },
  { op: 'TopK', sizes: [[4, 5]], constants: [[3]], outputs: 2 },
  { op: 'NonZero', sizes: [[4, 5]], dataDependent: true },
  // In double precision, 0.7 · 10 would be a little less than 7.
  { op: 'Resize', sizes: [[1, 1, 10, 9]], constants: [floats(), floats(1, 1, 0.7, 1 / 3)] },
  {
    op: 'Resize',
    sizes: [[1, 2, 5, 6]],
    constants: [floats(), floats(1, 1, 2.5, 0.6)],
    attributes: { mode: 'nearest' },
  },
  { op: 'Resize', sizes: [[1, 2, 5, 6]], constants: [floats(), floats(), [1, 2, 7, 9]] },
  {
    op: 'Resize',
    sizes: [[1, 2, 5, 6]],
    constants: [null, floats(2, 0.5)],
    attributes: { axes: [2, 3] },
    opset: 18,
  },
  {
    op: 'Resize',
    sizes: [[1, 2, 5, 6]],
    constants: [null, null, [8, 9]],
    attributes: { axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' },
    opset: 18,
  },
  {
    op: 'Resize',
    sizes: [[1, 2, 5, 6]],
    constants: [null, null, [8, 9]],
    attributes: { axes: [2, 3], keep_aspect_ratio_policy: 'not_smaller' },
    opset: 18,
  },
  { op: 'Upsample', sizes: [[1, 2, 5, 6]], constants: [floats(1, 1, 2, 3)], opset: 9 },
  {
    op: 'GridSample',
    sizes: [
      [1, 2, 5, 6],
      [1, 3, 4, 2],
    ],
  },
  {
    op: 'LSTM',
    sizes: [
      [5, 2, 3],
      [2, 16, 3],
      [2, 16, 4],
    ],
    attributes: { direction: 'bidirectional', hidden_size: 4 },
    outputs: 3,
  },
  {
    op: 'GRU',
    sizes: [
      [5, 2, 3],
      [1, 12, 3],
      [1, 12, 4],
    ],
    attributes: { hidden_size: 4 },
    outputs: 2,
  },
  {
    op: 'RNN',
    sizes: [
      [5, 2, 3],
      [1, 4, 3],
      [1, 4, 4],
    ],
    attributes: { hidden_size: 4 },
    outputs: 2,
  },
  { op: 'LayerNormalization', sizes: [[2, 3, 4], [4]], outputs: 1 },
  { op: 'STFT', sizes: [[2, 20, 1]], constants: [4, null, 8] },
  { op: 'DFT', sizes: [[2, 20, 1]], attributes: { onesided: 1 } },
  { op: 'DFT', sizes: [[2, 20, 1]], constants: [8] },
  { op: 'Shape', sizes: [[2, 3, 4]], attributes: { start: -2 } },
  { op: 'Size', sizes: [[2, 3, 4]] },
  {
    op: 'Einsum',
    sizes: [
      [2, 3],
      [3, 4],
      [4, 5],
    ],
    attributes: { equation: 'ab,bc,cd->ad' },
  },
  { op: 'CumSum', sizes: [[2, 3]], constants: [0] },
  { op: 'OneHot', sizes: [], constants: [[0, 2, 1], 4, floats(0, 1)], attributes: { axis: 0 } },
  {
    op: 'SoftmaxCrossEntropyLoss',
    sizes: [[3, 5]],
    constants: [[0, 2, 1]],
    attributes: { reduction: 'none' },
    outputs: 2,
  },
];

const NAMES = ['x', 'y', 'z'];

for (const [i, c] of CASES.entries()) {
  const label = `${c.op} ${JSON.stringify(c.sizes)} ${JSON.stringify({ ...c.attributes, constants: c.constants })}`;
  test(`${i}: ${label} has the shape that ONNX Runtime finds`, async () => {
    const initializers: onnx.ITensorProto[] = [];
    const inputs = c.sizes.map((_, k) => NAMES[k]!);
    for (const [k, value] of (c.constants ?? []).entries()) {
      inputs.push(value === null ? '' : `c${k}`);
      if (value === null) continue;
      const isFloat = typeof value === 'object' && 'floats' in value;
      initializers.push(
        isFloat ? floatTensor(`c${k}`, [value.floats.length], value.floats) : int64(`c${k}`, value),
      );
    }
    const node: NodeSpec = {
      op: c.op,
      inputs,
      outputs: Array.from({ length: c.outputs ?? 1 }, (_, k) => `o${k}`),
      ...(c.attributes ? { attributes: c.attributes } : {}),
    };
    const bind = new Map<string, number>();
    const declared: Record<string, (string | number)[]> = {};
    const feeds: Record<string, ReturnType<typeof floatInput>> = {};
    for (const [k, sizes] of c.sizes.entries()) {
      feeds[NAMES[k]!] = floatInput(sizes);
      // Every dimension of the first input is a symbol, those of weights are numbers.
      declared[NAMES[k]!] = sizes.map((size, axis) => {
        if (k > 0) return size;
        bind.set(`d${axis}`, size);
        return `d${axis}`;
      });
    }
    // A model without inputs is none to ONNX Runtime.
    if (c.sizes.length === 0) {
      declared.unused = [1];
      feeds.unused = floatInput([1]);
    }
    const bytes = encodeModel({ nodes: [node], inputs: declared, initializers, opset: c.opset ?? 17 });
    const report = await askRuntime(bytes, feeds, bind);
    assert.ok(report.compared > 0);
    assert.deepEqual(report.wrong, []);
    if (!c.dataDependent) assert.deepEqual(report.unknown, []);
  });
}
