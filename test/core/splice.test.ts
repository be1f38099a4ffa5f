import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnx } from 'onnx-proto';
import { memorySource } from '../../src/core/onnx/byteSource';
import { encodeNode } from '../../src/core/onnx/proto';
import { readModel } from '../../src/core/onnx/read';
import { field, splice, tensorField } from '../../src/core/onnx/splice';
import { encodeModel, floatTensor, joinSegments } from '../support/onnxModel';

const bytes = encodeModel({
  nodes: [
    { op: 'Relu', name: 'a', inputs: ['x'], outputs: ['b'] },
    { op: 'Relu', name: 'c', inputs: ['b'], outputs: ['y'] },
  ],
  inputs: { x: [1, 4] },
  outputs: { y: null },
  initializers: [floatTensor('w', [4], [1, 2, 3, 4])],
});

/** A model-level field no version of onnx.proto knows: it has to survive. */
const unknownField = Uint8Array.from([0xfa, 0x3f, 3, 1, 2, 3]);
const file = new Uint8Array(Buffer.concat([bytes, unknownField]));

test('without edits the file comes out byte for byte', () => {
  const model = readModel(memorySource('m.onnx', file));
  assert.deepEqual(joinSegments(splice(model, [])), Buffer.from(file));
});

test('replaced, removed and added fields; the rest keeps its bytes, unknown fields included', () => {
  const model = readModel(memorySource('m.onnx', file));
  const { graph } = model;
  const [first, second] = graph.nodes;
  const end = graph.initializers[0]!.span.end;
  const long = 'n'.repeat(300); // makes the graph's length need another byte
  const edits = [
    {
      container: graph.container,
      span: first!.span,
      replacement: field(1, encodeNode({ name: long, opType: 'Tanh', inputs: ['x'], outputs: ['b'] })),
    },
    { container: graph.container, span: graph.initializers[0]!.span, replacement: [] },
    {
      container: graph.container,
      span: { start: end, end },
      replacement: tensorField(5, 'v', 1, [1], new Uint8Array(4)),
    },
  ];
  const out = joinSegments(splice(model, edits));
  const decoded = onnx.ModelProto.decode(out);
  assert.deepEqual(
    decoded.graph?.node?.map((n) => [n.opType, n.name]),
    [
      ['Tanh', long],
      ['Relu', 'c'],
    ],
  );
  assert.deepEqual(
    decoded.graph?.initializer?.map((t) => t.name),
    ['v'],
  );
  const copied = Buffer.from(file.subarray(second!.span.start, second!.span.end));
  assert.ok(Buffer.from(out).includes(copied), 'the untouched node keeps its bytes');
  assert.deepEqual(Buffer.from(out).subarray(-unknownField.length), Buffer.from(unknownField));
});

test('an edit inside a nested graph lengthens every message around it', () => {
  const inner = onnx.GraphProto.create({
    name: 'body',
    node: [{ opType: 'Relu', input: ['x'], output: ['y'] }],
  });
  const nested = onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'g',
      node: [
        {
          opType: 'If',
          input: ['c'],
          output: ['z'],
          attribute: [
            { name: 'then_branch', type: 5, g: inner },
            { name: 'else_branch', type: 5, g: inner },
          ],
        },
      ],
    },
  }).finish();
  const model = readModel(memorySource('n.onnx', nested));
  const branch = model.graph.nodes[0]?.attributes.get('then_branch');
  assert.ok(branch?.kind === 'graph');
  const name = 'x'.repeat(200);
  const out = joinSegments(
    splice(model, [
      {
        container: branch.value.container,
        span: branch.value.nodes[0]!.span,
        replacement: field(1, encodeNode({ name, opType: 'Tanh', inputs: ['x'], outputs: ['y'] })),
      },
    ]),
  );
  const decoded = onnx.ModelProto.decode(out);
  const graphs = decoded.graph?.node?.[0]?.attribute?.map((a) => a.g?.node?.[0]);
  assert.deepEqual([graphs?.[0]?.opType, graphs?.[0]?.name, graphs?.[1]?.opType], ['Tanh', name, 'Relu']);
  readModel(memorySource('again.onnx', out)); // strict about every length
});
