import assert from 'node:assert/strict';
import { readdirSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import type { LayerReport } from '../../src/core/compress/report';
import { rewriteModel } from '../../src/core/compress/rewrite';
import { memorySource } from '../../src/core/onnx/byteSource';
import { Element } from '../../src/core/onnx/elements';
import { ModelError } from '../../src/core/onnx/modelError';
import { readModel } from '../../src/core/onnx/read';
import { encodeFloats } from '../../src/core/onnx/tensorData';
import type { CompressRequest } from '../../src/worker/engine';
import { createCheckedSession } from '../support/checkedSession';
import { npyFile, npzFile } from '../support/npyFile';
import {
  encodeModel,
  floatTensor,
  int64Tensor,
  joinSegments,
  type ModelSpec,
  type NodeSpec,
  seededArray,
} from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

/**
 * Compressing with data what models and data can be like: element types, weights in data files, several inputs, layers that
 * data says nothing of. Every file that is written is run and held against its report (checkedSession.ts).
 */

const folder = path.resolve('dist');
const session = createCheckedSession({ folder, threadScript: path.join(folder, 'factorThread.js') });
after(() => session.close());

const COUNT = 64;

/** Values that follow each other smoothly, around a mean that is not 0. */
function smooth(count: number, seed: number): Float32Array {
  const values = seededArray(count, seed);
  for (let at = 1; at < count; at++) values[at] = 0.9 * values[at - 1]! + 0.3 * values[at]! + 0.1;
  return values;
}

const samples = (...shape: number[]) =>
  npyFile(
    '<f4',
    [COUNT, ...shape],
    smooth(
      shape.reduce((a, b) => a * b, COUNT),
      5,
    ),
  );

/** Weights of a size that keeps activations about 1. */
const weights = (size: number, inputs: number, seed: number) =>
  seededArray(size, seed).map((value) => value * Math.sqrt(3 / inputs));

const of = (type: number, name: string, dims: number[], values: Float32Array) => ({
  name,
  dims,
  dataType: type,
  rawData: encodeFloats(type, values),
});

/** A convolution, a rectification, and a product; constants and the nodes between the casts are of one type. */
function mixed(type: number, before: readonly NodeSpec[] = [], after: readonly NodeSpec[] = []): ModelSpec {
  const tensor = (name: string, dims: number[], values: Float32Array) => of(type, name, dims, values);
  return {
    nodes: [
      ...before,
      {
        op: 'Conv',
        name: 'conv',
        inputs: [before.length > 0 ? 'xh' : 'x', 'w1', 'b1'],
        outputs: ['a'],
        attributes: { pads: [1, 1, 1, 1] },
      },
      { op: 'Relu', name: 'r', inputs: ['a'], outputs: ['b'] },
      { op: 'Flatten', name: 'flat', inputs: ['b'], outputs: ['c'] },
      { op: 'MatMul', name: 'product', inputs: ['c', 'w2'], outputs: [after.length > 0 ? 'yh' : 'y'] },
      ...after,
    ],
    inputs: { x: ['N', 8, 6, 6] },
    outputs: { y: ['N', 24] },
    inputTypes: before.length > 0 ? {} : { x: type },
    outputTypes: after.length > 0 ? {} : { y: type },
    initializers: [
      tensor('w1', [16, 8, 3, 3], weights(16 * 72, 72, 1)),
      tensor('b1', [16], seededArray(16, 2)),
      tensor('w2', [576, 24], weights(576 * 24, 576, 3)),
    ],
  };
}

/** A model and data in a folder of their own, and what is asked for. */
function prepared(
  model: Uint8Array,
  data: readonly [name: string, bytes: Uint8Array],
  more: Partial<CompressRequest> = {},
): CompressRequest {
  const home = scratchFolder();
  return {
    path: writeInto(home, 'model.onnx', model),
    output: path.join(home, 'small.onnx'),
    target: { kind: 'rank', rank: 6 },
    method: 'auto',
    overwrite: true,
    allowSlower: true,
    calibration: { path: writeInto(home, ...data) },
    ...more,
  };
}

const factored = (layers: readonly LayerReport[]) => layers.filter(({ method }) => method !== 'dense');

/** Compresses with the data and by the weights alone: data has to help, and to guide every layer. */
async function isWorthIt(request: CompressRequest, names: readonly string[]): Promise<void> {
  const { calibration, ...plain } = request;
  const own = await session.compress(request);
  assert.deepEqual(
    factored(own.layers).map(({ name, uncalibrated }) => [name, uncalibrated]),
    names.map((name) => [name, undefined]),
  );
  const output = path.join(path.dirname(request.output), 'plain.onnx');
  const other = await session.compress({ ...plain, output });
  const { outputError } = await session.verify({
    original: request.path,
    compressed: output,
    calibration: calibration!,
  });
  assert.equal(other.calibration, undefined);
  assert.ok(
    own.outputError.relative < outputError.relative,
    `${own.outputError.relative} against ${outputError.relative}`,
  );
}

const isRefused = (code: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ModelError, `${error}`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, text);
  assert.match(error.message, /\.$/);
  return true;
};

