import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnx } from 'onnx-proto';
import { analyzeModel } from '../../src/core/compress/analyzeModel';
import { type ByteSource, memorySource } from '../../src/core/onnx/byteSource';
import { checkedLocation } from '../../src/core/onnx/externalData';
import { ModelError } from '../../src/core/onnx/modelError';
import { readModel } from '../../src/core/onnx/read';
import { readFloats } from '../../src/core/onnx/tensorData';
import { createDice, type Dice, mutateBytes, mutateStructure } from '../support/fuzz';
import {
  doubleTensor,
  encodeGraph,
  encodeModel,
  floatTensor,
  int64Tensor,
  seededArray,
} from '../support/onnxModel';
import { assertQuick } from '../support/processorTime';

const RUNS = 12_000;
/** No input of a few kilobytes may keep anybody waiting: processor time. */
const LONGEST_MS = 2000;

/** Small files with everything in them that a reader can trip over. */
const seeds: readonly Uint8Array[] = [
  encodeModel({
    nodes: [
      {
        op: 'Conv',
        name: 'c',
        inputs: ['x', 'w', 'b'],
        outputs: ['h'],
        attributes: { pads: [1, 1, 1, 1], group: 2 },
      },
      {
        op: 'BatchNormalization',
        inputs: ['h', 's', 's', 's', 's'],
        outputs: ['n'],
        attributes: { epsilon: { float: 0.1 } },
      },
      { op: 'Shape', inputs: ['n'], outputs: ['shape'] },
      { op: 'Gather', inputs: ['shape', 'zero'], outputs: ['first'] },
      { op: 'Concat', inputs: ['first', 'rest'], outputs: ['to'], attributes: { axis: 0 } },
      { op: 'Reshape', inputs: ['n', 'to'], outputs: ['flat'] },
      {
        op: 'Gemm',
        name: 'g',
        inputs: ['flat', 'v', 'b'],
        outputs: ['y'],
        attributes: { transB: 1, alpha: { float: 2 } },
      },
    ],
    inputs: { x: ['N', 4, 5, 5] },
    outputs: { y: null },
    initializers: [
      floatTensor('w', [4, 2, 3, 3], seededArray(72, 1)),
      floatTensor('b', [4], [1, 2, 3, 4]),
      floatTensor('s', [4], [1, 1, 1, 1]),
      int64Tensor('zero', [1], [0]),
      int64Tensor('rest', [1], [-1]),
      { name: 'v', dims: [4, 100], dataType: 1, floatData: [...seededArray(400, 2)] },
    ],
  }),
  encodeModel({
    nodes: [
      {
        op: 'If',
        inputs: ['c'],
        outputs: ['y'],
        attributes: {
          then_branch: encodeGraph({
            nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['t'] }],
            outputs: { t: null },
          }),
          else_branch: encodeGraph({
            nodes: [
              {
                op: 'Constant',
                inputs: [],
                outputs: ['e'],
                attributes: { value: doubleTensor('', [2], [1, 2]) },
              },
            ],
            outputs: { e: null },
          }),
        },
      },
      {
        op: 'Loop',
        inputs: ['n', '', 'y'],
        outputs: ['z'],
        attributes: {
          body: encodeGraph({
            nodes: [{ op: 'Add', inputs: ['s', 's'], outputs: ['t'] }],
            inputs: { i: [], go: [], s: [3] },
            outputs: { go: [], t: [3] },
          }),
        },
      },
    ],
    inputs: { x: [2, 4], c: [] },
    inputTypes: { c: 9 },
    outputs: { z: null },
    initializers: [floatTensor('w', [4, 4], seededArray(16, 1)), int64Tensor('n', [], [5])],
  }),
  encodeModel({
    nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: { x: [2, 16] },
    outputs: { y: null },
    initializers: [
      {
        name: 'w',
        dims: [16, 16],
        dataType: 1,
        dataLocation: 1,
        externalData: [
          { key: 'location', value: 'folder/w.bin' },
          { key: 'offset', value: '64' },
          { key: 'length', value: '1024' },
        ],
      },
      { name: 'h', dims: [4], dataType: 10, int32Data: [15360, 1, 2, 3] },
    ],
  }),
  onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ version: 17 }, { domain: 'local', version: 1 }],
    functions: [
      {
        name: 'f',
        domain: 'local',
        input: ['a'],
        output: ['b'],
        opsetImport: [{ version: 17 }],
        node: [{ opType: 'f', domain: 'local', input: ['a'], output: ['b'] }],
      },
    ],
    graph: {
      name: 'g',
      node: [{ opType: 'f', domain: 'local', input: ['x'], output: ['y'] }],
      input: [
        {
          name: 'x',
          type: {
            sequenceType: { elemType: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'n' }] } } } },
          },
        },
      ],
      sparseInitializer: [{ values: { name: 's', dims: [1], dataType: 1, floatData: [1] }, dims: [4] }],
      quantizationAnnotation: [{ tensorName: 'x' }],
    },
    metadataProps: [{ key: 'k', value: 'v' }],
  }).finish(),
];

/** Opens nothing, but looks at what it is asked to open: no name may lead out of the folder. */
function openExternal(location: string, tensor: string): ByteSource {
  const parts = checkedLocation(location, 'fuzz.onnx', tensor);
  assert.ok(
    parts.length > 0 && parts.every((part) => part !== '..' && !/[\\/\0]/.test(part)),
    JSON.stringify(location),
  );
  return memorySource(location, new Uint8Array(2000));
}

/** Reads, analyses and reads weights; what it allocates at once is bounded by what the file holds. */
function exercise(bytes: Uint8Array): void {
  const inner = memorySource('fuzz.onnx', bytes);
  const source: ByteSource = {
    ...inner,
    read(offset, length) {
      assert.ok(length <= bytes.length, `${length} bytes were asked for of ${bytes.length}`);
      return inner.read(offset, length);
    },
  };
  const model = readModel(source);
  analyzeModel(model, { dims: {}, openExternal, shapes: true });
  for (const tensor of model.graph.initializers) {
    try {
      readFloats(model, tensor, openExternal);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
    }
  }
}

function fuzz(name: string, seed: number, mutate: (bytes: Uint8Array, dice: Dice) => Uint8Array): void {
  test(`${RUNS} files with ${name}: a model or a sentence, never a crash or a long wait`, () => {
    const dice = createDice(seed);
    let readable = 0;
    for (let run = 0; run < RUNS; run++) {
      const bytes = mutate(seeds[run % seeds.length]!, dice);
      let isReadable = false;
      const attempt = () => {
        try {
          exercise(bytes);
          isReadable = true;
        } catch (error) {
          if (!(error instanceof ModelError)) {
            assert.fail(
              `run ${run} of seed ${seed}: ${(error as Error).stack}\n${Buffer.from(bytes).toString('base64')}`,
            );
          }
          assert.ok(error.message.startsWith('fuzz.onnx') && error.message.endsWith('.'), error.message);
        }
      };
      assertQuick(attempt, LONGEST_MS, `run ${run} of seed ${seed}`);
      if (isReadable) readable++;
    }
    // Mutations that nothing survives would test the first check only.
    assert.ok(readable > RUNS / 50, `${readable} of ${RUNS} were readable`);
  });
}

fuzz('a changed structure', 20_261_122, mutateStructure);
fuzz('changed bytes', 4711, mutateBytes);
