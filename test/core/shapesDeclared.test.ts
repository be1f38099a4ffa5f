import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnx } from 'onnx-proto';
import { memorySource } from '../../src/core/onnx/byteSource';
import { readModel } from '../../src/core/onnx/read';
import { printDim } from '../../src/core/onnx/shapes/dim';
import type { Fact } from '../../src/core/onnx/shapes/fact';
import { inferShapes } from '../../src/core/onnx/shapes/inferShapes';

const openExternal = () => assert.fail('no external file was expected');

type Size = number | string | bigint | null;

function tensorType(...sizes: readonly Size[]): onnx.ITypeProto {
  const dim = sizes.map((d) =>
    typeof d === 'string' ? { dimParam: d } : d === null ? {} : { dimValue: d as unknown as number },
  );
  return { tensorType: { elemType: 1, shape: { dim } } };
}

/** What is known about the values of a graph, as text. */
function infer(graph: onnx.IGraphProto, opset = 17): (name: string) => string {
  const bytes = onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [
      { domain: '', version: opset },
      { domain: 'ai.onnx.ml', version: 3 },
    ],
    graph: { name: 'g', ...graph },
  }).finish();
  const table = inferShapes(readModel(memorySource('test.onnx', bytes)), { bind: new Map(), openExternal });
  return (name) => print(table.fact(name));
}

function print(fact: Fact | undefined): string {
  if (!fact) return 'nothing';
  if (fact.kind === 'map') return `map from ${fact.key} to ${print(fact.element)}`;
  if (fact.kind !== 'tensor') return `${fact.kind} of ${print(fact.element)}`;
  return `${fact.type}[${fact.shape?.map(printDim).join(', ') ?? '…'}]`;
}

const node = (opType: string, input: string[], output: string[], attribute: onnx.IAttributeProto[] = []) => ({
  opType,
  input,
  output,
  attribute,
});

test('a list that comes in has elements of the declared type; named sizes may differ between them', () => {
  const at = infer({
    input: [
      { name: 'list', type: { sequenceType: { elemType: tensorType('H', 3) } } },
      { name: 'maybe', type: { optionalType: { elemType: tensorType('H', 3) } } },
      { name: 'i', type: tensorType() },
    ],
    node: [node('SequenceAt', ['list', 'i'], ['x']), node('OptionalGetElement', ['maybe'], ['y'])],
  });
  assert.equal(at('x'), '1[?, 3]');
  assert.equal(at('y'), '1[H, 3]');
});

test('an optional without a value has the type that its attribute declares', () => {
  const type = { sequenceType: { elemType: tensorType(1, 2) } };
  const { TYPE_PROTO } = onnx.AttributeProto.AttributeType;
  const at = infer({ node: [node('Optional', [], ['o'], [{ name: 'type', type: TYPE_PROTO, tp: type }])] });
  assert.equal(at('o'), 'optional of sequence of 1[1, 2]');
});

test('sparse constants have the sizes of the whole tensor', () => {
  const sparse = {
    dims: [100, 7],
    values: { name: 'w', dims: [2], dataType: 1, floatData: [1, 2] },
    indices: { dims: [2], dataType: 7, int64Data: [3, 50] },
  };
  const { SPARSE_TENSOR } = onnx.AttributeProto.AttributeType;
  const at = infer({
    sparseInitializer: [sparse],
    node: [
      node('Constant', [], ['c'], [{ name: 'sparse_value', type: SPARSE_TENSOR, sparseTensor: sparse }]),
      node('Transpose', ['w'], ['t']),
    ],
  });
  assert.equal(at('c'), '1[100, 7]');
  assert.equal(at('t'), '1[7, 100]');
});

test('a batch of 0 means "unknown", and so do the other zeros of that file', () => {
  const at = infer({
    input: [{ name: 'x', type: tensorType(0, 3, 0) }],
    node: [node('Relu', ['x'], ['y']), node('Mystery', ['y'], ['z'])],
    valueInfo: [{ name: 'z', type: tensorType(0, 5) }],
  });
  assert.equal(at('y'), '1[x[0], 3, x[2]]');
  assert.equal(at('z'), '1[?, 5]');
});

test('elsewhere a declared 0 is an empty tensor, as in ONNX Runtime', () => {
  const at = infer({
    input: [{ name: 'x', type: tensorType(1, 8, 0, 64) }],
    node: [
      node('Relu', ['x'], ['y']),
      node('Mystery', ['y'], ['s']),
      node('ConstantOfShape', ['s'], ['scalar']),
    ],
    valueInfo: [{ name: 's', type: tensorType(0) }],
  });
  assert.equal(at('y'), '1[1, 8, 0, 64]');
  assert.equal(at('scalar'), '1[]');
});

test('a size that no double holds keeps its digits', () => {
  const largest = 9223372036854775807n;
  const at = infer({
    // protobufjs takes a Long; its bytes are those of the two halves.
    input: [
      {
        name: 'x',
        type: tensorType({ low: -1, high: 0x7fffffff, unsigned: false } as unknown as bigint),
      },
    ],
    node: [node('Relu', ['x'], ['y'])],
  });
  assert.equal(at('y'), `1[${largest}]`);
});

