import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { onnx } from 'onnx-proto';
import { memorySource } from '../../src/core/onnx/byteSource';
import { addGradients } from '../../src/core/onnx/gradient/gradients';
import { createNodeBuilder } from '../../src/core/onnx/gradient/nodeBuilder';
import { spliceParts } from '../../src/core/onnx/gradient/spliceParts';
import { readModel } from '../../src/core/onnx/read';
import { inferShapes } from '../../src/core/onnx/shapes/inferShapes';
import { loadRuntime, type RuntimeTensor } from '../../src/worker/runtime';
import {
  type AttributeSpec,
  encodeModel,
  floatTensor,
  int64Tensor,
  joinSegments,
  type NodeSpec,
  seededArray,
} from '../support/onnxModel';

/** Derivatives of every operator with a rule, against differences of what ONNX Runtime gives for small steps. */

const runtime = loadRuntime(path.resolve('dist'));

interface Case {
  readonly name: string;
  /** From `t` to `y`. */
  readonly nodes: readonly NodeSpec[];
  readonly dims: readonly number[];
  readonly constants?: readonly onnx.ITensorProto[];
  readonly opsets?: readonly number[];
  /** Inputs are above 0: for logarithms and roots. */
  readonly isPositive?: boolean;
}

type Attributes = Readonly<Record<string, AttributeSpec>>;

const float = (value: number) => ({ float: value });
const random = (name: string, dims: readonly number[], seed: number) =>
  floatTensor(
    name,
    dims,
    seededArray(
      dims.reduce((a, b) => a * b, 1),
      seed,
    ),
  );

/** One node with `t` as its first input. */
function single(
  op: string,
  dims: readonly number[],
  attributes: Attributes = {},
  constants: readonly onnx.ITensorProto[] = [],
  more: Partial<Case> = {},
): Case {
  const inputs = ['t', ...constants.map(({ name }) => name!)];
  const detail = Object.entries(attributes).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return {
    name: [op, ...detail].join(', '),
    nodes: [{ op, inputs, outputs: ['y'], attributes }],
    dims,
    constants,
    ...more,
  };
}

const IMAGE = [2, 4, 7, 6];
const conv = (attributes: Attributes, weight: readonly number[] = [6, 4, 3, 3]) =>
  single('Conv', IMAGE, attributes, [random('w', weight, 3), random('b', [weight[0]!], 4)]);
const transposed = (attributes: Attributes) =>
  single('ConvTranspose', IMAGE, attributes, [random('w', [4, 3, 3, 3], 3)]);
const pool = (op: string, attributes: Attributes, opsets = [9, 12, 17]) =>
  single(op, IMAGE, attributes, [], { opsets });

