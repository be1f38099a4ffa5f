import assert from 'node:assert/strict';
import { rmSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { onnx } from 'onnx-proto';
import { memorySource } from '../../src/core/onnx/byteSource';
import { readModel } from '../../src/core/onnx/read';
import { readMetadata } from '../../src/core/onnx/readMetadata';
import { openFile } from '../../src/worker/fileSource';
import { createCheckedSession } from '../support/checkedSession';
import { encodeModel, floatTensor, seededArray } from '../support/onnxModel';
import { SAMPLE, scratchFolder, writeInto } from '../support/scratch';
import { writeSparseModel } from '../support/sparseModel';

const folder = path.resolve('dist');
const session = createCheckedSession({ folder, threadScript: path.join(folder, 'factorThread.js') });
after(() => session.close());

/** A product whose weight stands in a data file. */
const outside = (location: string) =>
  encodeModel({
    inputs: { x: [1, 8] },
    outputs: { y: [1, 4] },
    nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
    initializers: [
      {
        name: 'w',
        dims: [8, 4],
        dataType: 1,
        dataLocation: 1,
        externalData: [
          { key: 'location', value: location },
          { key: 'length', value: '128' },
        ],
      },
    ],
  });

describe('what a model is made of', () => {
  it('the sample: its operators, opset, inputs and outputs', async () => {
    const { analysis, structure } = await session.inspect({ path: SAMPLE });
    const plain = await session.analyze({ path: SAMPLE });
    assert.deepEqual(analysis, plain);
    assert.deepEqual(structure.opsets, { '': 17 });
    assert.equal(
      structure.operators.reduce((sum, { count }) => sum + count, 0),
      structure.nodes,
    );
    assert.deepEqual(structure.operators[0], { op: 'Relu', domain: '', count: 7 });
    assert.deepEqual(structure.inputs, [{ name: 'input', type: 'float', shape: ['batch', 1, 28, 28] }]);
    assert.deepEqual(
      structure.outputs.map(({ type, shape }) => [type, shape]),
      [['float', ['batch', 10]]],
    );
    assert.deepEqual([structure.dataFiles, structure.problems, structure.bodies], [[], [], 0]);
  });

  it('what it says of itself; texts of any length don’t get in the way', () => {
    const model = onnx.ModelProto.decode(encodeModel({ nodes: [] }));
    model.producerName = 'exporter';
    model.producerVersion = '1.2';
    model.modelVersion = 7;
    model.docString = 'what it is for';
    model.metadataProps = [
      onnx.StringStringEntryProto.create({ key: 'author', value: '<b>somebody</b>' }),
      onnx.StringStringEntryProto.create({ key: 'blob', value: 'x'.repeat(1 << 20) }),
      onnx.StringStringEntryProto.create({ key: 'licence', value: 'MIT' }),
    ];
    const said = readMetadata(memorySource('m.onnx', onnx.ModelProto.encode(model).finish()));
    assert.deepEqual(said, {
      producer: 'exporter',
      producerVersion: '1.2',
      domain: '',
      version: 7,
      description: 'what it is for',
      properties: [
        { key: 'author', value: '<b>somebody</b>' },
        { key: 'licence', value: 'MIT' },
      ],
      omitted: 1,
    });
  });

  it('data files: there, too short, missing, and not to be touched', async () => {
    const files = scratchFolder();
    const file = writeInto(files, 'net.onnx', outside('net.data'));
    const data = writeInto(files, 'net.data', new Uint8Array(seededArray(32, 1).buffer));
    const state = async () => (await session.inspect({ path: file })).structure.dataFiles;
    const use = { location: 'net.data', tensors: 1, bytes: 128, first: 'w' };
    assert.deepEqual(await state(), [{ ...use, size: 128 }]);
    truncateSync(data, 100);
    const [short] = await state();
    assert.equal(short?.size, 100);
    assert.match(short?.trouble ?? '', /ends at byte 100\.$/);
    rmSync(data);
    const [missing] = await state();
    assert.equal(missing?.size, null);
    assert.match(missing?.trouble ?? '', /net\.data, which holds the tensor "w", is missing\.$/);
    const hostile = writeInto(files, 'hostile.onnx', outside('../../etc/shadow'));
    const [refused] = (await session.inspect({ path: hostile })).structure.dataFiles;
    assert.match(refused?.trouble ?? '', /is not a file below the model's folder\. It is not read\.$/);
  });

  it('where shapes get lost', async () => {
    const file = writeInto(
      scratchFolder(),
      'custom.onnx',
      encodeModel({
        inputs: { x: [1, 8] },
        outputs: { y: null },
        nodes: [
          { op: 'com.example:Magic', inputs: ['x'], outputs: ['m'], name: 'magic' },
          { op: 'Relu', inputs: ['m'], outputs: ['r'] },
          { op: 'MatMul', inputs: ['r', 'w'], outputs: ['y'] },
        ],
        initializers: [floatTensor('w', [8, 4], seededArray(32, 1))],
      }),
    );
    const { structure, analysis } = await session.inspect({ path: file });
    assert.deepEqual(
      structure.problems.map(({ message }) => message),
      [
        'The shape of what a node of com.example:Magic gives can’t be inferred (first "magic"); 3 values of the graph have none.',
      ],
    );
    assert.equal(analysis.problems[0]?.code, 'unknown-macs');
  });

  it('a model of 1.6 GB is read by its nodes, not by its bytes', async () => {
    const file = path.join(scratchFolder(), 'large.onnx');
    writeSparseModel(file, 20_000, 20_000);
    assert.ok(statSync(file).size > 1.6e9);
    let read = 0;
    const source = openFile(file);
    try {
      const counting = {
        name: source.name,
        size: source.size,
        read(offset: number, length: number, space?: Uint8Array) {
          read += length;
          return source.read(offset, length, space);
        },
      };
      assert.equal(readModel(counting).graph.nodes.length, 1);
      assert.equal(readMetadata(counting).producer, 'test');
    } finally {
      source.close();
    }
    assert.ok(read < 64 * 1024, `${read} bytes`);
    const { analysis, structure } = await session.inspect({ path: file });
    assert.equal(analysis.bytes, statSync(file).size);
    assert.equal(analysis.parameters.stored, 4e8);
    assert.equal(structure.initializers, 1);
  });
});
