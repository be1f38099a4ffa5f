import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnx } from 'onnx-proto';
import { nodeTraffic, peakActivations } from '../../src/core/onnx/activations';
import { memorySource } from '../../src/core/onnx/byteSource';
import { nodeMacs } from '../../src/core/onnx/cost';
import type { Model } from '../../src/core/onnx/model';
import { readModel } from '../../src/core/onnx/read';
import { printDim } from '../../src/core/onnx/shapes/dim';
import { inferShapes } from '../../src/core/onnx/shapes/inferShapes';
import { resnet18 } from '../support/architectures/residual';
import { buildModel } from '../support/onnxModel';

const openExternal = () => assert.fail('no external file was expected');

function peakIn(model: Model, bind = new Map<string, number>()) {
  const { peak, at, unknown } = peakActivations(
    model,
    inferShapes(model, { bind: new Map(), openExternal }),
    bind,
  );
  return { peak, at: at?.name, unknown };
}

test('a chain needs two neighbours at a time', () => {
  // 400 → 800 → 200 → 40 bytes; the input is the caller's.
  const model = buildModel({
    inputs: { x: [1, 100] },
    initializers: [
      { name: 'u', dims: [100, 200], dataType: 1 },
      { name: 'v', dims: [200, 50], dataType: 1 },
      { name: 'w', dims: [50, 10], dataType: 1 },
    ],
    nodes: [
      { op: 'MatMul', name: 'a', inputs: ['x', 'u'], outputs: ['p'] },
      { op: 'MatMul', name: 'b', inputs: ['p', 'v'], outputs: ['q'] },
      { op: 'MatMul', name: 'c', inputs: ['q', 'w'], outputs: ['r'] },
    ],
    outputs: { r: null },
  });
  assert.deepEqual(peakIn(model), { peak: 800 + 200, at: 'b', unknown: [] });
});

test('a value that a later node reads stays', () => {
  const relu = (name: string, from: string, to: string) => ({
    op: 'Relu',
    name,
    inputs: [from],
    outputs: [to],
  });
  const model = buildModel({
    inputs: { x: [100] },
    nodes: [
      relu('a', 'x', 'p'),
      relu('b', 'p', 'q'),
      relu('c', 'q', 'r'),
      { op: 'Add', name: 'd', inputs: ['r', 'p'], outputs: ['s'] },
    ],
    outputs: { s: null },
  });
  // p, q and r during c; p, r and s during d are as many, but later.
  assert.deepEqual(peakIn(model), { peak: 1200, at: 'c', unknown: [] });
});

test('outputs live to the end; what nobody reads does not', () => {
  const relu = (from: string, to: string) => ({ op: 'Relu', name: to, inputs: [from], outputs: [to] });
  const nodes = [relu('x', 'p'), relu('x', 'q'), relu('x', 'r')];
  const inputs = { x: [100] };
  assert.equal(peakIn(buildModel({ inputs, nodes, outputs: { r: null } })).peak, 400);
  assert.equal(peakIn(buildModel({ inputs, nodes, outputs: { p: null, q: null, r: null } })).peak, 1200);
});

test('what is computed from constants alone is no activation', () => {
  const model = buildModel({
    inputs: { x: ['N', 4] },
    initializers: [{ name: 'w', dims: [8, 4], dataType: 1 }],
    nodes: [
      { op: 'Transpose', name: 'a', inputs: ['w'], outputs: ['t'] },
      { op: 'MatMul', name: 'b', inputs: ['x', 't'], outputs: ['y'] },
    ],
    outputs: { y: null },
  });
  assert.deepEqual(peakIn(model, new Map([['N', 3]])), { peak: 3 * 8 * 4, at: 'b', unknown: [] });
});

test('an unknown size makes the peak unknown, and is named', () => {
  const model = buildModel({
    inputs: { x: ['N', 4] },
    nodes: [{ op: 'Relu', name: 'a', inputs: ['x'], outputs: ['y'] }],
    outputs: { y: null },
  });
  assert.deepEqual(peakIn(model), { peak: null, at: 'a', unknown: ['y'] });
});

test('a branch adds its own values to those around it, and reads them to the end', () => {
  const float = (dims: number[]) => ({
    tensorType: { elemType: 1, shape: { dim: dims.map((dimValue) => ({ dimValue })) } },
  });
  const relu = (from: string, to: string) => ({ opType: 'Relu', name: to, input: [from], output: [to] });
  const branch = (name: string, ...node: onnx.INodeProto[]) => ({
    name,
    type: onnx.AttributeProto.AttributeType.GRAPH,
    g: { name, node, output: [{ name: node.at(-1)!.output![0]! }] },
  });
  const bytes = onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'g',
      input: [
        { name: 'x', type: float([100]) },
        { name: 'c', type: { tensorType: { elemType: 9, shape: {} } } },
      ],
      node: [
        relu('x', 'p'),
        {
          opType: 'If',
          name: 'if',
          input: ['c'],
          output: ['y'],
          attribute: [
            branch('then_branch', relu('p', 'a'), relu('a', 'b'), relu('b', 'd')),
            branch('else_branch', relu('p', 'e')),
          ],
        },
      ],
      output: [{ name: 'y', type: float([100]) }],
    },
  }).finish();
  // p, y (which is d or e), and a with b.
  const model = readModel(memorySource('test.onnx', bytes));
  assert.deepEqual(peakIn(model), { peak: 1600, at: 'if', unknown: [] });
  const shapes = inferShapes(model, { bind: new Map(), openExternal });
  // Three times 400 bytes in the dearer branch.
  assert.deepEqual(nodeTraffic(model.graph.nodes[1]!, shapes), { read: 1200, written: 1200 });
});