test('what is declared decides a minimum that could not be told', () => {
  const ints = (name: string, ...values: number[]) => ({
    name,
    dims: [values.length],
    dataType: 7,
    int64Data: values,
  });
  const at = infer({
    input: [{ name: 'x', type: tensorType('H', 'W') }],
    initializer: [ints('start', 0, 0), ints('end', 10, 20)],
    node: [node('Slice', ['x', 'start', 'end'], ['y'])],
    valueInfo: [{ name: 'y', type: tensorType(10, 'W2') }],
  });
  assert.equal(at('y'), '1[10, min(W, 20)]');
});

test('ZipMap makes a list of maps', () => {
  const classes = { name: 'classlabels_int64s', type: onnx.AttributeProto.AttributeType.INTS, ints: [4, 5] };
  const at = infer({
    input: [{ name: 'x', type: tensorType('N', 2) }],
    node: [{ ...node('ZipMap', ['x'], ['z'], [classes]), domain: 'ai.onnx.ml' }],
  });
  assert.equal(at('z'), 'sequence of map from 7 to 1[]');
});

test('operators that a later set took away are unknown there', () => {
  const scales = { name: 's', dims: [4], dataType: 1, floatData: [1, 1, 2, 2] };
  const graph = {
    input: [{ name: 'x', type: tensorType(1, 3, 8, 8) }],
    initializer: [scales],
    node: [node('Upsample', ['x', 's'], ['y'])],
  };
  assert.equal(infer(graph, 9)('y'), '1[1, 3, 16, 16]');
  assert.equal(infer(graph, 10)('y'), '0[…]');
});

test('a scalar input may be given its value: the branch that hangs on it is taken', () => {
  const branch = (name: string, size: number) => ({
    name,
    type: onnx.AttributeProto.AttributeType.GRAPH,
    g: {
      name,
      initializer: [{ name: `w${size}`, dims: [size], dataType: 1 }],
      node: [node('Identity', [`w${size}`], [`y${size}`])],
      output: [{ name: `y${size}` }],
    },
  });
  const bytes = onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'g',
      input: [{ name: 'rate', type: { tensorType: { elemType: 7, shape: {} } } }],
      initializer: [{ name: 'limit', dims: [], dataType: 7, int64Data: [16000] }],
      node: [
        node('Equal', ['rate', 'limit'], ['is']),
        node('If', ['is'], ['y'], [branch('then_branch', 3), branch('else_branch', 5)]),
      ],
    },
  }).finish();
  const shapeAt = (...bind: [string, number][]) =>
    print(
      inferShapes(readModel(memorySource('test.onnx', bytes)), {
        bind: new Map(bind),
        openExternal,
      }).fact('y'),
    );
  assert.equal(shapeAt(), '1[?]');
  assert.equal(shapeAt(['rate', 16000]), '1[3]');
  assert.equal(shapeAt(['rate', 8000]), '1[5]');
});

test('elements in the field of another type are none', () => {
  const scalar = (name: string, field: object) => ({ name, dims: [], dataType: 1, ...field });
  const rangeTo = (limit: object) =>
    infer({
      initializer: [
        scalar('start', { floatData: [1] }),
        scalar('limit', limit),
        scalar('step', { floatData: [2] }),
      ],
      node: [node('Range', ['start', 'limit', 'step'], ['r'])],
    })('r');
  assert.equal(rangeTo({ floatData: [5] }), '1[2]');
  assert.equal(rangeTo({ int64Data: [5] }), '1[?]');
});

test('sizes that no int64 holds are not computed with', () => {
  const list = (name: string, value: onnx.ITensorProto['int64Data']) => ({
    name,
    dims: [1],
    dataType: 7,
    int64Data: value!,
  });
  const largest = { low: -1, high: 0x7fffffff, unsigned: false } as unknown as number;
  const at = infer({
    initializer: [list('most', [largest]), list('one', [1]), list('two', [2]), list('minus', [-1])],
    node: [
      node('Add', ['most', 'one'], ['over']),
      node('Mul', ['most', 'two'], ['twice']),
      node('Add', ['most', 'minus'], ['under']),
    ],
  });
  assert.equal(at('over'), '0[…]');
  assert.equal(at('twice'), '0[…]');
  assert.equal(at('under'), '7[1]');
});

test('half floats in the field of integers are bit patterns', () => {
  const rangeOf = (dataType: number, ...bits: number[]) =>
    infer({
      initializer: bits.map((b, i) => ({ name: `c${i}`, dims: [], dataType, int32Data: [b] })),
      node: [node('Range', ['c0', 'c1', 'c2'], ['r'])],
    })('r');
  // From 1 to 5 in steps of 2.
  assert.equal(rangeOf(10, 0x3c00, 0x4500, 0x4000), '10[2]');
  assert.equal(rangeOf(16, 0x3f80, 0x40a0, 0x4000), '16[2]');
});