describe('element types', () => {
  const cast = (from: string, to: string, type: number): NodeSpec => ({
    op: 'Cast',
    name: `to-${to}`,
    inputs: [from],
    outputs: [to],
    attributes: { to: type },
  });
  const data = ['data.npy', samples(8, 6, 6)] as const;

  it('half precision through and through', async () => {
    await isWorthIt(prepared(encodeModel(mixed(Element.float16)), data), ['conv', 'product']);
  });

  it('half precision behind a cast', async () => {
    const spec = mixed(Element.float16, [cast('x', 'xh', Element.float16)], [cast('yh', 'y', Element.float)]);
    await isWorthIt(prepared(encodeModel(spec), data), ['conv', 'product']);
  });

  it('bfloat16, for which ONNX Runtime has no kernels: a sentence, and no file', async () => {
    const spec = mixed(
      Element.bfloat16,
      [cast('x', 'xh', Element.bfloat16)],
      [cast('yh', 'y', Element.float)],
    );
    for (const each of [mixed(Element.bfloat16), spec]) {
      const request = prepared(encodeModel(each), data);
      await assert.rejects(session.compress(request), (error) => {
        return error instanceof ModelError && /bfloat16.*\.$/.test(error.message);
      });
      assert.deepEqual(readdirSync(path.dirname(request.path)).sort(), ['data.npy', 'model.onnx']);
    }
  });

  it('bfloat16 weights that are cast to float', async () => {
    const spec: ModelSpec = {
      nodes: [
        cast('w', 'wf', Element.float),
        { op: 'MatMul', name: 'product', inputs: ['x', 'wf'], outputs: ['y'] },
      ],
      inputs: { x: ['N', 48] },
      outputs: { y: null },
      initializers: [of(Element.bfloat16, 'w', [48, 32], weights(48 * 32, 48, 1))],
    };
    await isWorthIt(prepared(encodeModel(spec), ['data.npy', samples(48)]), ['product']);
  });

  it('double precision', async () => {
    const spec: ModelSpec = {
      nodes: [{ op: 'MatMul', name: 'product', inputs: ['x', 'w'], outputs: ['y'] }],
      inputs: { x: ['N', 48] },
      outputs: { y: null },
      inputTypes: { x: Element.double },
      outputTypes: { y: Element.double },
      initializers: [of(Element.double, 'w', [48, 32], weights(48 * 32, 48, 1))],
    };
    await isWorthIt(prepared(encodeModel(spec), ['data.npy', samples(48)]), ['product']);
  });
});

