/**
 * Traps of how a weight is stored: behind other nodes, as an input of the graph, in any element type, with any
 * numbers; see `support/traps.ts`.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, test } from 'node:test';
import { Element } from '../../src/core/onnx/elements';
import { decodeFloats, encodeFloats, readFloats } from '../../src/core/onnx/tensorData';
import { createCheckedSession } from '../support/checkedSession';
import { inSingle, layersOf, randomInputs, rewritten, run } from '../support/fullRank';
import { encodeModel, floatTensor, int64Tensor, type NodeSpec, seededArray } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';
import {
  analysisOf,
  assertSame,
  assertSkipped,
  external,
  initializersOf,
  matrix,
  noFiles,
  PRODUCT,
  read,
  through,
} from '../support/traps';

const dist = path.resolve('dist');
const session = createCheckedSession({ folder: dist, threadScript: path.join(dist, 'factorThread.js') });
after(() => session.close());

// ---- Weights that aren't plain initializers ----

test("trap: weights that aren't plain initializers – a whole chain, from halves in a Constant to a convolution", async () => {
  const bits = new Uint16Array(encodeFloats(Element.float16, seededArray(4 * 3 * 9, 2)).buffer);
  const stored = { dims: [9, 12], dataType: Element.float16, int32Data: [...bits] };
  const spec = through(
    [
      { op: 'Constant', inputs: [], outputs: ['w0'], attributes: { value: stored } },
      { op: 'Cast', inputs: ['w0'], outputs: ['w1'], attributes: { to: 1 } },
      { op: 'Transpose', inputs: ['w1'], outputs: ['w2'] },
      { op: 'Reshape', inputs: ['w2', 'shape'], outputs: ['w3'] },
      { op: 'Identity', inputs: ['w3'], outputs: ['w4'] },
      { op: 'Conv', name: 'layer', inputs: ['x', 'w4'], outputs: ['y'] },
    ],
    [int64Tensor('shape', [4], [4, 3, 3, -1])],
    [2, 3, 6, 7],
  );
  const model = await assertSame(spec);
  assert.deepEqual(
    model.graph.nodes.map((n) => n.opType),
    ['Conv', 'Conv'],
    'nothing of the chain is left',
  );
  assert.deepEqual(initializersOf(model).sort(), ['w0_factor1', 'w0_factor2']);
});

test("trap: weights that aren't plain initializers – Flatten, ConstantOfShape without a value, a computed one", async () => {
  await assertSame(
    through(
      [{ op: 'Flatten', inputs: ['v'], outputs: ['w'], attributes: { axis: 1 } }, PRODUCT],
      [floatTensor('v', [6, 2, 2], seededArray(24, 1))],
    ),
  );
  await assertSame(
    through(
      [{ op: 'ConstantOfShape', inputs: ['shape'], outputs: ['w'] }, PRODUCT],
      [int64Tensor('shape', [2], [6, 5])],
    ),
  );
  const computed = through([{ op: 'Softmax', inputs: ['v'], outputs: ['w'] }, PRODUCT], [matrix('v', 6, 5)]);
  assert.deepEqual(layersOf(read(encodeModel(computed))), []);
});

test("trap: weights that aren't plain initializers – whole numbers behind a Cast are no floats", async () => {
  const integers = { name: 'q', dims: [16, 16], dataType: 3, rawData: new Uint8Array(256).fill(7) };
  const plain = through(
    [{ op: 'Cast', inputs: ['q'], outputs: ['w'], attributes: { to: 1 } }, PRODUCT],
    [integers],
    [2, 16],
  );
  assertSkipped(plain, /holds int8/);
  const rounded = through(
    [
      { op: 'Cast', inputs: ['q'], outputs: ['i'], attributes: { to: Element.int32 } },
      { op: 'Cast', inputs: ['i'], outputs: ['w'], attributes: { to: 1 } },
      PRODUCT,
    ],
    [matrix('q', 16, 16)],
    [2, 16],
  );
  assertSkipped(rounded, /holds int32/);
  const source = writeInto(scratchFolder(), 'm.onnx', encodeModel(plain));
  const { layers } = await session.suggest({ path: source, energy: 0.9, method: 'auto' });
  assert.equal(layers[0]?.status, 'skipped');
});

// ---- Initializers that are inputs ----

test('trap: initializer also a graph input – IR 3: the declarations follow the initializers', async () => {
  const spec = through([PRODUCT], [matrix('w', 6, 5)], [3, 6], {
    inputs: { x: [3, 6], w: [6, 5] },
    irVersion: 3,
    opset: 8,
  });
  const model = await assertSame(spec);
  assert.deepEqual(
    model.graph.inputs.map((i) => [i.name, i.shape]),
    [
      ['x', [3, 6]],
      ['w_factor1', [6, 5]],
      ['w_factor2', [5, 5]],
    ],
  );
});

test('trap: initializer also a graph input – IR 4: skipped with the reason, and counted', () => {
  const inputs = { x: [3, 6], v: [5, 6] };
  const turned: NodeSpec = { op: 'Transpose', inputs: ['v'], outputs: ['w'] };
  const { parameters, layers } = assertSkipped(
    through([turned, PRODUCT], [matrix('v', 5, 6)], [3, 6], { inputs }),
    /input of the model too/,
  );
  assert.deepEqual(parameters, { stored: 30, used: 30, statistics: 0 });
  assert.equal(layers[0]?.macs, 3 * 30);
});

// ---- Element types ----

for (const [name, type, tolerance] of [
  ['fp16', Element.float16, 2e-3],
  ['bf16', Element.bfloat16, 2e-2],
  ['fp64', Element.double, 1e-12],
] as const) {
  test(`trap: fp16, bf16 and fp64 – ${name} in typed fields comes back as ${name}, √σ in either factor`, async () => {
    const values = seededArray(24 * 20, 3).map((v) => v * 100);
    const raw = encodeFloats(type, values);
    const typed =
      type === Element.double
        ? { doubleData: [...values] }
        : { int32Data: [...new Uint16Array(raw.buffer, raw.byteOffset, values.length)] };
    const nodes: NodeSpec[] = [
      { op: 'Cast', inputs: ['x'], outputs: ['a'], attributes: { to: type } },
      { op: 'MatMul', inputs: ['a', 'w'], outputs: ['b'] },
      { op: 'Cast', inputs: ['b'], outputs: ['y'], attributes: { to: type === Element.double ? type : 1 } },
    ];
    const outputTypes = { y: type === Element.double ? type : 1 };
    const bytes = encodeModel(
      through(nodes, [{ name: 'w', dims: [24, 20], dataType: type, ...typed }], [4, 24], { outputTypes }),
    );
    const { layers, bytes: after } = rewritten(bytes, 0);
    assert.equal(layers, 1);
    const model = read(after);
    assert.deepEqual(
      model.graph.initializers.map((t) => [t.type, t.data.kind]),
      [
        [type, 'raw'],
        [type, 'raw'],
      ],
    );
    const [left, right] = model.graph.initializers.map((t) => readFloats(model, t, noFiles));
    const norm = (v: ArrayLike<number>) => Math.hypot(...Array.from(v));
    assert.ok(Math.abs(norm(left!) / norm(right!) - 1) < 0.01, 'the factors are equally large');
    // bfloat16 is multiplied by nobody but us.
    const product = new Float64Array(24 * 20);
    for (let i = 0; i < 24; i++)
      for (let k = 0; k < 20; k++)
        for (let j = 0; j < 20; j++) product[i * 20 + j]! += left![i * 20 + k]! * right![k * 20 + j]!;
    const expected = decodeFloats(type, raw);
    const error = norm(product.map((v, i) => v - expected[i]!)) / norm(expected);
    assert.ok(error < tolerance, `off by ${error}`);
    if (type !== Element.bfloat16) await assertSame(bytes, 1, tolerance);
  });
}

test('trap: fp8, int4 and int2 – bytes are counted, nothing is factored', () => {
  const types: readonly (readonly [type: number, bytes: number, name: RegExp])[] = [
    [17, 256, /float8e4m3fn/],
    [18, 256, /float8e4m3fnuz/],
    [19, 256, /float8e5m2/],
    [20, 256, /float8e5m2fnuz/],
    [21, 128, /uint4/],
    [22, 128, /int4/],
    [23, 128, /float4e2m1/],
    [25, 64, /uint2/],
    [26, 64, /int2/],
  ];
  for (const [type, bytes, name] of types) {
    const raw = { name: 'q', dims: [16, 16], dataType: type, rawData: new Uint8Array(bytes).fill(0x31) };
    const spec = through(
      [{ op: 'Cast', inputs: ['q'], outputs: ['w'], attributes: { to: 1 } }, PRODUCT],
      [raw],
      [2, 16],
    );
    const analysis = assertSkipped(spec, name);
    assert.equal(analysis.macs, 512, 'it is counted');
    const direct = { ...raw, name: 'w' };
    assertSkipped(through([PRODUCT], [direct], [2, 16]), name);
    // The same in a data file: that file's share of the model is its packed size.
    const outside = { ...external('w', [16, 16], { location: 'w.bin' }), dataType: type };
    const whole = encodeModel(through([PRODUCT], [outside], [2, 16]));
    assert.equal(analysisOf(whole).bytes, whole.length + bytes);
  }
});

// ---- Numbers ----

for (const [what, spoil] of [
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['minus infinity', Number.NEGATIVE_INFINITY],
] as const) {
  test(`trap: NaN, infinities, zeros and denormals – ${what} leaves the layer alone with the reason`, async () => {
    const values = seededArray(256, 1);
    values[77] = spoil;
    for (const type of [Element.float, Element.double, Element.float16, Element.bfloat16]) {
      const w = { name: 'w', dims: [16, 16], dataType: type, rawData: encodeFloats(type, values) };
      const source = writeInto(scratchFolder(), 'm.onnx', encodeModel(through([PRODUCT], [w], [2, 16])));
      const { layers } = await session.suggest({ path: source, energy: 0.9, method: 'auto' });
      assert.equal(layers[0]?.status, 'skipped');
      assert.match(layers[0]!.reason!, /NaN or infinite/);
    }
  });
}

test('trap: NaN, infinities, zeros and denormals – a variance of zero does not get into a weight', async () => {
  const norm = ['gamma', 'beta', 'mean', 'var'].map((name) =>
    floatTensor(name, [4], [1, 2, 3, name === 'var' ? 0 : 4]),
  );
  const spec = through(
    [
      { op: 'Conv', name: 'layer', inputs: ['x', 'w'], outputs: ['h'] },
      {
        op: 'BatchNormalization',
        inputs: ['h', 'gamma', 'beta', 'mean', 'var'],
        outputs: ['y'],
        attributes: { epsilon: { float: 0 } },
      },
    ],
    [floatTensor('w', [4, 3, 3, 3], seededArray(108, 1)), ...norm],
    [2, 3, 5, 5],
  );
  const source = writeInto(scratchFolder(), 'm.onnx', encodeModel(spec));
  const { layers } = await session.suggest({ path: source, energy: 0.9, method: 'auto' });
  assert.equal(layers[0]?.status, 'skipped');
  assert.match(layers[0]!.reason!, /NaN or infinite/);
});

test('trap: NaN, infinities, zeros and denormals – zeros and denormals have exact factors', async () => {
  const scaled = (factor: number) =>
    through(
      [PRODUCT],
      [
        floatTensor(
          'w',
          [6, 6],
          seededArray(36, 1).map((v) => v * factor),
        ),
      ],
    );
  for (const factor of [0, 1e-39, 1e-42]) {
    const bytes = encodeModel(scaled(factor));
    const { layers, bytes: after } = rewritten(bytes, 0);
    assert.equal(layers, 1);
    const model = read(after);
    const [left, right] = model.graph.initializers.map((t) => readFloats(model, t, noFiles));
    assert.ok([...left!, ...right!].every(Number.isFinite));
    const y = async (b: Uint8Array) => (await run(b, randomInputs(bytes))).get('y')!.data;
    const [a, b] = [await y(bytes), await y(after)];
    // Denormals are a whole number of smallest steps: a few of them are all the rounding there is.
    for (let i = 0; i < a.length; i++)
      assert.ok(Math.abs(Number(a[i]) - Number(b[i])) < 1e-43, `${a[i]}, ${b[i]}`);
  }
});

test('trap: bf16 – a model that is all bfloat16 computes the same, read as floats', async () => {
  const raw = encodeFloats(Element.bfloat16, seededArray(36, 1));
  const bytes = encodeModel(
    through(
      [
        { op: 'Cast', inputs: ['x'], outputs: ['a'], attributes: { to: Element.bfloat16 } },
        { op: 'MatMul', inputs: ['a', 'w'], outputs: ['b'] },
        { op: 'Cast', inputs: ['b'], outputs: ['y'], attributes: { to: 1 } },
      ],
      [{ name: 'w', dims: [6, 6], dataType: Element.bfloat16, rawData: raw }],
    ),
  );
  const inputs = randomInputs(bytes);
  const [a, b] = [await run(inSingle(bytes), inputs), await run(inSingle(rewritten(bytes, 0).bytes), inputs)];
  const [x, y] = [a.get('y')!.data, b.get('y')!.data];
  for (let i = 0; i < x.length; i++) assert.ok(Math.abs(Number(x[i]) - Number(y[i])) < 0.05);
});
