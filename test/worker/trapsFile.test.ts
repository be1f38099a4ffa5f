/**
 * Traps of what else is in a file: sparse tensors, training, annotations, names, old operator sets; see
 * `support/traps.ts`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnx } from 'onnx-proto';
import { analyzeModel } from '../../src/core/compress/analyzeModel';
import { allGraphs } from '../../src/core/onnx/names';
import { randomInputs, rewritten } from '../support/fullRank';
import { encodeGraph, encodeModel, floatTensor, int64Tensor, seededArray } from '../support/onnxModel';
import {
  analysisOf,
  assertSame,
  assertSkipped,
  initializersOf,
  matrix,
  noFiles,
  PRODUCT,
  read,
  scalar,
  through,
  withProto,
} from '../support/traps';

// ---- What the rest of the file says ----

test('trap: sparse_initializer – kept as it is; a weight that is one is no layer', () => {
  const spec = through(
    [
      { ...PRODUCT, outputs: ['h'] },
      { op: 'MatMul', name: 'thin', inputs: ['h', 'sparse'], outputs: ['y'] },
    ],
    [matrix('w', 6, 6)],
  );
  const sparse = onnx.SparseTensorProto.create({
    values: floatTensor('sparse', [2], [1, 2]),
    indices: int64Tensor('i', [2], [0, 7]),
    dims: [6, 6],
  });
  const bytes = withProto(spec, (model) => model.graph!.sparseInitializer!.push(sparse));
  const { layers, bytes: after } = rewritten(bytes, 0);
  assert.equal(layers, 1);
  const kept = onnx.ModelProto.decode(after).graph!.sparseInitializer!;
  assert.deepEqual(
    onnx.SparseTensorProto.encode(kept[0]!).finish(),
    onnx.SparseTensorProto.encode(sparse).finish(),
  );
});

test('trap: training_info – names the weights, so they stay', () => {
  const bytes = withProto(through([PRODUCT], [matrix('w', 6, 5)]), (model) => {
    model.trainingInfo = [onnx.TrainingInfoProto.create({ updateBinding: [{ key: 'w', value: 'w_new' }] })];
  });
  assertSkipped(bytes, /training information/);
});

test('trap: quantization_annotation – a tensor it mentions stays, every other goes', async () => {
  const bytes = withProto(
    through(
      [
        { ...PRODUCT, outputs: ['h'] },
        { op: 'MatMul', name: 'next', inputs: ['h', 'v'], outputs: ['y'] },
      ],
      [matrix('w', 6, 6), matrix('v', 6, 6, 2), scalar('scale', 1)],
    ),
    (model) => {
      model.graph!.quantizationAnnotation = [
        { tensorName: 'w', quantParameterTensorNames: [{ key: 'SCALE_TENSOR', value: 'scale' }] },
      ];
    },
  );
  const model = await assertSame(bytes);
  assert.deepEqual(initializersOf(model).sort(), ['scale', 'v_factor1', 'v_factor2', 'w']);
  assert.deepEqual(model.graph.annotated, read(bytes).graph.annotated);
});

// ---- Names ----

test('trap: names – __proto__, constructor and names with markup are names', async () => {
  const model = await assertSame(
    through(
      [
        { op: 'MatMul', name: '__proto__', inputs: ['x', '__proto__'], outputs: ['constructor'] },
        { op: 'MatMul', name: '<b>&"', inputs: ['constructor', '<img src=x>'], outputs: ['y'] },
      ],
      [matrix('__proto__', 6, 6), matrix('<img src=x>', 6, 5, 2)],
    ),
    2,
  );
  assert.deepEqual(initializersOf(model).sort(), [
    '<img src=x>_factor1',
    '<img src=x>_factor2',
    '__proto___factor1',
    '__proto___factor2',
  ]);
  const bytes = encodeModel(through([PRODUCT], [matrix('w', 6, 5)], [3, 6], { outputs: { y: null } }));
  const odd = withProto(through([PRODUCT], [matrix('w', 6, 5)]), (m) => {
    m.graph!.input![0]!.name = '__proto__';
    m.graph!.node![0]!.input![0] = '__proto__';
  });
  assert.equal(analysisOf(odd).macs, analysisOf(bytes).macs);
  assert.ok(randomInputs(odd).has('__proto__'));
});

test('trap: names – outputs of the graph keep theirs, nodes without a name get one', async () => {
  const spec = through(
    [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'MatMul', inputs: ['h', 'v'], outputs: ['y'] },
    ],
    [matrix('w', 6, 6), matrix('v', 6, 6, 2)],
    [3, 6],
    { outputs: { h: null, y: null } },
  );
  const model = await assertSame(spec, 2);
  assert.deepEqual(
    model.graph.outputs.map((o) => o.name),
    ['h', 'y'],
  );
  const names = model.graph.nodes.map((n) => n.name);
  assert.equal(new Set(names).size, 4);
  assert.ok(!names.includes(''));
});

test('trap: names – new ones clash with none, in whatever graph', async () => {
  const branch = (prefix: string) =>
    encodeGraph({
      nodes: [
        { op: 'MatMul', name: 'layer_factor1', inputs: ['x', 'w'], outputs: [`${prefix}y_between`] },
        {
          op: 'Add',
          name: 'layer_factor2',
          inputs: [`${prefix}y_between`, 'w_factor1'],
          outputs: [`${prefix}out`],
        },
      ],
      outputs: { [`${prefix}out`]: null },
      initializers: [floatTensor('w_factor1', [1], [3]), floatTensor('w_factor2', [1], [4])],
    });
  const spec = through(
    [
      { op: 'MatMul', name: 'layer', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'ReduceSum', inputs: ['x'], outputs: ['sum'], attributes: { keepdims: 0 } },
      { op: 'Greater', inputs: ['sum', 'zero'], outputs: ['condition'] },
      {
        op: 'If',
        inputs: ['condition'],
        outputs: ['k'],
        attributes: { then_branch: branch('h'), else_branch: branch('k') },
      },
      { op: 'Add', inputs: ['h', 'k'], outputs: ['y'] },
    ],
    [matrix('w', 6, 6), floatTensor('zero', [], [0])],
  );
  const model = await assertSame(spec);
  const bound = [...allGraphs(model.graph)].map((g) => [
    ...g.initializers.map((t) => t.name),
    ...g.nodes.flatMap((n) => n.outputs),
  ]);
  const [main, ...bodies] = bound as [string[], ...string[][]];
  for (const names of bodies) {
    assert.equal(new Set([...main, ...names]).size, main.length + names.length, 'nothing hides anything');
  }
});

// ---- Opset < 7 ----

test('trap: opset < 7 – broadcast and axis of elementwise operators shape and stay', () => {
  const spec = through(
    [
      { op: 'MatMul', name: 'layer', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'Add', inputs: ['h', 'b'], outputs: ['y'], attributes: { broadcast: 1, axis: 1 } },
    ],
    [matrix('w', 6, 5), floatTensor('b', [4], seededArray(4, 2))],
    [3, 4, 6],
    { inputs: { x: [3, 4, 6], w: [6, 5], b: [4] }, opset: 6, irVersion: 3 },
  );
  const { analysis } = analyzeModel(read(encodeModel(spec)), {
    dims: {},
    openExternal: noFiles,
    shapes: true,
  });
  assert.deepEqual(analysis.tensors?.y?.shape, [3, 4, 5]);
  const add = read(rewritten(encodeModel(spec), 0).bytes).graph.nodes.at(-1)!;
  assert.deepEqual(Object.fromEntries(add.attributes), {
    broadcast: { kind: 'int', value: 1 },
    axis: { kind: 'int', value: 1 },
  });
});
