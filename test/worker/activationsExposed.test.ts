import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { Element } from '../../src/core/onnx/elements';
import { exposeTensors } from '../../src/core/onnx/exposeTensors';
import { toFloat16 } from '../../src/core/onnx/halfFloat';
import { toActivation } from '../../src/worker/activations/activation';
import { openExposed, type ShapedModel } from '../../src/worker/activations/exposedSession';
import { shapedModel } from '../../src/worker/activations/shapedModel';
import { tensorSizes } from '../../src/worker/activations/tensorSizes';
import { openModel } from '../../src/worker/openModel';
import type { Runtime } from '../../src/worker/runtime';
import { countingRuntime, RUNTIMES } from '../support/collected';
import type { Inputs } from '../support/fullRank';
import { encodeModel, floatTensor, joinSegments, type ModelSpec, seededArray } from '../support/onnxModel';
import { at, type Dense, indices } from '../support/referencePatches';
import { scratchFolder, writeInto } from '../support/scratch';

const folder = scratchFolder();
let files = 0;

/** A model in a file, with what a batch tells of its sizes. */
function modelFile(spec: ModelSpec, batch: Inputs): ShapedModel & { close(): void } {
  const open = openModel(writeInto(folder, `m${files++}.onnx`, encodeModel(spec)));
  return { ...shapedModel(open, batch), close: () => open.close() };
}

const floats = (dims: readonly number[], data: Float32Array) => ({ type: 'float32', dims, data });
const dense = (dims: readonly number[], value: (index: readonly number[]) => number): Dense => ({
  dims,
  data: indices(dims).map(value),
});

/** Weights by name. */
const WEIGHTS: Readonly<Record<string, Dense>> = Object.fromEntries(
  (
    [
      ['w1', [4, 2, 3, 3]],
      ['b1', [4]],
      ['gamma', [4]],
      ['beta', [4]],
      ['mean', [4]],
      ['w2', [4, 2, 1, 3]],
      ['w3', [5, 64]],
      ['b3', [5]],
    ] as const
  ).map(([name, dims], i) => [
    name,
    {
      dims,
      data: seededArray(
        dims.reduce<number>((a, b) => a * b, 1),
        i + 1,
      ),
    },
  ]),
);
const VARIANCE: Dense = { dims: [4], data: [0.5, 1, 2, 3] };

/** A net in which the runtime fuses all it can: convolution, normalisation, activation and sum. */
const NET: ModelSpec = {
  nodes: [
    {
      op: 'Conv',
      inputs: ['x', 'w1', 'b1'],
      outputs: ['conv1'],
      attributes: { pads: [1, 0, 1, 2], strides: [1, 1] },
    },
    {
      op: 'BatchNormalization',
      inputs: ['conv1', 'gamma', 'beta', 'mean', 'variance'],
      outputs: ['norm'],
      attributes: { epsilon: { float: 0 } },
    },
    { op: 'Relu', inputs: ['norm'], outputs: ['relu'] },
    {
      op: 'MaxPool',
      inputs: ['relu'],
      outputs: ['pool'],
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    },
    {
      op: 'Conv',
      inputs: ['pool', 'w2'],
      outputs: ['conv2'],
      attributes: { group: 2, auto_pad: 'SAME_UPPER' },
    },
    { op: 'Add', inputs: ['conv2', 'pool'], outputs: ['sum'] },
    { op: 'Relu', inputs: ['sum'], outputs: ['last'] },
    { op: 'Flatten', inputs: ['last'], outputs: ['flat'] },
    { op: 'Gemm', inputs: ['flat', 'w3', 'b3'], outputs: ['y'], attributes: { transB: 1 } },
  ],
  inputs: { x: ['n', 2, 8, 8] },
  outputs: { y: null },
  initializers: Object.entries({ ...WEIGHTS, variance: VARIANCE }).map(([name, { dims, data }]) =>
    floatTensor(name, dims, data),
  ),
};