describe('where weights and inputs are', () => {
  it('weights in a data file', async () => {
    const [w1, w2] = [weights(48 * 64, 48, 1), weights(64 * 40, 64, 2)];
    const external = (name: string, dims: number[], offset: number, length: number) => ({
      name,
      dims,
      dataType: 1,
      dataLocation: 1,
      externalData: Object.entries({ location: 'w.bin', offset: `${offset}`, length: `${length}` }).map(
        ([key, value]) => ({ key, value }),
      ),
    });
    const spec: ModelSpec = {
      nodes: [
        { op: 'Gemm', name: 'f1', inputs: ['x', 'w1'], outputs: ['a'] },
        { op: 'Relu', name: 'r', inputs: ['a'], outputs: ['b'] },
        { op: 'MatMul', name: 'f2', inputs: ['b', 'w2'], outputs: ['y'] },
      ],
      inputs: { x: ['N', 48] },
      outputs: { y: null },
      initializers: [
        external('w1', [48, 64], 0, w1.byteLength),
        external('w2', [64, 40], w1.byteLength, w2.byteLength),
      ],
    };
    const request = prepared(encodeModel(spec), ['data.npy', samples(48)]);
    writeInto(path.dirname(request.path), 'w.bin', Buffer.concat([w1, w2].map((w) => Buffer.from(w.buffer))));
    await isWorthIt(request, ['f1', 'f2']);
    assert.ok(readdirSync(path.dirname(request.path)).includes('small.onnx.data'));
  });

  it('several inputs, one of them whole numbers that choose rows', async () => {
    const spec: ModelSpec = {
      nodes: [
        { op: 'Gather', name: 'rows', inputs: ['table', 'token'], outputs: ['t'] },
        { op: 'MatMul', name: 'of-x', inputs: ['x', 'w1'], outputs: ['a'] },
        { op: 'MatMul', name: 'of-token', inputs: ['t', 'w2'], outputs: ['b'] },
        { op: 'Add', name: 'sum', inputs: ['a', 'b'], outputs: ['c'] },
        { op: 'Tanh', name: 'tanh', inputs: ['c'], outputs: ['y'] },
      ],
      inputs: { x: ['N', 48], token: ['N'] },
      outputs: { y: null },
      inputTypes: { token: Element.int64 },
      initializers: [
        floatTensor('table', [20, 40], smooth(800, 9)),
        floatTensor('w1', [48, 32], weights(48 * 32, 48, 1)),
        floatTensor('w2', [40, 32], weights(40 * 32, 40, 2)),
      ],
    };
    const tokens = npyFile(
      '<i8',
      [COUNT],
      Array.from({ length: COUNT }, (_, i) => (i * 7) % 20),
    );
    const data = npzFile({ x: samples(48), token: tokens });
    await isWorthIt(prepared(encodeModel(spec), ['data.npz', data]), ['of-x', 'of-token']);
  });

  it('a weight beyond 2 GiB, which ONNX Runtime in WebAssembly does not take: a sentence, and no file', async () => {
    const rows = 2 ** 31 / 32 + 1;
    const request = prepared(
      encodeModel({
        nodes: [
          { op: 'MatMul', name: 'product', inputs: ['x', 'w'], outputs: ['a'] },
          { op: 'Gather', name: 'row', inputs: ['table', 'first'], outputs: ['t'] },
          { op: 'Add', name: 'sum', inputs: ['a', 't'], outputs: ['y'] },
        ],
        inputs: { x: ['N', 48] },
        outputs: { y: null },
        initializers: [
          floatTensor('w', [48, 8], weights(48 * 8, 48, 1)),
          int64Tensor('first', [1], [0]),
          {
            name: 'table',
            dims: [rows, 8],
            dataType: 1,
            dataLocation: 1,
            externalData: [{ key: 'location', value: 'table.bin' }],
          },
        ],
      }),
      ['data.npy', samples(48)],
      { target: { kind: 'rank', rank: 3 } },
    );
    // A hole: it takes no room on the disk.
    truncateSync(writeInto(path.dirname(request.path), 'table.bin', ''), 32 * rows);
    const web = createCheckedSession({
      folder,
      threadScript: path.join(folder, 'factorThread.js'),
      nativeRuntime: false,
    });
    try {
      const refused = isRefused('too-large', /model\.onnx: "sum" \(Add\).* 2\.15 GB .*"table".*WebAssembly/);
      await assert.rejects(web.compress(request), refused);
      await assert.rejects(web.verify({ original: request.path, compressed: request.path }), refused);
      const left = readdirSync(path.dirname(request.path)).sort();
      assert.deepEqual(left, ['data.npy', 'model.onnx', 'table.bin']);
    } finally {
      await web.close();
    }
  });
});