const CASES: readonly Case[] = [
  ...[
    'Identity',
    'Neg',
    'Relu',
    'Sigmoid',
    'Tanh',
    'Softplus',
    'Exp',
    'Abs',
    'Sin',
    'Cos',
    'Erf',
    'Dropout',
  ].map((op) => single(op, [3, 5], {}, [], { opsets: [9, 13, 17] })),
  ...['Log', 'Sqrt', 'Reciprocal'].map((op) => single(op, [3, 5], {}, [], { isPositive: true })),
  single('LeakyRelu', [3, 5], { alpha: float(0.2) }),
  single('Elu', [3, 5], { alpha: float(0.7) }),
  single('HardSigmoid', [3, 5], { alpha: float(0.9) }),
  single('HardSwish', [3, 5]),
  single('Gelu', [3, 5], {}, [], { opsets: [20] }),
  single('PRelu', [2, 3, 4], {}, [random('s', [3, 1], 3)]),
  single('Clip', [3, 5], {}, [floatTensor('low', [], [-0.4]), floatTensor('high', [], [0.5])]),
  single('Pow', [3, 5], {}, [floatTensor('e', [], [2])]),
  single('Cast', [3, 5], { to: 1 }),
  ...['Add', 'Sub', 'Mul', 'Div'].flatMap((op) => [
    single(op, [3, 5], {}, [random('c', [5], 3)]),
    single(op, [1, 5], {}, [random('c', [4, 2, 3, 1], 3)]),
    {
      name: `${op} of both`,
      nodes: [
        { op: 'Exp', inputs: ['t'], outputs: ['u'] },
        { op: 'ReduceMean', inputs: ['t'], outputs: ['v'], attributes: { axes: [0], keepdims: 0 } },
        { op, inputs: ['v', 'u'], outputs: ['y'] },
      ],
      dims: [3, 5],
    },
  ]),
  {
    name: 'Sum, a tensor used three times',
    nodes: [
      { op: 'Tanh', inputs: ['t'], outputs: ['u'] },
      { op: 'Sum', inputs: ['u', 't', 'u'], outputs: ['y'] },
    ],
    dims: [3, 5],
  },
  {
    name: 'Where',
    nodes: [
      { op: 'Greater', inputs: ['c', 'z'], outputs: ['k'] },
      { op: 'Exp', inputs: ['t'], outputs: ['u'] },
      { op: 'Where', inputs: ['k', 't', 'u'], outputs: ['y'] },
    ],
    dims: [3, 5],
    constants: [random('c', [4, 3, 5], 3), floatTensor('z', [], [0])],
  },
  single('MatMul', [2, 3, 5], {}, [random('b', [5, 4], 3)]),
  single('MatMul', [3, 5], {}, [random('b', [2, 5, 4], 3)]),
  {
    name: 'MatMul of both',
    nodes: [
      { op: 'Transpose', inputs: ['t'], outputs: ['u'], attributes: { perm: [0, 2, 1] } },
      { op: 'MatMul', inputs: ['t', 'u'], outputs: ['y'] },
    ],
    dims: [2, 3, 5],
  },
  single('Gemm', [3, 5], { alpha: float(0.5), beta: float(2) }, [
    random('b', [5, 4], 3),
    random('c', [4], 4),
  ]),
  single('Gemm', [5, 3], { transA: 1, transB: 1 }, [random('b', [4, 5], 3), random('c', [3, 1], 4)]),
  {
    name: 'Gemm of all',
    nodes: [{ op: 'Gemm', inputs: ['t', 't', 't'], outputs: ['y'], attributes: { transA: 1 } }],
    dims: [4, 4],
  },
  conv({}),
  conv({ pads: [1, 0, 2, 1], strides: [2, 3] }),
  conv({ dilations: [2, 1], pads: [2, 1, 0, 1] }),
  conv({ group: 2, pads: [1, 1, 1, 1] }, [6, 2, 3, 3]),
  conv({ auto_pad: 'SAME_UPPER', strides: [2, 2] }),
  conv({ auto_pad: 'SAME_LOWER', strides: [2, 2] }, [6, 4, 2, 3]),
  conv({ auto_pad: 'VALID', strides: [3, 2] }),
  single('Conv', [2, 4, 9], { strides: [2] }, [random('w', [3, 4, 4], 3)]),
  transposed({}),
  transposed({ strides: [2, 3], pads: [1, 0, 0, 2], output_padding: [1, 2] }),
  pool('MaxPool', { kernel_shape: [2, 2], strides: [2, 2] }),
  pool('MaxPool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  pool('MaxPool', { kernel_shape: [3, 2] }),
  pool('MaxPool', { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }, [10, 17]),
  pool('AveragePool', { kernel_shape: [2, 2], strides: [2, 2] }),
  pool('AveragePool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 1] }),
  pool('AveragePool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  pool('MaxPool', { kernel_shape: [5, 3], strides: [2, 1], pads: [2, 1, 2, 1] }),
  pool('AveragePool', { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }),
  pool('GlobalAveragePool', {}),
  pool('GlobalMaxPool', {}),
  single('ReduceMean', IMAGE, { axes: [2, -1], keepdims: 0 }),
  single('ReduceMean', IMAGE, { keepdims: 1 }),
  single('ReduceSum', IMAGE, { axes: [1], keepdims: 0 }, [], { opsets: [9, 11] }),
  single('ReduceSum', IMAGE, { keepdims: 0 }, [int64Tensor('axes', [2], [1, 3])], { opsets: [13, 17] }),
  single('Reshape', [2, 6], {}, [int64Tensor('size', [2], [4, -1])]),
  single('Flatten', IMAGE),
  single('Transpose', [2, 3, 4], { perm: [2, 0, 1] }),
  single('Transpose', [2, 3, 4]),
  single('Squeeze', [2, 1, 4], {}, [int64Tensor('axes', [1], [1])]),
  single('Unsqueeze', [2, 4], { axes: [1] }, [], { opsets: [9, 11] }),
  single('Expand', [3, 1], {}, [int64Tensor('size', [3], [2, 3, 4])]),
  single('Slice', [4, 6], {}, [
    int64Tensor('starts', [2], [1, -4]),
    int64Tensor('ends', [2], [2 ** 31, -1]),
    int64Tensor('axes', [2], [0, 1]),
  ]),
  single('Slice', [4, 6], { starts: [1], ends: [3], axes: [1] }, [], { opsets: [9] }),
  single('Gather', [3, 4, 2], { axis: 1 }, [int64Tensor('i', [], [-2])]),
  single('Pad', [3, 4], {}, [int64Tensor('pads', [4], [1, 0, 2, 3])]),
  single('Pad', [3, 4], { pads: [1, 0, 2, 3] }, [], { opsets: [9] }),
  {
    name: 'Concat',
    nodes: [
      { op: 'Exp', inputs: ['t'], outputs: ['u'] },
      { op: 'Concat', inputs: ['u', 'c', 't'], outputs: ['y'], attributes: { axis: -2 } },
    ],
    dims: [2, 3, 4],
    constants: [random('c', [2, 5, 4], 3)],
    opsets: [9, 10, 17],
  },
  {
    name: 'Split, of which a part is used',
    nodes: [
      {
        op: 'Split',
        inputs: ['t'],
        outputs: ['a', 'b', 'c'],
        attributes: { axis: 1, split: [1, 3, 2] },
      },
      { op: 'Exp', inputs: ['b'], outputs: ['y'] },
    ],
    dims: [2, 6],
    opsets: [11],
  },
  single('BatchNormalization', IMAGE, {}, [
    random('scale', [4], 3),
    random('shift', [4], 4),
    random('mean', [4], 5),
    floatTensor('variance', [4], [0.5, 1, 2, 3]),
  ]),
  single('LayerNormalization', [3, 4, 5], { epsilon: float(1e-3) }, [random('scale', [5], 3)], {
    opsets: [17],
  }),
  single('Softmax', [3, 5], {}, [], { opsets: [9, 13] }),
  single('Softmax', [3, 4, 5], { axis: 1 }, [], { opsets: [9, 13] }),
  single('LogSoftmax', [3, 4, 5], { axis: -1 }, [], { opsets: [11, 17] }),
];

const count = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);
const tensorOf = (dims: readonly number[], data: ArrayLike<number>): RuntimeTensor => ({
  type: 'float32',
  dims,
  data: Float32Array.from(data),
});

/** What a model gives for its inputs. */
async function run(bytes: Uint8Array, inputs: Readonly<Record<string, RuntimeTensor>>) {
  const session = await runtime.open('gradient.onnx', [], bytes);
  try {
    const [output] = (await session.run(new Map(Object.entries(inputs)))).values();
    return { dims: output!.dims, data: Float64Array.from(output!.data as Float32Array) };
  } finally {
    await session.release();
  }
}

function specOf({ nodes, dims, constants = [] }: Case, opset: number) {
  return {
    opset,
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['t'] }, ...nodes],
    inputs: { x: dims },
    outputs: { y: null },
    initializers: constants,
  };
}

