import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnx } from 'onnx-proto';
import { memorySource } from '../../src/core/onnx/byteSource';
import { graphMacs } from '../../src/core/onnx/cost';
import { readModel } from '../../src/core/onnx/read';
import { printDim } from '../../src/core/onnx/shapes/dim';
import { inferShapes } from '../../src/core/onnx/shapes/inferShapes';
import { floatTensor } from '../support/onnxModel';
import { assertQuick } from '../support/processorTime';

const { AttributeType } = onnx.AttributeProto;

type Sizes = readonly (number | string)[];

function info(name: string, elemType = 1, sizes?: Sizes): onnx.IValueInfoProto {
  const dim = sizes?.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d }));
  return { name, type: { tensorType: { elemType, ...(dim ? { shape: { dim } } : {}) } } };
}

function node(
  op: string,
  inputs: string,
  outputs: string,
  attribute: onnx.IAttributeProto[] = [],
  domain = '',
): onnx.INodeProto {
  return {
    opType: op,
    domain,
    name: `${op} ${outputs}`,
    input: inputs.split(' ').filter((s) => s !== '-'),
    output: outputs.split(' '),
    attribute,
  };
}

const body = (name: string, g: onnx.IGraphProto): onnx.IAttributeProto => ({
  name,
  type: AttributeType.GRAPH,
  g,
});
const int = (name: string, i: number): onnx.IAttributeProto => ({ name, type: AttributeType.INT, i });

function scalar(name: string, dataType: number, value: number): onnx.ITensorProto {
  const rawData =
    dataType === 9 ? Uint8Array.of(value) : new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
  return { name, dims: [], dataType, rawData };
}

const weight = (name: string, rows: number, columns: number) =>
  floatTensor(name, [rows, columns], new Float32Array(rows * columns));

function infer(graph: onnx.IGraphProto, functions: onnx.IFunctionProto[] = []) {
  const bytes = onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [
      { domain: '', version: 17 },
      { domain: 'local', version: 1 },
    ],
    graph,
    functions,
  }).finish();
  const model = readModel(memorySource('test.onnx', bytes));
  const shapes = inferShapes(model, {
    bind: new Map(),
    openExternal: () => assert.fail('no external file was expected'),
  });
  const macs = graphMacs(model, shapes);
  return {
    shape: (name: string) => shapes.get(name)?.shape?.map(printDim).join(', ') ?? '…',
    total: printDim(macs.total),
    unknown: macs.unknown,
  };
}

/** Branches that multiply the x around them by matrices of different width. */
const branches = [
  body('then_branch', { name: 't', node: [node('MatMul', 'x w5', 'p')], output: [info('p')] }),
  body('else_branch', { name: 'e', node: [node('MatMul', 'x w7', 'q')], output: [info('q')] }),
];
const branching = (initializer: onnx.ITensorProto[]): onnx.IGraphProto => ({
  name: 'g',
  node: [node('If', 'c', 'y', branches)],
  input: [info('x', 1, ['N', 4]), ...(initializer.length > 0 ? [] : [info('c', 9, [])])],
  initializer: [weight('w5', 4, 5), weight('w7', 4, 7), ...initializer],
  output: [info('y')],
});

test('an If keeps what its branches have in common, and costs the dearer one', () => {
  const { shape, total, unknown } = infer(branching([]));
  assert.equal(shape('y'), 'N, ?');
  assert.equal(total, '28*N');
  assert.deepEqual(unknown, []);
});

test('an If on a constant is the branch it takes', () => {
  const { shape, total } = infer(branching([scalar('c', 9, 1)]));
  assert.equal(shape('y'), 'N, 5');
  assert.equal(total, '20*N');
});

function looping(limit: onnx.ITensorProto | undefined, step: onnx.INodeProto[]): onnx.IGraphProto {
  const loop: onnx.IGraphProto = {
    name: 'b',
    node: [node('Identity', 'go', 'goOn'), ...step, node('MatMul', 'next w', 'slice')],
    input: [info('i', 7, []), info('go', 9, []), info('state')],
    output: [info('goOn', 9), info('next'), info('slice')],
  };
  return {
    name: 'g',
    node: [node('Loop', 'limit yes x', 'last all', [body('body', loop)])],
    input: [info('x', 1, ['N', 4]), ...(limit ? [] : [info('limit', 7, [])])],
    initializer: [weight('w', 4, 3), scalar('yes', 9, 1), ...(limit ? [limit] : [])],
    output: [info('last')],
  };
}