/** The same by hand, in double precision, node by node. */
function netByHand(x: Dense): ReadonlyMap<string, Dense> {
  const n = x.dims[0]!;
  const w = (name: string, ...index: number[]) => at(WEIGHTS[name]!, index);
  const values = new Map<string, Dense>([['x', x]]);
  const make = (name: string, dims: number[], value: (index: readonly number[]) => number) => {
    const made = dense(dims, value);
    values.set(name, made);
    return made;
  };
  const sum = (dims: readonly number[], term: (...index: number[]) => number) =>
    indices(dims).reduce((total, index) => total + term(...index), 0);
  const conv1 = make(
    'conv1',
    [n, 4, 8, 8],
    ([i, s, r, c]) =>
      w('b1', s!) + sum([2, 3, 3], (k, a, b) => w('w1', s!, k, a, b) * at(x, [i!, k, r! - 1 + a, c! + b])),
  );
  const norm = make(
    'norm',
    conv1.dims as number[],
    (index) =>
      ((at(conv1, index) - w('mean', index[1]!)) / Math.sqrt(at(VARIANCE, [index[1]!]))) *
        w('gamma', index[1]!) +
      w('beta', index[1]!),
  );
  const relu = make('relu', norm.dims as number[], (index) => Math.max(0, at(norm, index)));
  const pool = make('pool', [n, 4, 4, 4], ([i, s, r, c]) =>
    Math.max(...indices([2, 2]).map(([a, b]) => at(relu, [i!, s!, 2 * r! + a!, 2 * c! + b!]))),
  );
  const conv2 = make('conv2', [n, 4, 4, 4], ([i, s, r, c]) => {
    const first = s! < 2 ? 0 : 2;
    return sum([2, 3], (k, b) => w('w2', s!, k, 0, b) * at(pool, [i!, first + k, r!, c! - 1 + b]));
  });
  const total = make('sum', conv2.dims as number[], (index) => at(conv2, index) + at(pool, index));
  const last = make('last', conv2.dims as number[], (index) => Math.max(0, at(total, index)));
  const flat = make('flat', [n, 64], ([i, k]) => Number(last.data[i! * 64 + k!]));
  make('y', [n, 5], ([i, s]) => w('b3', s!) + sum([64], (k) => w('w3', s!, k) * at(flat, [i!, k])));
  return values;
}

const X = floats([2, 2, 8, 8], seededArray(256, 99));

async function valuesOf(runtime: Runtime, model: ShapedModel, names: readonly string[], batch: Inputs) {
  const session = await openExposed(
    runtime,
    model,
    names.map((name) => ({ name, what: 'values' })),
  );
  try {
    return (await session.run(batch)).map((value) => value && toActivation(value));
  } finally {
    await session.release();
  }
}

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, said: string) {
  assert.equal(actual.length, expected.length, said);
  for (let i = 0; i < actual.length; i++) {
    const [a, b] = [Number(actual[i]), Number(expected[i])];
    assert.ok(Math.abs(a - b) <= tolerance * (1 + Math.abs(b)), `${said}[${i}]: ${a} instead of ${b}`);
  }
}