/** The model that gives ∂(seed · y)/∂t; undefined where no rule knows. */
function gradientModel(bytes: Uint8Array, wanted = 't') {
  const model = readModel(memorySource('test.onnx', bytes));
  const shapes = inferShapes(model, {
    bind: new Map(),
    openExternal: () => assert.fail('there are no data files'),
  });
  const build = createNodeBuilder(model);
  const size = shapes.get('y')!.shape as readonly number[];
  const seed = build.input('seed', size);
  const name = addGradients(model, shapes, build, { seeds: new Map([['y', seed]]), wanted: [wanted] }).get(
    wanted,
  );
  if (name === undefined) return undefined;
  return { bytes: joinSegments(spliceParts(model, build, [{ name, type: 1 }])), seed };
}

describe('derivatives, against small steps', () => {
  for (const each of CASES)
    for (const opset of each.opsets ?? [17])
      it(`${each.name}, of ${each.dims.join(' × ')}, operator set ${opset}`, async () => {
        const { dims } = each;
        const bytes = encodeModel(specOf(each, opset));
        const derived = gradientModel(bytes);
        assert.ok(derived, 'no rule knows it');
        const x = seededArray(count(dims), 7).map((value) =>
          each.isPositive ? Math.abs(value) + 0.3 : value,
        );
        const y = await run(bytes, { x: tensorOf(dims, x) });
        const seed = seededArray(y.data.length, 8);
        const gradient = await run(derived.bytes, {
          x: tensorOf(dims, x),
          [derived.seed]: tensorOf(y.dims, seed),
        });
        assert.deepEqual(gradient.dims, dims);
        const step = 2e-3;
        for (const number of [11, 12, 13]) {
          const along = seededArray(count(dims), number);
          const [more, less] = await Promise.all(
            [step, -step].map((by) =>
              run(bytes, {
                x: tensorOf(
                  dims,
                  Float64Array.from(x, (value, i) => value + by * along[i]!),
                ),
              }),
            ),
          );
          const difference = dot(
            seed,
            more!.data.map((value, i) => (value - less!.data[i]!) / (2 * step)),
          );
          const size = Math.sqrt(dot(gradient.data, gradient.data) * dot(along, along));
          const found = dot(gradient.data, along);
          assert.ok(Math.abs(found - difference) < 5e-3 * size, `${found}, not ${difference} (size ${size})`);
        }
      });
});