test('a Loop of known length stacks its outputs and multiplies its cost', () => {
  const { shape, total } = infer(looping(scalar('limit', 7, 6), [node('Relu', 'state', 'next')]));
  assert.equal(shape('last'), 'N, 4');
  assert.equal(shape('all'), '6, N, 3');
  assert.equal(total, '72*N');
});

test('a Loop of unknown length is reported as not counted', () => {
  const { shape, total, unknown } = infer(looping(undefined, [node('Relu', 'state', 'next')]));
  assert.equal(shape('all'), '?, N, 3');
  assert.equal(total, '0');
  assert.deepEqual(unknown, ['Loop last all']);
});

test('state that grows from one iteration to the next has an unknown size', () => {
  const grow = node('Concat', 'state x', 'next', [int('axis', 0)]);
  assert.equal(infer(looping(scalar('limit', 7, 6), [grow])).shape('last'), '?, 4');
});

test('a Scan walks along the first axis', () => {
  const scan: onnx.IGraphProto = {
    name: 'b',
    node: [node('Add', 'state row', 'next'), node('MatMul', 'row w', 'slice')],
    input: [info('state'), info('row')],
    output: [info('next'), info('slice')],
  };
  const { shape, total } = infer({
    name: 'g',
    node: [node('Scan', 'start x', 'last all', [body('body', scan), int('num_scan_inputs', 1)])],
    input: [info('start', 1, [4]), info('x', 1, ['T', 4])],
    initializer: [weight('w', 4, 3)],
    output: [info('all')],
  });
  assert.equal(shape('last'), '4');
  assert.equal(shape('all'), 'T, 3');
  assert.equal(total, '12*T');
});

test('a function is looked into at every call, with the attributes of the call', () => {
  const turned: onnx.IFunctionProto = {
    domain: 'local',
    name: 'Turned',
    input: ['a', 'b'],
    output: ['r'],
    attribute: ['axis'],
    opsetImport: [{ domain: '', version: 17 }],
    node: [
      node('Concat', 'a a', 'aa', [{ name: 'axis', type: AttributeType.INT, refAttrName: 'axis' }]),
      node('MatMul', 'aa b', 'r'),
    ],
  };
  const { shape, total } = infer(
    {
      name: 'g',
      node: [
        node('Turned', 'x w', 'y', [int('axis', 0)], 'local'),
        node('Turned', 'x w2', 'z', [int('axis', 1)], 'local'),
      ],
      input: [info('x', 1, ['N', 4])],
      initializer: [weight('w', 4, 3), weight('w2', 8, 5)],
      output: [info('y')],
    },
    [turned],
  );
  assert.equal(shape('y'), '2*N, 3');
  assert.equal(shape('z'), 'N, 5');
  assert.equal(total, '64*N');
});

test('functions that call each other for ever, or many times over, are given up', () => {
  const nested = (name: string, inner: string, times: number): onnx.IFunctionProto => ({
    domain: 'local',
    name,
    input: ['a'],
    output: ['r'],
    opsetImport: [
      { domain: '', version: 17 },
      { domain: 'local', version: 1 },
    ],
    node: Array.from({ length: times }, (_, i) =>
      node(inner, i === 0 ? 'a' : `r${i - 1}`, i === times - 1 ? 'r' : `r${i}`, [], 'local'),
    ),
  });
  const graph: onnx.IGraphProto = {
    name: 'g',
    node: [node('F0', 'x', 'y', [], 'local')],
    input: [info('x', 1, [2])],
    output: [info('y')],
  };
  const endless = infer(graph, [nested('F0', 'F1', 1), nested('F1', 'F0', 1)]);
  assert.equal(endless.shape('y'), '…');
  assert.equal(endless.unknown.length, 1);
  const laughs = Array.from({ length: 12 }, (_, i) => nested(`F${i}`, `F${i + 1}`, 10));
  const giveUp = () => {
    const many = infer(graph, laughs);
    assert.equal(many.shape('y'), '…');
    assert.ok(many.unknown.length > 0);
  };
  assertQuick(giveUp, 5000, 'giving up');
});
