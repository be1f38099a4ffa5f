import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnx } from 'onnx-proto';
import { memorySource } from '../../src/core/onnx/byteSource';
import { ModelError } from '../../src/core/onnx/modelError';
import { readModel } from '../../src/core/onnx/read';
import { readFloats, readSmall } from '../../src/core/onnx/tensorData';
import { fieldHeader } from '../../src/core/onnx/wire';
import { buildModel, encodeModel, floatTensor, type ModelSpec } from '../support/onnxModel';

const noFiles = () => {
  throw new Error('no external file was expected');
};

const small: ModelSpec = {
  nodes: [
    {
      op: 'Conv',
      name: 'c',
      inputs: ['x', 'w'],
      outputs: ['y'],
      attributes: { strides: [2, 2], group: 1, auto_pad: 'VALID' },
    },
    { op: 'Clip', inputs: ['y'], outputs: ['z'], attributes: { min: { float: -1.5 } } },
  ],
  inputs: { x: ['N', 3, null, 8] },
  outputs: { z: null },
  initializers: [floatTensor('w', [2, 3, 1, 1], [1, 2, 3, 4, 5, 6])],
};

test('structure, attributes, declared dimensions and weights of a small model', () => {
  const model = buildModel(small);
  assert.equal(model.opsets.get(''), 17);
  assert.deepEqual(
    model.graph.nodes.map((n) => [n.opType, n.name, n.inputs, n.outputs]),
    [
      ['Conv', 'c', ['x', 'w'], ['y']],
      ['Clip', '', ['y'], ['z']],
    ],
  );
  const [conv, clip] = model.graph.nodes;
  assert.deepEqual(conv?.attributes.get('strides'), { kind: 'ints', value: [2, 2] });
  assert.deepEqual(conv?.attributes.get('auto_pad'), { kind: 'string', value: 'VALID' });
  assert.deepEqual(clip?.attributes.get('min'), { kind: 'float', value: -1.5 });
  assert.deepEqual(model.graph.inputs[0]?.shape, ['N', 3, null, 8]);
  assert.equal(model.graph.outputs[0]?.shape, null);
  assert.deepEqual([...readFloats(model, model.graph.initializers[0]!, noFiles)], [1, 2, 3, 4, 5, 6]);
});

test('weights in typed fields: packed floats, halves as bit patterns, unpacked int64', () => {
  const model = buildModel({
    nodes: [],
    initializers: [
      { name: 'f', dims: [2], dataType: 1, floatData: [1.5, -2] },
      { name: 'h', dims: [2], dataType: 10, int32Data: [0x3c00, 0xc000] },
      { name: 'd', dims: [1], dataType: 11, doubleData: [Math.PI] },
      { name: 'i', dims: [3], dataType: 7, int64Data: [1, -1, 2 ** 40] },
    ],
  });
  const [f, h, d, i] = model.graph.initializers;
  assert.deepEqual([...readFloats(model, f!, noFiles)], [1.5, -2]);
  assert.deepEqual([...readFloats(model, h!, noFiles)], [1, -2]);
  assert.deepEqual([...readFloats(model, d!, noFiles)], [Math.PI]);
  assert.deepEqual(readSmall(model, i!, noFiles), [1, -1, 2 ** 40]);
});

test('a payload is not read before somebody asks for it', () => {
  const bytes = encodeModel({
    nodes: [],
    initializers: [floatTensor('w', [1 << 20], new Float32Array(1 << 20))],
  });
  let read = 0;
  const inner = memorySource('big.onnx', bytes);
  const counting = {
    ...inner,
    read(offset: number, length: number) {
      read += length;
      return inner.read(offset, length);
    },
  };
  readModel(counting);
  assert.ok(read < 64 * 1024, `${read} bytes of ${bytes.length} were read`);
});

/** Each of these is refused with a code and a sentence that names the file. */
const refused: readonly [what: string, bytes: Uint8Array, code: string][] = [
  ['an empty file', new Uint8Array(0), 'empty'],
  ['zeros', new Uint8Array(100), 'malformed'],
  ['a PNG', Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13]), 'malformed'],
  ['plain text', new TextEncoder().encode('hello, this is not a model at all'), 'malformed'],
  [
    'a Git LFS pointer',
    new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n'),
    'not-onnx',
  ],
  [
    'a model without a graph',
    onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ version: 17 }] }).finish(),
    'not-onnx',
  ],
  [
    'a graph without an operator set',
    onnx.ModelProto.encode({ irVersion: 8, graph: {} }).finish(),
    'not-onnx',
  ],
  ['a file cut in the middle', encodeModel(small).subarray(0, 90), 'truncated'],
  [
    'a length beyond 53 bits',
    Uint8Array.from([0x3a, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
    'truncated',
  ],
  ['a number longer than ten bytes', new Uint8Array(20).fill(255), 'malformed'],
  [
    'dimensions whose product overflows',
    encodeModel({ nodes: [], initializers: [{ name: 'w', dims: [2 ** 40, 2 ** 40], dataType: 1 }] }),
    'malformed',
  ],
  [
    'a negative dimension',
    encodeModel({ nodes: [], initializers: [{ name: 'w', dims: [-4], dataType: 1 }] }),
    'malformed',
  ],
  ['20,000 nested graphs', nestedGraphs(20_000), 'too-deep'],
];

for (const [what, bytes, code] of refused) {
  test(`${what} is refused as ${code}`, () => {
    assert.throws(
      () => readModel(memorySource('bad.onnx', bytes)),
      (error) =>
        error instanceof ModelError &&
        error.code === code &&
        error.message.startsWith('bad.onnx') &&
        error.message.endsWith('.'),
    );
  });
}

test('every cut of a valid file is refused or leaves a model, and never hangs or crashes', () => {
  const bytes = encodeModel(small);
  for (let length = 0; length < bytes.length; length++) {
    try {
      readModel(memorySource('cut.onnx', bytes.subarray(0, length)));
    } catch (error) {
      assert.ok(error instanceof ModelError, `a cut at ${length} gives ${error}`);
    }
  }
});

test('a tensor whose payload does not fit its dimensions is refused when it is read', () => {
  const model = buildModel({ nodes: [], initializers: [{ ...floatTensor('w', [2], [1, 2, 3]) }] });
  assert.throws(
    () => readFloats(model, model.graph.initializers[0]!, noFiles),
    (error) => error instanceof ModelError && error.code === 'data-length' && error.message.includes('"w"'),
  );
});

/** A graph in an attribute of a node of a graph, and so on, built from the inside. */
function nestedGraphs(depth: number): Uint8Array {
  const fields = [1, 5, 6]; // node of a graph, attribute of a node, graph of an attribute
  const headers: Uint8Array[] = [];
  let length = 0;
  for (let level = depth - 1; level >= 0; level--) {
    const header = fieldHeader(fields[level % 3]!, length);
    headers.push(header);
    length += header.length;
  }
  const opset = onnx.ModelProto.encode({ opsetImport: [{ version: 17 }] }).finish();
  return Buffer.concat([opset, fieldHeader(7, length), ...headers.reverse()]);
}