describe('where derivatives end', () => {
  const chain = (op: string, attributes: Attributes = {}) =>
    encodeModel({
      nodes: [
        { op: 'Identity', inputs: ['x'], outputs: ['t'] },
        { op, inputs: ['t'], outputs: ['u'], attributes },
        { op: 'Tanh', inputs: ['u'], outputs: ['y'] },
      ],
      inputs: { x: [2, 4, 6, 6] },
      outputs: { y: null },
    });

  it('an operator without a rule hides what stands in front of it, and nothing behind it', () => {
    const bytes = chain('LRN', { size: 3 });
    assert.equal(gradientModel(bytes), undefined);
    assert.ok(gradientModel(bytes, 'u'));
  });

  it('a second way around such an operator does not make up for it', () => {
    const bytes = encodeModel({
      nodes: [
        { op: 'Identity', inputs: ['x'], outputs: ['t'] },
        { op: 'LRN', inputs: ['t'], outputs: ['u'], attributes: { size: 3 } },
        { op: 'Add', inputs: ['u', 't'], outputs: ['y'] },
      ],
      inputs: { x: [2, 4, 6, 6] },
      outputs: { y: null },
    });
    assert.equal(gradientModel(bytes), undefined);
  });

  it('sizes are no way for a derivative', async () => {
    const bytes = encodeModel({
      nodes: [
        { op: 'Identity', inputs: ['x'], outputs: ['t'] },
        { op: 'Shape', inputs: ['t'], outputs: ['s'] },
        { op: 'Tanh', inputs: ['t'], outputs: ['u'] },
        { op: 'Reshape', inputs: ['u', 's'], outputs: ['y'] },
      ],
      inputs: { x: [2, 3] },
      outputs: { y: null },
    });
    const derived = gradientModel(bytes)!;
    const x = seededArray(6, 1);
    const { data } = await run(derived.bytes, {
      x: tensorOf([2, 3], x),
      [derived.seed]: tensorOf([2, 3], [1, 1, 1, 1, 1, 1]),
    });
    data.forEach((value, i) => {
      assert.ok(Math.abs(value - (1 - Math.tanh(x[i]!) ** 2)) < 1e-5);
    });
  });

  it('models of before operator set 9 are left alone', () => {
    const bytes = encodeModel(
      specOf({ name: '', nodes: [{ op: 'Tanh', inputs: ['t'], outputs: ['y'] }], dims: [2, 2] }, 8),
    );
    assert.equal(gradientModel(bytes), undefined);
  });
});