test('the values inside a function add to those around it; its result is its node’s', () => {
  const relu = (from: string, to: string) => ({ opType: 'Relu', name: to, input: [from], output: [to] });
  const opsets = [
    { domain: '', version: 17 },
    { domain: 'f', version: 1 },
  ];
  const bytes = onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: opsets,
    functions: [
      {
        domain: 'f',
        name: 'Thrice',
        input: ['in'],
        output: ['out'],
        opsetImport: opsets.slice(0, 1),
        node: [relu('in', 'a'), relu('a', 'b'), relu('b', 'out')],
      },
    ],
    graph: {
      name: 'g',
      input: [{ name: 'x', type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 100 }] } } } }],
      node: [{ opType: 'Thrice', domain: 'f', name: 'call', input: ['x'], output: ['y'] }],
      output: [{ name: 'y' }],
    },
  }).finish();
  // y, and a with b.
  const model = readModel(memorySource('test.onnx', bytes));
  assert.deepEqual(peakIn(model), { peak: 1200, at: 'call', unknown: [] });
});

test('a loop keeps the state of the last iteration beside that of the next', () => {
  const tensorType = (elemType: number, ...dims: number[]) => ({
    tensorType: { elemType, shape: { dim: dims.map((dimValue) => ({ dimValue })) } },
  });
  const relu = (from: string, to: string) => ({ opType: 'Relu', name: to, input: [from], output: [to] });
  const body = {
    name: 'body',
    input: [
      { name: 'i', type: tensorType(7) },
      { name: 'go', type: tensorType(9) },
      { name: 's', type: tensorType(1, 100) },
    ],
    node: [
      { opType: 'Identity', name: 'id', input: ['go'], output: ['going'] },
      relu('s', 'a'),
      relu('a', 'b'),
    ],
    output: [{ name: 'going' }, { name: 'b' }],
  };
  const bytes = onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'g',
      initializer: [
        { name: 'n', dims: [], dataType: 7, int64Data: [3] },
        { name: 't', dims: [], dataType: 9, int32Data: [1] },
      ],
      input: [{ name: 'x', type: tensorType(1, 100) }],
      node: [
        {
          opType: 'Loop',
          name: 'loop',
          input: ['n', 't', 'x'],
          output: ['y'],
          attribute: [{ name: 'body', type: onnx.AttributeProto.AttributeType.GRAPH, g: body }],
        },
      ],
      output: [{ name: 'y' }],
    },
  }).finish();
  // y stands for the state before; a and b with the condition, one byte.
  const model = readModel(memorySource('test.onnx', bytes));
  assert.deepEqual(peakIn(model), { peak: 1201, at: 'loop', unknown: [] });
  const shapes = inferShapes(model, { bind: new Map(), openExternal });
  const moved = 3 * (1 + 800);
  assert.deepEqual(nodeTraffic(model.graph.nodes[0]!, shapes), { read: moved, written: moved });
});

test('ResNet-18 needs most around its first normalisation', () => {
  const { peak, at, unknown } = peakIn(resnet18().model);
  // 64 × 112 × 112 floats before it, as many behind it.
  assert.deepEqual({ peak, unknown }, { peak: 2 * 64 * 112 * 112 * 4, unknown: [] });
  assert.equal(at, '/BatchNormalization_2');
});

test('a node reads weights and inputs once each and writes its outputs', () => {
  const model = buildModel({
    inputs: { x: ['N', 64] },
    initializers: [{ name: 'w', dims: [64, 32], dataType: 10 }],
    nodes: [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] },
      { op: 'Mul', inputs: ['y', 'y'], outputs: ['z'] },
      { op: 'Shape', inputs: ['z'], outputs: ['s'] },
    ],
  });
  const shapes = inferShapes(model, { bind: new Map(), openExternal });
  const traffic = model.graph.nodes.map((node) => {
    const { read, written } = nodeTraffic(node, shapes);
    return [printDim(read), printDim(written)];
  });
  assert.deepEqual(traffic, [
    [`256*N + ${64 * 32 * 2}`, '128*N'],
    ['128*N', '128*N'],
    ['0', '16'],
  ]);
  assert.equal(printDim(nodeMacs(model.graph.nodes[0]!, shapes)), '2048*N');
});

test('an embedding reads the rows it picks, not the table', () => {
  const model = buildModel({
    inputs: { x: [1] },
    initializers: [
      { name: 'table', dims: [30000, 16], dataType: 1 },
      { name: 'ids', dims: [3], dataType: 7, int64Data: [1, 2, 3] },
    ],
    nodes: [{ op: 'Gather', inputs: ['table', 'ids'], outputs: ['y'] }],
  });
  const shapes = inferShapes(model, { bind: new Map(), openExternal });
  assert.deepEqual(nodeTraffic(model.graph.nodes[0]!, shapes), {
    read: 3 * 16 * 4 + 24,
    written: 3 * 16 * 4,
  });
});

test('half of a byte is a quarter of a half', () => {
  const model = buildModel({
    inputs: { x: [1] },
    initializers: [
      { name: 'w', dims: [5, 3], dataType: 22, rawData: new Uint8Array(8) },
      { name: 's', dims: [], dataType: 10 },
    ],
    nodes: [{ op: 'DequantizeLinear', inputs: ['w', 's'], outputs: ['y'] }],
    opset: 21,
  });
  const shapes = inferShapes(model, { bind: new Map(), openExternal });
  // 15 elements of 4 bits in 8 bytes, one scale of two.
  assert.deepEqual(nodeTraffic(model.graph.nodes[0]!, shapes), { read: 8 + 2, written: 30 });
});