describe('layers that data says little of', () => {
  const chain = (nodes: readonly NodeSpec[]): ModelSpec => ({
    nodes,
    inputs: { x: ['N', 48] },
    outputs: { y: null },
    initializers: [
      floatTensor('w1', [48, 40], weights(48 * 40, 48, 1)),
      floatTensor('w2', [40, 40], weights(1600, 40, 2)),
      floatTensor('w3', [40, 32], weights(1280, 40, 3)),
      floatTensor('zero', [1], [0]),
      floatTensor('one', [1], [1]),
      floatTensor('table', [3, 40], seededArray(120, 4)),
      int64Tensor('first', [1], [0]),
    ],
  });
  const reasonsOf = async (request: CompressRequest) =>
    Object.fromEntries(
      factored((await session.compress(request)).layers).map(({ name, uncalibrated }) => [
        name,
        uncalibrated,
      ]),
    );

  it('an input that is the same for all samples', async () => {
    const spec = chain([
      { op: 'MatMul', name: 'l1', inputs: ['x', 'w1'], outputs: ['a'] },
      { op: 'Mul', name: 'nothing', inputs: ['a', 'zero'], outputs: ['b'] },
      { op: 'Add', name: 'constant', inputs: ['b', 'one'], outputs: ['c'] },
      { op: 'MatMul', name: 'l2', inputs: ['c', 'w2'], outputs: ['d'] },
      { op: 'Add', name: 'sum', inputs: ['a', 'd'], outputs: ['e'] },
      { op: 'MatMul', name: 'l3', inputs: ['e', 'w3'], outputs: ['y'] },
    ]);
    assert.deepEqual(await reasonsOf(prepared(encodeModel(spec), ['data.npy', samples(48)])), {
      l1: undefined,
      l2: 'Its inputs do not vary over the calibration data.',
      l3: undefined,
    });
  });

  it('fewer samples than a regression takes', async () => {
    const spec = chain([
      { op: 'MatMul', name: 'l1', inputs: ['x', 'w1'], outputs: ['a'] },
      { op: 'Relu', name: 'r', inputs: ['a'], outputs: ['b'] },
      { op: 'MatMul', name: 'l3', inputs: ['b', 'w3'], outputs: ['y'] },
    ]);
    for (const count of [1, 2, 3]) {
      const data = npyFile('<f4', [count, 48], smooth(count * 48, 5));
      const reasons = await reasonsOf(prepared(encodeModel(spec), ['data.npy', data]));
      assert.deepEqual(Object.keys(reasons), ['l1', 'l3']);
      for (const reason of Object.values(reasons))
        assert.match(reason!, /^Calibration gives it \d+ samples? .*; it takes \d+\.$/);
    }
  });

  it('values inside the model that are not finite', async () => {
    // log of what may be negative: NaN for most samples, in one branch that an Add with a maximum hides from the outputs.
    const spec = chain([
      { op: 'MatMul', name: 'l1', inputs: ['x', 'w1'], outputs: ['a'] },
      { op: 'Log', name: 'log', inputs: ['a'], outputs: ['n'] },
      { op: 'MatMul', name: 'l2', inputs: ['n', 'w2'], outputs: ['d'] },
      { op: 'IsNaN', name: 'is', inputs: ['d'], outputs: ['m'] },
      { op: 'Where', name: 'hide', inputs: ['m', 'one', 'd'], outputs: ['f'] },
      { op: 'IsInf', name: 'inf', inputs: ['f'], outputs: ['mi'] },
      { op: 'Where', name: 'hide2', inputs: ['mi', 'one', 'f'], outputs: ['g'] },
      { op: 'Add', name: 'sum', inputs: ['a', 'g'], outputs: ['e'] },
      { op: 'MatMul', name: 'l3', inputs: ['e', 'w3'], outputs: ['y'] },
    ]);
    const { l1, l2, l3 } = await reasonsOf(prepared(encodeModel(spec), ['data.npy', samples(48)]));
    assert.deepEqual([l1, l3], [undefined, undefined]);
    assert.match(l2!, /not finite\.$/);
  });

  it('data that is not finite: the weights alone, with a word, and a figure from what is finite', async () => {
    const spec = chain([
      { op: 'MatMul', name: 'l1', inputs: ['x', 'w1'], outputs: ['a'] },
      { op: 'MatMul', name: 'l3', inputs: ['a', 'w3'], outputs: ['y'] },
    ]);
    const values = smooth(COUNT * 48, 5);
    for (const sample of [10, 11, 12, 13]) values[sample * 48 + 3] = Number.NaN;
    const request = prepared(encodeModel(spec), ['data.npy', npyFile('<f4', [COUNT, 48], values)]);
    const { l1, l3 } = await reasonsOf(request);
    for (const reason of [l1, l3]) assert.match(reason!, /not finite\.$/);
    const { warnings } = await session.describeCalibration({
      path: request.path,
      calibration: request.calibration!,
    });
    assert.ok(
      warnings.some((warning) => /NaN or infinite/.test(warning)),
      warnings.join(' '),
    );
  });

  it('a depthwise convolution stays as it is, and those in groups beside it are fitted', async () => {
    const spec: ModelSpec = {
      nodes: [
        {
          op: 'Conv',
          name: 'deep',
          inputs: ['x', 'wd'],
          outputs: ['a'],
          attributes: { group: 16, pads: [1, 1, 1, 1] },
        },
        {
          op: 'Conv',
          name: 'grouped',
          inputs: ['a', 'wg'],
          outputs: ['b'],
          attributes: { group: 2, pads: [1, 1, 1, 1] },
        },
        { op: 'Conv', name: 'point', inputs: ['b', 'wp'], outputs: ['y'] },
      ],
      inputs: { x: ['N', 16, 6, 6] },
      outputs: { y: null },
      initializers: [
        floatTensor('wd', [16, 1, 3, 3], weights(144, 9, 1)),
        floatTensor('wg', [32, 8, 3, 3], weights(32 * 72, 72, 2)),
        floatTensor('wp', [24, 32, 1, 1], weights(24 * 32, 32, 3)),
      ],
    };
    await isWorthIt(prepared(encodeModel(spec), ['data.npy', samples(16, 6, 6)]), ['grouped', 'point']);
  });
});

