/** Traps of Gemm and of Conv with a normalisation behind it; see `support/traps.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AttributeSpec,
  floatTensor,
  int64Tensor,
  type NodeSpec,
  seededArray,
} from '../support/onnxModel';
import { assertSame, assertSkipped, initializersOf, matrix, through } from '../support/traps';

test('trap: Gemm – alpha goes with one factor, beta · C with the last', async () => {
  const attributes = { alpha: { float: 0.5 }, beta: { float: -2 }, transA: 1, transB: 1 };
  const spec = through(
    [{ op: 'Gemm', name: 'layer', inputs: ['x', 'w', 'c'], outputs: ['y'], attributes }],
    [matrix('w', 5, 6), floatTensor('c', [5], seededArray(5, 2))],
    [6, 3],
  );
  const { nodes } = (await assertSame(spec)).graph;
  const [last, ...others] = nodes.toReversed();
  assert.equal(last!.inputs[2], 'c');
  assert.deepEqual(
    [last!.attributes.get('alpha'), last!.attributes.get('beta')],
    [
      { kind: 'float', value: 0.5 },
      { kind: 'float', value: -2 },
    ],
  );
  assert.ok(others.every((n) => !n.attributes.has('alpha') && n.inputs.length < 3));
});

test('trap: Gemm – a C without a name is no C', async () => {
  await assertSame(through([{ op: 'Gemm', inputs: ['x', 'w', ''], outputs: ['y'] }], [matrix('w', 6, 5)]));
});

test('trap: Conv – what can not be factored says why', () => {
  const conv = (op: string, weight: readonly number[], attributes: Record<string, AttributeSpec>) =>
    through(
      [{ op, inputs: ['x', 'w'], outputs: ['y'], attributes }],
      [
        floatTensor(
          'w',
          weight,
          seededArray(
            weight.reduce((a, b) => a * b, 1),
            1,
          ),
        ),
      ],
      [1, 4, 7, 7],
    );
  assertSkipped(conv('Conv', [8, 1, 3, 3], { group: 4 }), /Depthwise/);
  assertSkipped(conv('ConvTranspose', [4, 2, 3, 3], { group: 4 }), /Depthwise/);
  assertSkipped(conv('ConvTranspose', [4, 2, 3, 3], { auto_pad: 'SAME_UPPER', strides: [2, 2] }), /padding/);
  assertSkipped(conv('ConvTranspose', [4, 2, 3, 3], { output_shape: [9, 9] }), /padding/);
  assertSkipped(conv('Conv', [5, 2, 3, 3], { group: 2 }), /not a convolution's/);
});

test('trap: Conv – a bias without a name, and a bias that is computed', async () => {
  const w = floatTensor('w', [4, 3, 3, 3], seededArray(108, 1));
  await assertSame(through([{ op: 'Conv', inputs: ['x', 'w', ''], outputs: ['y'] }], [w], [2, 3, 5, 5]));
  const norm = ['gamma', 'beta', 'mean', 'var'].map((name) => floatTensor(name, [4], [1, 2, 3, 4]));
  const computed = through(
    [
      { op: 'ReduceSum', inputs: ['x', 'axes'], outputs: ['sum'], attributes: { keepdims: 0 } },
      { op: 'Mul', inputs: ['sum', 'ones'], outputs: ['b'] },
      { op: 'Conv', inputs: ['x', 'w', 'b'], outputs: ['h'] },
      { op: 'BatchNormalization', inputs: ['h', 'gamma', 'beta', 'mean', 'var'], outputs: ['y'] },
    ],
    [w, int64Tensor('axes', [4], [0, 1, 2, 3]), floatTensor('ones', [4], [1, 1, 1, 1]), ...norm],
    [2, 3, 5, 5],
  );
  const model = await assertSame(computed);
  assert.ok(
    model.graph.nodes.some((n) => n.opType === 'BatchNormalization'),
    'it is not folded',
  );
});

test('trap: Conv – a normalisation that others look past is not folded', async () => {
  const w = floatTensor('w', [4, 3, 3, 3], seededArray(108, 1));
  const norm = ['gamma', 'beta', 'mean', 'var'].map((name) => floatTensor(name, [4], [1, 2, 3, 4]));
  const model = await assertSame(
    through(
      [
        { op: 'Conv', inputs: ['x', 'w'], outputs: ['h'] },
        { op: 'BatchNormalization', inputs: ['h', 'gamma', 'beta', 'mean', 'var'], outputs: ['n'] },
        { op: 'Add', inputs: ['h', 'n'], outputs: ['y'] },
      ],
      [w, ...norm],
      [2, 3, 5, 5],
    ),
  );
  assert.ok(initializersOf(model).includes('gamma'));
});

test('trap: Conv – constants of a folded normalisation stay where something else needs them', async () => {
  const conv = (name: string, x: string, output: string): readonly NodeSpec[] => [
    { op: 'Conv', name, inputs: [x, `${name}_w`, 'b'], outputs: [`${name}_h`] },
    {
      op: 'BatchNormalization',
      inputs: [`${name}_h`, 'gamma', 'beta', 'mean', `${name}_var`],
      outputs: [output],
    },
  ];
  const four = (name: string) => floatTensor(name, [4], [1, 2, 3, 4]);
  const model = await assertSame(
    through(
      // The second convolution is depthwise, so it keeps its normalisation.
      [...conv('one', 'x', 'between'), ...conv('two', 'between', 'y')].map((node) =>
        node.name === 'two' ? { ...node, attributes: { group: 4 } } : node,
      ),
      [
        floatTensor('one_w', [4, 3, 3, 3], seededArray(108, 1)),
        floatTensor('two_w', [4, 1, 3, 3], seededArray(36, 2)),
        ...['b', 'gamma', 'beta', 'mean', 'one_var', 'two_var'].map(four),
      ],
      [2, 3, 7, 7],
      { outputs: { y: null, beta: [4] } },
    ),
  );
  const names = initializersOf(model);
  assert.ok(['b', 'gamma', 'beta', 'mean', 'two_var', 'two_w'].every((name) => names.includes(name)));
  assert.ok(!names.includes('one_var') && !names.includes('one_w'), `${names}`);
});

test('trap: Conv – what is an output of the model outlives the normalisation it was folded from', async () => {
  const model = await assertSame(
    through(
      [
        { op: 'Conv', inputs: ['x', 'w', 'b'], outputs: ['h'] },
        { op: 'BatchNormalization', inputs: ['h', 'gamma', 'beta', 'mean', 'var'], outputs: ['y'] },
      ],
      [
        floatTensor('w', [4, 3, 3, 3], seededArray(108, 1)),
        ...['b', 'gamma', 'beta', 'mean', 'var'].map((name) => floatTensor(name, [4], [1, 2, 3, 4])),
      ],
      [2, 3, 7, 7],
      { outputs: { y: null, b: [4], gamma: [4] } },
    ),
  );
  assert.deepEqual(initializersOf(model).sort(), ['b', 'gamma', 'w_factor1', 'w_factor2', 'w_folded_bias']);
});
