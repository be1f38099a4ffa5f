/**
 * Traps of what several parts of a model use: shared initializers, bodies of If, Loop and Scan, functions; see
 * `support/traps.ts`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnx } from 'onnx-proto';
import { layersOf, rewritten } from '../support/fullRank';
import {
  encodeGraph,
  encodeModel,
  floatTensor,
  int64Tensor,
  type ModelSpec,
  seededArray,
} from '../support/onnxModel';
import {
  analysisOf,
  assertSame,
  assertSkipped,
  initializersOf,
  matrix,
  PRODUCT,
  read,
  through,
  withProto,
} from '../support/traps';

// ---- Shared initializers ----

test('trap: shared initializers – stored once, used twice, factored once, in a branch and outside it', async () => {
  const branch = (name: string) =>
    encodeGraph({
      nodes: [{ op: 'MatMul', name, inputs: ['h', 'w'], outputs: [`${name}_y`] }],
      outputs: { [`${name}_y`]: null },
    });
  const spec = through(
    [
      { op: 'MatMul', name: 'outside', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'ReduceSum', inputs: ['x'], outputs: ['sum'], attributes: { keepdims: 0 } },
      { op: 'Greater', inputs: ['sum', 'zero'], outputs: ['condition'] },
      {
        op: 'If',
        inputs: ['condition'],
        outputs: ['y'],
        attributes: { then_branch: branch('then'), else_branch: branch('else') },
      },
    ],
    [matrix('w', 6, 6), floatTensor('zero', [], [0])],
  );
  const { parameters, layers } = analysisOf(encodeModel(spec));
  assert.deepEqual(parameters, { stored: 37, used: 3 * 36 + 1, statistics: 0 });
  assert.equal(layers.length, 3);
  const model = await assertSame(spec);
  assert.deepEqual(initializersOf(model).sort(), ['w_factor1', 'w_factor2', 'zero']);
});

test('trap: shared initializers – what another consumer still needs stays', async () => {
  const spec = through(
    [
      { op: 'Transpose', inputs: ['w'], outputs: ['wt'] },
      { op: 'MatMul', name: 'tied', inputs: ['x', 'wt'], outputs: ['h'] },
      { op: 'Gather', name: 'rows', inputs: ['w', 'first'], outputs: ['row'] },
      { op: 'Add', inputs: ['h', 'row'], outputs: ['sum'] },
      { op: 'MatMul', name: 'free', inputs: ['sum', 'v'], outputs: ['y'] },
    ],
    [matrix('w', 6, 6), int64Tensor('first', [], [0]), matrix('v', 6, 5, 2)],
  );
  const layers = layersOf(read(encodeModel(spec)));
  const tied = layers.find((l) => l.name === 'tied')!;
  assert.ok(tied.form.kind === 'none' && /also read by "rows"/.test(tied.form.reason));
  const model = await assertSame(spec);
  assert.deepEqual(initializersOf(model).sort(), ['first', 'v_factor1', 'v_factor2', 'w']);
});

// ---- Bodies ----

/** A Scan along the rows of x; the state and each row are multiplied, one weight is captured. */
const scan = (): ModelSpec => {
  const body = encodeGraph({
    nodes: [
      { op: 'MatMul', name: 'state', inputs: ['s', 'captured'], outputs: ['t'] },
      { op: 'MatMul', name: 'row', inputs: ['r', 'own'], outputs: ['u'] },
      { op: 'Add', inputs: ['t', 'u'], outputs: ['next'] },
      { op: 'Identity', inputs: ['next'], outputs: ['out'] },
    ],
    inputs: { s: [6], r: [6] },
    outputs: { next: [6], out: [6] },
    initializers: [matrix('own', 6, 6, 2)],
  });
  return through(
    [
      {
        op: 'Scan',
        inputs: ['start', 'x'],
        outputs: ['last', 'y'],
        attributes: { body, num_scan_inputs: 1 },
      },
    ],
    [matrix('captured', 6, 6, 3), floatTensor('start', [6], seededArray(6, 4))],
  );
};

test('trap: If, Loop and Scan bodies – a Scan with a weight of its own and a captured one', async () => {
  const model = await assertSame(scan(), 2);
  assert.deepEqual(initializersOf(model).sort(), [
    'captured_factor1',
    'captured_factor2',
    'own_factor1',
    'own_factor2',
    'start',
  ]);
});

test('trap: If, Loop and Scan bodies – MACs times the rows of a Scan', () => {
  assert.equal(analysisOf(encodeModel(scan())).macs, 3 * 2 * 36);
});

test('trap: If, Loop and Scan bodies – what only a body reads is not taken away', async () => {
  const body = (name: string) =>
    encodeGraph({
      nodes: [{ op: 'Add', name, inputs: ['h', 'w'], outputs: [`${name}_y`] }],
      outputs: { [`${name}_y`]: null },
    });
  const spec = through(
    [
      { op: 'MatMul', name: 'tied', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'ReduceSum', inputs: ['x'], outputs: ['sum'], attributes: { keepdims: 0 } },
      { op: 'Greater', inputs: ['sum', 'zero'], outputs: ['condition'] },
      {
        op: 'If',
        inputs: ['condition'],
        outputs: ['y'],
        attributes: { then_branch: body('then'), else_branch: body('else') },
      },
    ],
    [matrix('w', 6, 6), floatTensor('zero', [], [0])],
    [6, 6],
  );
  assertSkipped(spec, /also read by "(then|else)" \(Add\)/);
});

// ---- Functions ----

/** y = x · w, then a function that multiplies by a constant of its own and by an argument, twice. */
function withFunction(): Uint8Array {
  const node = (opType: string, input: string, output: string, domain = ''): onnx.INodeProto => ({
    opType,
    domain,
    input: input.split(' ').filter(Boolean),
    output: output.split(' '),
    name: `${opType}_${output}`,
  });
  return withProto(
    through(
      [
        PRODUCT,
        { op: 'local:Twice', inputs: ['y', 'v'], outputs: ['z1'] },
        { op: 'local:Twice', inputs: ['z1', 'v'], outputs: ['z'] },
      ],
      [matrix('w', 6, 6), matrix('v', 6, 6, 2)],
      [3, 6],
      { outputs: { z: null } },
    ),
    (model) => {
      model.opsetImport.push({ domain: 'local', version: 1 });
      model.functions = [
        onnx.FunctionProto.create({
          domain: 'local',
          name: 'Twice',
          input: ['a', 'b'],
          output: ['r'],
          opsetImport: [{ domain: '', version: 17 }],
          node: [
            {
              opType: 'Constant',
              output: ['w'],
              attribute: [{ name: 'value', type: 4, t: matrix('', 6, 6, 5) }],
            },
            node('MatMul', 'a w', 'ab'),
            node('MatMul', 'ab b', 'r'),
          ],
        }),
      ];
    },
  );
}

test('trap: functions – counted at every call, a shared body is never rewritten', async () => {
  const bytes = withFunction();
  assert.equal(analysisOf(bytes).macs, (1 + 2 * 2) * 3 * 36);
  const model = await assertSame(bytes);
  assert.deepEqual(initializersOf(model).sort(), ['v', 'w_factor1', 'w_factor2']);
  const bodyOf = (b: Uint8Array) =>
    onnx.FunctionProto.encode(onnx.ModelProto.decode(b).functions[0]!).finish();
  assert.deepEqual(bodyOf(rewritten(bytes, 0).bytes), bodyOf(bytes));
});