for (const [name, runtime] of RUNTIMES) {
  describe(`exposed tensors, ${name}`, () => {
    const batch: Inputs = new Map([['x', X]]);
    const expected = netByHand(X);

    it('are what the net computes by hand, node by node, where the runtime would fuse them', async () => {
      const model = modelFile(NET, batch);
      const names = [...expected.keys()];
      const together = await valuesOf(runtime, model, names, batch);
      for (const [i, tensor] of names.entries()) {
        const { dims, data } = expected.get(tensor)!;
        assert.deepEqual(together[i]?.dims, dims);
        assertNear(together[i]!.data, data, 1e-5, tensor);
        const [alone] = await valuesOf(runtime, model, [tensor], batch);
        assertNear(alone!.data, data, 1e-5, `${tensor} alone`);
      }
      model.close();
    });

    it('leave the outputs of the model as they are', async () => {
      const model = modelFile(NET, batch);
      const { segments } = exposeTensors(model.source.model, model.shapes, [
        { name: 'conv1', what: 'values' },
      ]);
      const session = await runtime.open(model.source.path, [], joinSegments(segments));
      const outputs = await session.run(batch);
      assert.deepEqual([...outputs.keys()], ['y', 'conv1']);
      assertNear(outputs.get('y')!.data as Float32Array, expected.get('y')!.data, 1e-5, 'y');
      await session.release();
      model.close();
    });

    it('are found where weights stand in a data file below the folder of the model', async () => {
      const weights = seededArray(6 * 300, 5);
      const location = 'weights/of the net.bin';
      const home = path.join(folder, `external-${name}`);
      const model = encodeModel({
        nodes: [
          { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
          { op: 'Relu', inputs: ['h'], outputs: ['y'] },
        ],
        inputs: { x: ['n', 6] },
        outputs: { y: null },
        initializers: [
          {
            name: 'w',
            dims: [6, 300],
            dataType: 1,
            dataLocation: 1,
            externalData: [
              { key: 'location', value: location },
              { key: 'offset', value: '4' },
              { key: 'length', value: String(weights.byteLength) },
            ],
          },
        ],
      });
      mkdirSync(path.join(home, 'weights'), { recursive: true });
      writeFileSync(path.join(home, location), Buffer.concat([Buffer.alloc(4), Buffer.from(weights.buffer)]));
      const open = openModel(writeInto(home, 'm.onnx', model));
      const x = floats([2, 6], seededArray(12, 6));
      const [h] = await valuesOf(runtime, shapedModel(open, new Map([['x', x]])), ['h'], new Map([['x', x]]));
      const byHand = dense([2, 300], ([i, s]) =>
        indices([6]).reduce((sum, [k]) => sum + x.data[i! * 6 + k!]! * weights[k! * 300 + s!]!, 0),
      );
      assertNear(h!.data, byHand.data, 1e-5, 'h');
      open.close();
    });

    it('come as singles, whatever their type', async () => {
      const numbers = [0.1, -2, 65504, 1e-7, 0, Math.PI];
      for (const [type, tolerance] of [
        [Element.float16, 0],
        [Element.double, 0],
        [Element.bfloat16, 2 ** -8],
      ] as const) {
        const x = floats([6], Float32Array.from(numbers));
        const inputs: Inputs = new Map([['x', x]]);
        const model = modelFile(
          {
            nodes: [
              { op: 'Cast', inputs: ['x'], outputs: ['h'], attributes: { to: type } },
              { op: 'Cast', inputs: ['h'], outputs: ['y'], attributes: { to: Element.float } },
            ],
            inputs: { x: [6] },
            outputs: { y: null },
          },
          inputs,
        );
        const [h] = await valuesOf(runtime, model, ['h'], inputs);
        assert.ok(h!.data instanceof Float32Array);
        const expectedValues =
          type === Element.float16
            ? numbers.map((v) => Number(halfValue(v)))
            : numbers.map((v) => Math.fround(v));
        for (const [i, v] of expectedValues.entries())
          assert.ok(Math.abs(h!.data[i]! - v) <= tolerance * Math.abs(v), `${type}: ${h!.data[i]} for ${v}`);
        model.close();
      }
    });

    it('have their sizes asked of the model where inference does not know them', async () => {
      const counts = new Float32Array([1, 0, 3, 0, 0, 2]);
      const inputs: Inputs = new Map([['x', floats([6], counts)]]);
      const model = modelFile(
        {
          nodes: [
            { op: 'NonZero', inputs: ['x'], outputs: ['places'] },
            { op: 'Cast', inputs: ['places'], outputs: ['h'], attributes: { to: Element.double } },
            { op: 'Cast', inputs: ['h'], outputs: ['y'], attributes: { to: Element.float } },
          ],
          inputs: { x: [6] },
          outputs: { y: null },
        },
        inputs,
      );
      const counting = countingRuntime(runtime);
      const sizes = await tensorSizes(counting, model, ['x', 'h', 'y'], inputs);
      assert.deepEqual(
        [...sizes],
        [
          ['x', 0],
          ['h', 3 * 8],
          ['y', 3 * 4],
        ],
      );
      assert.deepEqual([counting.opened, counting.runs, counting.openNow()], [1, 1, 0]);
      model.close();
    });

    it('need no session where all of them are fed', async () => {
      const model = modelFile(NET, batch);
      const counting = countingRuntime(runtime);
      const [x] = await valuesOf(counting, model, ['x'], batch);
      assert.equal(x!.data, X.data, 'not even a copy');
      assert.equal(counting.opened, 0);
      model.close();
    });
  });
}

/** The half nearest to a number, from its bits by definition. */
function halfValue(value: number): number {
  const bits = toFloat16(value);
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
