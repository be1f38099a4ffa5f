import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnx } from 'onnx-proto';
import { memorySource } from '../../src/core/onnx/byteSource';
import { Element } from '../../src/core/onnx/elements';
import { exposeTensors, type Wanted } from '../../src/core/onnx/exposeTensors';
import { readModel } from '../../src/core/onnx/read';
import { inferShapes } from '../../src/core/onnx/shapes/inferShapes';
import { encodeGraph, encodeModel, floatTensor, joinSegments, type ModelSpec } from '../support/onnxModel';

const values = (...names: string[]): Wanted[] => names.map((name) => ({ name, what: 'values' }));

function exposed(spec: ModelSpec | Uint8Array, wanted: readonly Wanted[], only = false) {
  const before = spec instanceof Uint8Array ? spec : encodeModel(spec);
  const model = readModel(memorySource('m.onnx', before));
  const openExternal = () => assert.fail('no data file was expected');
  const shapes = inferShapes(model, { bind: new Map(), openExternal });
  const { segments, places } = exposeTensors(model, shapes, wanted, { only });
  const after = joinSegments(segments);
  return { before, after, places, graph: onnx.ModelProto.decode(after).graph! };
}

const outputsOf = ({ output }: onnx.IGraphProto) =>
  (output ?? []).map((info) => [info.name, info.type?.tensorType?.elemType]);
const opsOf = ({ node }: onnx.IGraphProto) => (node ?? []).map(({ opType }) => opType);