describe('what changes nothing', () => {
  const models: readonly (readonly [string, ModelSpec])[] = [
    ['of floats', mixed(Element.float)],
    ['of halves', mixed(Element.float16)],
  ];

  for (const [name, spec] of models) {
    it(`no factors give the bytes of the original, ${name}`, () => {
      const bytes = encodeModel(spec);
      const model = readModel(memorySource('model.onnx', bytes));
      assert.ok(Buffer.from(joinSegments(rewriteModel(model, []).segments)).equals(bytes));
    });
  }

  it('a plan that leaves every layer as it is is refused with its reason: its result would be the file that is there', async () => {
    const request = prepared(encodeModel(mixed(Element.float)), ['data.npy', samples(8, 6, 6)]);
    const { calibration: _, ...plain } = request;
    for (const each of [plain, request]) {
      const { plan } = await session.plan(each);
      const layers = plan.layers.map(
        ({ layer }) => ({ kind: 'dense', layer, reason: 'It stays as it is.' }) as const,
      );
      assert.equal(layers.length, 2);
      for (const allowLarger of [false, true]) {
        await assert.rejects(
          session.compress({ ...each, plan: { ...plan, layers }, allowLarger }),
          isRefused('nothing-to-do', /2 of 2 layers: It stays as it is\.$/),
        );
      }
      assert.deepEqual(readdirSync(path.dirname(request.path)).sort(), ['data.npy', 'model.onnx']);
    }
  });

  // At its full ranks each of these is the weight; others, as CP, are so at ranks that nobody can afford.
  for (const method of ['auto', 'channel', 'input-channel', 'spatial', 'tucker2', 'tt'] as const) {
    it(`full ranks by ${method}: what the model computed, with data and without`, async () => {
      const request = prepared(encodeModel(mixed(Element.float)), ['data.npy', samples(8, 6, 6)], {
        target: { kind: 'rank', rank: 1_000_000 },
        method,
        allowLarger: true,
      });
      const { calibration: _, ...plain } = request;
      for (const each of [plain, request]) {
        const { layers, outputError } = await session.compress(each);
        assert.equal(factored(layers).length, 2);
        assert.ok(outputError.relative < 1e-5, `${outputError.relative}`);
        for (const { weightError, uncalibrated } of layers) {
          assert.ok(weightError! < 1e-5, `${weightError}`);
          assert.equal(uncalibrated, undefined);
        }
      }
    });
  }
});