/** x → MatMul → h → Relu → r → MatMul → y, and beside it x → Neg → z. */
const chain: ModelSpec = {
  nodes: [
    { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
    { op: 'Relu', inputs: ['h'], outputs: ['r'] },
    { op: 'Neg', inputs: ['x'], outputs: ['z'] },
    { op: 'MatMul', inputs: ['r', 'v'], outputs: ['y'] },
  ],
  inputs: { x: ['n', 2] },
  outputs: { y: null, z: null },
  initializers: [floatTensor('w', [2, 3], [1, 2, 3, 4, 5, 6]), floatTensor('v', [3, 1], [1, 2, 3])],
};

test('intermediate tensors become outputs behind those there are, and nothing else changes', () => {
  const { before, after, places, graph } = exposed(chain, values('h', 'r'));
  assert.deepEqual(places, [
    { kind: 'output', name: 'h' },
    { kind: 'output', name: 'r' },
  ]);
  assert.deepEqual(outputsOf(graph), [
    ['y', 1],
    ['z', 1],
    ['h', 1],
    ['r', 1],
  ]);
  assert.equal(graph.output![2]!.type!.tensorType!.shape ?? null, null, 'no shape is stated');
  const without = onnx.ModelProto.decode(after);
  without.graph!.output = without.graph!.output!.slice(0, 2);
  assert.deepEqual(
    Buffer.from(onnx.ModelProto.encode(without).finish()),
    Buffer.from(onnx.ModelProto.encode(onnx.ModelProto.decode(before)).finish()),
  );
});

test('outputs stay what they are, inputs are fed, and nothing asked is nothing done', () => {
  const { before, after, places } = exposed(chain, values('y', 'x'));
  assert.deepEqual(places, [{ kind: 'output', name: 'y' }, { kind: 'input' }]);
  assert.deepEqual(Buffer.from(after), Buffer.from(before));
});

test('a tensor that is wanted twice is one output', () => {
  const { places, graph } = exposed(chain, values('h', 'h'));
  assert.deepEqual(places[0], places[1]);
  assert.deepEqual(
    outputsOf(graph).map(([name]) => name),
    ['y', 'z', 'h'],
  );
});

test('alone, what only other outputs need is left away', () => {
  const { graph } = exposed(chain, values('r'), true);
  assert.deepEqual(opsOf(graph), ['MatMul', 'Relu']);
  assert.deepEqual(outputsOf(graph), [['r', 1]]);
  assert.deepEqual(
    graph.initializer!.map(({ name }) => name),
    ['w'],
  );
  const whole = exposed(chain, values('y'), true).graph;
  assert.deepEqual(opsOf(whole), ['MatMul', 'Relu', 'MatMul']);
  assert.deepEqual(outputsOf(whole), [['y', 1]]);
  assert.equal(whole.initializer!.length, 2);
});

test('before IR version 4 an initializer leaves together with the input that declares it', () => {
  const old = { ...chain, irVersion: 3, opset: 8, inputs: { x: ['n', 2], w: [2, 3], v: [3, 1] } };
  const before = exposed(old, values('h'), true).graph;
  assert.deepEqual(
    before.input!.map(({ name }) => name),
    ['x', 'w'],
  );
  assert.deepEqual(
    before.initializer!.map(({ name }) => name),
    ['w'],
  );
  // Since then it is a default: a caller may feed the input, so both stay.
  const since = exposed({ ...old, irVersion: 8 }, values('h'), true).graph;
  assert.equal(since.input!.length, 3);
  assert.equal(since.initializer!.length, 2);
});

test('an initializer among the inputs is one since IR version 4, and was a constant before', () => {
  const declared = { ...chain, opset: 8, inputs: { x: ['n', 2], w: [2, 3] } };
  assert.deepEqual(exposed({ ...declared, irVersion: 4 }, values('w')).places, [{ kind: 'input' }]);
  assert.equal(exposed({ ...declared, irVersion: 3 }, values('w')).places[0]!.kind, 'refused');
});

test('constants and unknown names are refused with a sentence', () => {
  const { places } = exposed(chain, values('w', 'nothing'));
  assert.deepEqual(places, [
    { kind: 'refused', reason: '"w" is a constant, so it is the same for all data.' },
    { kind: 'refused', reason: 'm.onnx has no tensor "nothing".' },
  ]);
});

/** An If whose branches read h and w from around them and compute something of their own. */
const branching: ModelSpec = {
  nodes: [
    { op: 'Relu', inputs: ['x'], outputs: ['h'] },
    { op: 'Neg', inputs: ['x'], outputs: ['unread'] },
    {
      op: 'If',
      name: 'choice',
      inputs: ['c'],
      outputs: ['y'],
      attributes: Object.fromEntries(
        ['then_branch', 'else_branch'].map((name) => [
          name,
          encodeGraph({
            nodes: [
              { op: 'MatMul', inputs: ['h', 'w'], outputs: [`${name}_inner`] },
              { op: 'Abs', inputs: [`${name}_inner`], outputs: [`${name}_y`] },
            ],
            outputs: { [`${name}_y`]: null },
          }),
        ]),
      ),
    },
  ],
  inputs: { x: ['n', 2], c: [] },
  inputTypes: { c: Element.bool },
  outputs: { y: null },
  initializers: [floatTensor('w', [2, 2], [1, 2, 3, 4])],
};

test('what is computed inside a body is refused by name, with the node around it', () => {
  const { places } = exposed(branching, values('then_branch_inner', 'h'));
  assert.deepEqual(places, [
    {
      kind: 'refused',
      reason:
        '"then_branch_inner" is computed inside the body of "choice" (If), out of which nothing but its outputs can be read.',
    },
    { kind: 'output', name: 'h' },
  ]);
});

test('what bodies read from around them stays', () => {
  const { graph } = exposed(branching, values('y'), true);
  assert.deepEqual(opsOf(graph), ['Relu', 'If']);
  assert.equal(graph.initializer!.length, 1);
});

test('bfloat16 is given out as float, other types as they are', () => {
  const typed = (type: number): ModelSpec => ({
    nodes: [
      { op: 'Cast', inputs: ['x'], outputs: ['h'], attributes: { to: type } },
      { op: 'Cast', inputs: ['h'], outputs: ['y'], attributes: { to: Element.float } },
    ],
    inputs: { x: [4] },
    outputs: { y: null },
  });
  const { places, graph } = exposed(typed(Element.bfloat16), values('h'));
  assert.deepEqual(places, [{ kind: 'output', name: 'h_float' }]);
  assert.deepEqual(opsOf(graph), ['Cast', 'Cast', 'Cast']);
  assert.deepEqual(outputsOf(graph)[1], ['h_float', Element.float]);
  for (const type of [Element.float16, Element.double])
    assert.deepEqual(outputsOf(exposed(typed(type), values('h')).graph)[1], ['h', type]);
});

test('sizes are given out by a Shape under a name of its own', () => {
  const taken: ModelSpec = {
    ...chain,
    nodes: [...chain.nodes, { op: 'Abs', inputs: ['x'], outputs: ['h_shape'] }],
  };
  const { places, graph } = exposed(taken, [{ name: 'h', what: 'shape' }, ...values('h')], true);
  assert.deepEqual(places, [
    { kind: 'output', name: 'h_shape_1' },
    { kind: 'output', name: 'h' },
  ]);
  assert.deepEqual(opsOf(graph), ['MatMul', 'Shape']);
  assert.deepEqual(outputsOf(graph), [
    ['h_shape_1', Element.int64],
    ['h', Element.float],
  ]);
});

test('a list of tensors is refused', () => {
  const { places } = exposed(
    {
      nodes: [
        { op: 'SequenceConstruct', inputs: ['x'], outputs: ['list'] },
        { op: 'SequenceAt', inputs: ['list', 'i'], outputs: ['y'] },
      ],
      inputs: { x: [4], i: [] },
      inputTypes: { i: Element.int64 },
      outputs: { y: null },
    },
    values('list'),
  );
  assert.deepEqual(places, [
    { kind: 'refused', reason: '"list" is a sequence, not a tensor, so it has no values to collect.' },
  ]);
});
