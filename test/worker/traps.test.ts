/**
 * One test or more by name for every trap that a correct rewrite handles. The everyday side of most of them is in
 * `rewrite.test.ts` and `rewriteRandom.test.ts` (full rank against ONNX Runtime), of the files in `session.test.ts`;
 * here is what those don't look at.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { onnx } from 'onnx-proto';
import type { Analysis } from '../../src/core/compress/analysis';
import { analyzeModel } from '../../src/core/compress/analyzeModel';
import type { Target } from '../../src/core/compress/plan';
import { memorySource } from '../../src/core/onnx/byteSource';
import { Element } from '../../src/core/onnx/elements';
import { checkedLocation } from '../../src/core/onnx/externalData';
import type { Model } from '../../src/core/onnx/model';
import { ModelError } from '../../src/core/onnx/modelError';
import { allGraphs } from '../../src/core/onnx/names';
import { readModel } from '../../src/core/onnx/read';
import { decodeFloats, encodeFloats, readFloats } from '../../src/core/onnx/tensorData';
import { createSession } from '../../src/worker/session';
import { inSingle, layersOf, randomInputs, rewritten, rewrittenError, run } from '../support/fullRank';
import {
  type AttributeSpec,
  encodeGraph,
  encodeModel,
  floatTensor,
  type GraphSpec,
  int64Tensor,
  type ModelSpec,
  type NodeSpec,
  seededArray,
} from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

const dist = path.resolve('dist');
const session = createSession({ folder: dist, threadScript: path.join(dist, 'factorThread.js') });
after(() => session.close());

const fullRank: Target = { kind: 'rank', rank: 1_000_000 };
const noFiles = () => {
  throw new Error('no external file was expected');
};

const read = (bytes: Uint8Array): Model => readModel(memorySource('m.onnx', bytes));
const analysisOf = (bytes: Uint8Array): Analysis =>
  analyzeModel(read(bytes), { dims: {}, openExternal: noFiles }).analysis;

/** A matrix of random numbers. */
const matrix = (name: string, rows: number, columns: number, seed = 1) =>
  floatTensor(name, [rows, columns], seededArray(rows * columns, seed));

/** x (of the given sizes) through nodes to y. */
const through = (
  nodes: readonly NodeSpec[],
  initializers: ModelSpec['initializers'],
  x: readonly number[] = [3, 6],
  rest: Partial<ModelSpec> = {},
): ModelSpec => ({
  nodes,
  inputs: { x },
  outputs: { y: null },
  ...(initializers ? { initializers } : {}),
  ...rest,
});

/** One product with the weight w. */
const PRODUCT: NodeSpec = { op: 'MatMul', name: 'layer', inputs: ['x', 'w'], outputs: ['y'] };

/** Full rank, first method: so many layers change, and what is computed does not. */
async function assertSame(spec: ModelSpec | Uint8Array, layers = 1, tolerance = 1e-5): Promise<Model> {
  const result = await rewrittenError(spec instanceof Uint8Array ? spec : encodeModel(spec), 0);
  assert.equal(result.layers, layers, 'layers that are factored');
  assert.ok(result.relative < tolerance, `off by ${result.relative}`);
  return result.model;
}

/** Every layer is left alone, with the reason. */
function assertSkipped(spec: ModelSpec | Uint8Array, reason: RegExp): Analysis {
  const analysis = analysisOf(spec instanceof Uint8Array ? spec : encodeModel(spec));
  assert.ok(analysis.layers.length > 0, 'the layer is listed');
  for (const layer of analysis.layers) {
    assert.equal(layer.status, 'skipped', layer.name);
    assert.match(layer.reason ?? '', reason);
  }
  return analysis;
}

/** Every name of an initializer, in all graphs. */
const initializersOf = (model: Model) =>
  [...allGraphs(model.graph)].flatMap((graph) => graph.initializers.map((t) => t.name));

/** A tensor whose elements stand in a data file. */
const external = (
  name: string,
  dims: readonly number[],
  entries: Readonly<Record<string, string>>,
): onnx.ITensorProto => ({
  name,
  dims: [...dims],
  dataType: 1,
  dataLocation: 1,
  externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
});

/** A model in ONNX's own words, for what ModelSpec has none. */
function withProto(spec: ModelSpec, change: (model: onnx.ModelProto) => void): Uint8Array {
  const model = onnx.ModelProto.decode(encodeModel(spec));
  change(model);
  return onnx.ModelProto.encode(model).finish();
}

// ---- External data ----

/** An If whose branches both multiply by a weight of their own, held in data files as the entries say. */
const externalBranches = (thenEntries: Readonly<Record<string, string>>): ModelSpec => {
  const branch = (name: string, tensors: GraphSpec['initializers']) =>
    encodeGraph({
      nodes: [{ op: 'MatMul', name, inputs: ['x', `${name}_w`], outputs: [`${name}_y`] }],
      outputs: { [`${name}_y`]: null },
      initializers: tensors ?? [],
    });
  return through(
    [
      { op: 'ReduceSum', inputs: ['x'], outputs: ['sum'], attributes: { keepdims: 0 } },
      { op: 'Greater', inputs: ['sum', 'zero'], outputs: ['condition'] },
      {
        op: 'If',
        inputs: ['condition'],
        outputs: ['h'],
        attributes: {
          then_branch: branch('then', [external('then_w', [16, 16], thenEntries)]),
          else_branch: branch('else', [external('else_w', [16, 16], { location: 'sub/w.bin' })]),
        },
      },
      { op: 'Add', inputs: ['h', 'table'], outputs: ['y'] },
    ],
    [floatTensor('zero', [], [0]), external('table', [64, 16], { location: 'sub/w.bin', offset: '1024' })],
    [64, 16],
  );
};

/** A folder with the model of two weights and a table in one data file. */
function externalFolder(): { dir: string; source: string } {
  const dir = scratchFolder();
  mkdirSync(path.join(dir, 'sub'));
  writeInto(dir, 'sub/w.bin', new Uint8Array(seededArray(256 + 1024, 1).buffer));
  writeInto(dir, 'v.bin', new Uint8Array(seededArray(256, 2).buffer));
  return {
    dir,
    source: writeInto(dir, 'm.onnx', encodeModel(externalBranches({ location: './v.bin', length: '1024' }))),
  };
}

test('trap: external data – locations in words that only some systems understand', () => {
  for (const location of [
    '//server/share/w.bin',
    '\\\\server\\share\\w.bin',
    'c:w.bin',
    'C:\\w.bin',
    'a\\b.bin',
    'https://x/w.bin',
    'a/..',
    '..',
    '.',
    './',
    '/',
    '',
    'w\0.bin',
    'a/../w.bin',
  ]) {
    assert.throws(
      () => checkedLocation(location, 'm.onnx', 'w'),
      (error) => error instanceof ModelError && error.code === 'external-location',
      JSON.stringify(location),
    );
  }
  assert.deepEqual(checkedLocation('./a//..b/w.bin', 'm.onnx', 'w'), ['a', '..b', 'w.bin']);
});

test('trap: external data – of weights inside the branches of an If, in folders below', async () => {
  const { dir, source } = externalFolder();
  const output = path.join(dir, 'out.onnx');
  const report = await session.compress({
    path: source,
    output,
    target: fullRank,
    method: 'auto',
    overwrite: false,
    allowLarger: true,
  });
  assert.equal(report.layers.filter((l) => l.ranks !== null).length, 2);
  assert.ok(report.outputError.relative < 1e-5, `${report.outputError.relative}`);
});

test('trap: external data – a link in a branch is not followed, and the rest is', async () => {
  const { dir } = externalFolder();
  symlinkSync('/etc/passwd', path.join(dir, 'link.bin'));
  const source = writeInto(dir, 'evil.onnx', encodeModel(externalBranches({ location: 'link.bin' })));
  const { layers } = await session.suggest({ path: source, energy: 0.9, method: 'auto' });
  assert.deepEqual(
    layers.map((l) => l.status),
    ['skipped', 'compressible'],
  );
  assert.match(layers[0]!.reason!, /link or not a regular file/);
});

test('trap: output in another folder – everything comes along, the source stays as it was', async () => {
  const { dir, source } = externalFolder();
  const before = readdirSync(dir).map((name) => [
    name,
    name.includes('.') ? readFileSync(path.join(dir, name)) : '',
  ]);
  const target = scratchFolder();
  const output = path.join(target, 'out.onnx');
  const report = await session.compress({
    path: source,
    output,
    target: { kind: 'rank', rank: 2 },
    method: 'auto',
    overwrite: false,
  });
  assert.deepEqual(readdirSync(target).sort(), ['out.onnx', 'out.onnx.data']);
  const model = read(readFileSync(output));
  const locations = [...allGraphs(model.graph)].flatMap((g) =>
    g.initializers.flatMap(({ data }) => (data.kind === 'external' ? [data.location] : [])),
  );
  assert.deepEqual([...new Set(locations)], ['out.onnx.data']);
  const verified = await session.verify({ original: source, compressed: output });
  assert.equal(verified.outputError.relative, report.outputError.relative);
  const now = readdirSync(dir).map((name) => [
    name,
    name.includes('.') ? readFileSync(path.join(dir, name)) : '',
  ]);
  assert.deepEqual(now, before);
});

test('trap: output in another folder – a data file that only a Constant node names: refused, and no file left', async () => {
  const { dir } = externalFolder();
  const value = external('', [16, 16], { location: 'v.bin' });
  const spec = through(
    [
      { op: 'Constant', inputs: [], outputs: ['c'], attributes: { value } },
      { op: 'Add', inputs: ['x', 'c'], outputs: ['h'] },
      { op: 'MatMul', name: 'layer', inputs: ['h', 'w'], outputs: ['y'] },
    ],
    [matrix('w', 16, 16)],
    [16, 16],
  );
  const source = writeInto(dir, 'constant.onnx', encodeModel(spec));
  const { parameters } = await session.analyze({ path: source });
  assert.equal(parameters.stored, 512);
  const target = scratchFolder();
  await assert.rejects(
    session.compress({
      path: source,
      output: path.join(target, 'out.onnx'),
      target: { kind: 'rank', rank: 2 },
      method: 'auto',
      overwrite: false,
    }),
    (error) => error instanceof ModelError && /v\.bin/.test(error.message),
  );
  assert.deepEqual(readdirSync(target), []);
});

// ---- Shared initializers ----

test('trap: shared initializers – stored once, used twice, factored once, in a branch and outside it', async () => {
  const branch = (name: string) =>
    encodeGraph({
      nodes: [{ op: 'MatMul', name, inputs: ['h', 'w'], outputs: [`${name}_y`] }],
      outputs: { [`${name}_y`]: null },
    });
  const spec = through(
    [
      { op: 'MatMul', name: 'outside', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'ReduceSum', inputs: ['x'], outputs: ['sum'], attributes: { keepdims: 0 } },
      { op: 'Greater', inputs: ['sum', 'zero'], outputs: ['condition'] },
      {
        op: 'If',
        inputs: ['condition'],
        outputs: ['y'],
        attributes: { then_branch: branch('then'), else_branch: branch('else') },
      },
    ],
    [matrix('w', 6, 6), floatTensor('zero', [], [0])],
  );
  const { parameters, layers } = analysisOf(encodeModel(spec));
  assert.deepEqual(parameters, { stored: 37, used: 3 * 36 + 1, statistics: 0 });
  assert.equal(layers.length, 3);
  const model = await assertSame(spec);
  assert.deepEqual(initializersOf(model).sort(), ['w_factor1', 'w_factor2', 'zero']);
});

test('trap: shared initializers – what another consumer still needs stays', async () => {
  const spec = through(
    [
      { op: 'Transpose', inputs: ['w'], outputs: ['wt'] },
      { op: 'MatMul', name: 'tied', inputs: ['x', 'wt'], outputs: ['h'] },
      { op: 'Gather', name: 'rows', inputs: ['w', 'first'], outputs: ['row'] },
      { op: 'Add', inputs: ['h', 'row'], outputs: ['sum'] },
      { op: 'MatMul', name: 'free', inputs: ['sum', 'v'], outputs: ['y'] },
    ],
    [matrix('w', 6, 6), int64Tensor('first', [], [0]), matrix('v', 6, 5, 2)],
  );
  const layers = layersOf(read(encodeModel(spec)));
  const tied = layers.find((l) => l.name === 'tied')!;
  assert.ok(tied.form.kind === 'none' && /also read by "rows"/.test(tied.form.reason));
  const model = await assertSame(spec);
  assert.deepEqual(initializersOf(model).sort(), ['first', 'v_factor1', 'v_factor2', 'w']);
});

// ---- Bodies ----

/** A Scan along the rows of x; the state and each row are multiplied, one weight is captured. */
const scan = (): ModelSpec => {
  const body = encodeGraph({
    nodes: [
      { op: 'MatMul', name: 'state', inputs: ['s', 'captured'], outputs: ['t'] },
      { op: 'MatMul', name: 'row', inputs: ['r', 'own'], outputs: ['u'] },
      { op: 'Add', inputs: ['t', 'u'], outputs: ['next'] },
      { op: 'Identity', inputs: ['next'], outputs: ['out'] },
    ],
    inputs: { s: [6], r: [6] },
    outputs: { next: [6], out: [6] },
    initializers: [matrix('own', 6, 6, 2)],
  });
  return through(
    [
      {
        op: 'Scan',
        inputs: ['start', 'x'],
        outputs: ['last', 'y'],
        attributes: { body, num_scan_inputs: 1 },
      },
    ],
    [matrix('captured', 6, 6, 3), floatTensor('start', [6], seededArray(6, 4))],
  );
};

test('trap: If, Loop and Scan bodies – a Scan with a weight of its own and a captured one', async () => {
  const model = await assertSame(scan(), 2);
  assert.deepEqual(initializersOf(model).sort(), [
    'captured_factor1',
    'captured_factor2',
    'own_factor1',
    'own_factor2',
    'start',
  ]);
});

test('trap: If, Loop and Scan bodies – MACs times the rows of a Scan', () => {
  assert.equal(analysisOf(encodeModel(scan())).macs, 3 * 2 * 36);
});

test('trap: If, Loop and Scan bodies – what only a body reads is not taken away', async () => {
  const body = (name: string) =>
    encodeGraph({
      nodes: [{ op: 'Add', name, inputs: ['h', 'w'], outputs: [`${name}_y`] }],
      outputs: { [`${name}_y`]: null },
    });
  const spec = through(
    [
      { op: 'MatMul', name: 'tied', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'ReduceSum', inputs: ['x'], outputs: ['sum'], attributes: { keepdims: 0 } },
      { op: 'Greater', inputs: ['sum', 'zero'], outputs: ['condition'] },
      {
        op: 'If',
        inputs: ['condition'],
        outputs: ['y'],
        attributes: { then_branch: body('then'), else_branch: body('else') },
      },
    ],
    [matrix('w', 6, 6), floatTensor('zero', [], [0])],
    [6, 6],
  );
  assertSkipped(spec, /also read by "(then|else)" \(Add\)/);
});

// ---- Functions ----

/** y = x · w, then a function that multiplies by a constant of its own and by an argument, twice. */
function withFunction(): Uint8Array {
  const node = (opType: string, input: string, output: string, domain = ''): onnx.INodeProto => ({
    opType,
    domain,
    input: input.split(' ').filter(Boolean),
    output: output.split(' '),
    name: `${opType}_${output}`,
  });
  return withProto(
    through(
      [
        PRODUCT,
        { op: 'local:Twice', inputs: ['y', 'v'], outputs: ['z1'] },
        { op: 'local:Twice', inputs: ['z1', 'v'], outputs: ['z'] },
      ],
      [matrix('w', 6, 6), matrix('v', 6, 6, 2)],
      [3, 6],
      { outputs: { z: null } },
    ),
    (model) => {
      model.opsetImport.push({ domain: 'local', version: 1 });
      model.functions = [
        onnx.FunctionProto.create({
          domain: 'local',
          name: 'Twice',
          input: ['a', 'b'],
          output: ['r'],
          opsetImport: [{ domain: '', version: 17 }],
          node: [
            {
              opType: 'Constant',
              output: ['w'],
              attribute: [{ name: 'value', type: 4, t: matrix('', 6, 6, 5) }],
            },
            node('MatMul', 'a w', 'ab'),
            node('MatMul', 'ab b', 'r'),
          ],
        }),
      ];
    },
  );
}

test('trap: functions – counted at every call, a shared body is never rewritten', async () => {
  const bytes = withFunction();
  assert.equal(analysisOf(bytes).macs, (1 + 2 * 2) * 3 * 36);
  const model = await assertSame(bytes);
  assert.deepEqual(initializersOf(model).sort(), ['v', 'w_factor1', 'w_factor2']);
  const bodyOf = (b: Uint8Array) =>
    onnx.FunctionProto.encode(onnx.ModelProto.decode(b).functions[0]!).finish();
  assert.deepEqual(bodyOf(rewritten(bytes, 0).bytes), bodyOf(bytes));
});

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

// ---- Gemm and Conv ----

test('trap: Gemm – alpha goes with one factor, beta · C with the last', async () => {
  const attributes = { alpha: { float: 0.5 }, beta: { float: -2 }, transA: 1, transB: 1 };
  const spec = through(
    [{ op: 'Gemm', name: 'layer', inputs: ['x', 'w', 'c'], outputs: ['y'], attributes }],
    [matrix('w', 5, 6), floatTensor('c', [5], seededArray(5, 2))],
    [6, 3],
  );
  const { nodes } = (await assertSame(spec)).graph;
  const [last, ...others] = nodes.toReversed();
  assert.equal(last!.inputs[2], 'c');
  assert.deepEqual(
    [last!.attributes.get('alpha'), last!.attributes.get('beta')],
    [
      { kind: 'float', value: 0.5 },
      { kind: 'float', value: -2 },
    ],
  );
  assert.ok(others.every((n) => !n.attributes.has('alpha') && n.inputs.length < 3));
});

test('trap: Gemm – a C without a name is no C', async () => {
  await assertSame(through([{ op: 'Gemm', inputs: ['x', 'w', ''], outputs: ['y'] }], [matrix('w', 6, 5)]));
});

test('trap: Conv – what can not be factored says why', () => {
  const conv = (op: string, weight: readonly number[], attributes: Record<string, AttributeSpec>) =>
    through(
      [{ op, inputs: ['x', 'w'], outputs: ['y'], attributes }],
      [
        floatTensor(
          'w',
          weight,
          seededArray(
            weight.reduce((a, b) => a * b, 1),
            1,
          ),
        ),
      ],
      [1, 4, 7, 7],
    );
  assertSkipped(conv('Conv', [8, 1, 3, 3], { group: 4 }), /Depthwise/);
  assertSkipped(conv('ConvTranspose', [4, 2, 3, 3], { group: 4 }), /Depthwise/);
  assertSkipped(conv('ConvTranspose', [4, 2, 3, 3], { auto_pad: 'SAME_UPPER', strides: [2, 2] }), /padding/);
  assertSkipped(conv('ConvTranspose', [4, 2, 3, 3], { output_shape: [9, 9] }), /padding/);
  assertSkipped(conv('Conv', [5, 2, 3, 3], { group: 2 }), /not a convolution's/);
});

test('trap: Conv – a bias without a name, and a bias that is computed', async () => {
  const w = floatTensor('w', [4, 3, 3, 3], seededArray(108, 1));
  await assertSame(through([{ op: 'Conv', inputs: ['x', 'w', ''], outputs: ['y'] }], [w], [2, 3, 5, 5]));
  const norm = ['gamma', 'beta', 'mean', 'var'].map((name) => floatTensor(name, [4], [1, 2, 3, 4]));
  const computed = through(
    [
      { op: 'ReduceSum', inputs: ['x', 'axes'], outputs: ['sum'], attributes: { keepdims: 0 } },
      { op: 'Mul', inputs: ['sum', 'ones'], outputs: ['b'] },
      { op: 'Conv', inputs: ['x', 'w', 'b'], outputs: ['h'] },
      { op: 'BatchNormalization', inputs: ['h', 'gamma', 'beta', 'mean', 'var'], outputs: ['y'] },
    ],
    [w, int64Tensor('axes', [4], [0, 1, 2, 3]), floatTensor('ones', [4], [1, 1, 1, 1]), ...norm],
    [2, 3, 5, 5],
  );
  const model = await assertSame(computed);
  assert.ok(
    model.graph.nodes.some((n) => n.opType === 'BatchNormalization'),
    'it is not folded',
  );
});

test('trap: Conv – a normalisation that others look past is not folded', async () => {
  const w = floatTensor('w', [4, 3, 3, 3], seededArray(108, 1));
  const norm = ['gamma', 'beta', 'mean', 'var'].map((name) => floatTensor(name, [4], [1, 2, 3, 4]));
  const model = await assertSame(
    through(
      [
        { op: 'Conv', inputs: ['x', 'w'], outputs: ['h'] },
        { op: 'BatchNormalization', inputs: ['h', 'gamma', 'beta', 'mean', 'var'], outputs: ['n'] },
        { op: 'Add', inputs: ['h', 'n'], outputs: ['y'] },
      ],
      [w, ...norm],
      [2, 3, 5, 5],
    ),
  );
  assert.ok(initializersOf(model).includes('gamma'));
});

test('trap: Conv – constants of a folded normalisation stay where something else needs them', async () => {
  const conv = (name: string, x: string, output: string): readonly NodeSpec[] => [
    { op: 'Conv', name, inputs: [x, `${name}_w`, 'b'], outputs: [`${name}_h`] },
    {
      op: 'BatchNormalization',
      inputs: [`${name}_h`, 'gamma', 'beta', 'mean', `${name}_var`],
      outputs: [output],
    },
  ];
  const four = (name: string) => floatTensor(name, [4], [1, 2, 3, 4]);
  const model = await assertSame(
    through(
      // The second convolution is depthwise, so it keeps its normalisation.
      [...conv('one', 'x', 'between'), ...conv('two', 'between', 'y')].map((node) =>
        node.name === 'two' ? { ...node, attributes: { group: 4 } } : node,
      ),
      [
        floatTensor('one_w', [4, 3, 3, 3], seededArray(108, 1)),
        floatTensor('two_w', [4, 1, 3, 3], seededArray(36, 2)),
        ...['b', 'gamma', 'beta', 'mean', 'one_var', 'two_var'].map(four),
      ],
      [2, 3, 7, 7],
      { outputs: { y: null, beta: [4] } },
    ),
  );
  const names = initializersOf(model);
  assert.ok(['b', 'gamma', 'beta', 'mean', 'two_var', 'two_w'].every((name) => names.includes(name)));
  assert.ok(!names.includes('one_var') && !names.includes('one_w'), `${names}`);
});

test('trap: Conv – what is an output of the model outlives the normalisation it was folded from', async () => {
  const model = await assertSame(
    through(
      [
        { op: 'Conv', inputs: ['x', 'w', 'b'], outputs: ['h'] },
        { op: 'BatchNormalization', inputs: ['h', 'gamma', 'beta', 'mean', 'var'], outputs: ['y'] },
      ],
      [
        floatTensor('w', [4, 3, 3, 3], seededArray(108, 1)),
        ...['b', 'gamma', 'beta', 'mean', 'var'].map((name) => floatTensor(name, [4], [1, 2, 3, 4])),
      ],
      [2, 3, 7, 7],
      { outputs: { y: null, b: [4], gamma: [4] } },
    ),
  );
  assert.deepEqual(initializersOf(model).sort(), ['b', 'gamma', 'w_factor1', 'w_factor2', 'w_folded_bias']);
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

// ---- Quantised, fused and recurrent ----

const u8 = (name: string, dims: readonly number[], value = 3): onnx.ITensorProto => ({
  name,
  dims: [...dims],
  dataType: 2,
  rawData: new Uint8Array(dims.reduce((a, b) => a * b, 1)).fill(value),
});
const scalar = (name: string, value: number) => floatTensor(name, [], [value]);

test('trap: quantised and QDQ – counted, skipped with the reason', () => {
  const q: NodeSpec = { op: 'QuantizeLinear', inputs: ['x', 's', 'z'], outputs: ['xq'] };
  const constants = [scalar('s', 0.1), u8('z', [])];
  const cases: readonly (readonly [spec: ModelSpec, macs: number])[] = [
    [
      through(
        [q, { op: 'QLinearConv', inputs: ['xq', 's', 'z', 'w', 's', 'z', 's', 'z'], outputs: ['y'] }],
        [...constants, u8('w', [4, 3, 3, 3])],
        [1, 3, 5, 5],
        { outputTypes: { y: 2 } },
      ),
      9 * 108,
    ],
    [
      through(
        [q, { op: 'QLinearMatMul', inputs: ['xq', 's', 'z', 'w', 's', 'z', 's', 'z'], outputs: ['y'] }],
        [...constants, u8('w', [6, 5])],
        [3, 6],
        { outputTypes: { y: 2 } },
      ),
      90,
    ],
    [
      through(
        [q, { op: 'MatMulInteger', inputs: ['xq', 'w', 'z', 'z'], outputs: ['y'] }],
        [...constants, u8('w', [6, 5])],
        [3, 6],
        { outputTypes: { y: 6 } },
      ),
      90,
    ],
    [
      through(
        [q, { op: 'ConvInteger', inputs: ['xq', 'w'], outputs: ['y'] }],
        [...constants, u8('w', [4, 3, 3, 3])],
        [1, 3, 5, 5],
        { outputTypes: { y: 6 } },
      ),
      9 * 108,
    ],
    [
      through(
        [
          {
            op: 'com.microsoft:MatMulNBits',
            inputs: ['x', 'w', 'scales'],
            outputs: ['y'],
            attributes: { K: 32, N: 5, bits: 4, block_size: 32 },
          },
        ],
        [u8('w', [5, 1, 16]), floatTensor('scales', [5], [1, 1, 1, 1, 1])],
        [3, 32],
      ),
      3 * 32 * 5,
    ],
    [
      through(
        [{ op: 'DequantizeLinear', inputs: ['v', 's', 'z'], outputs: ['w'] }, PRODUCT],
        [...constants, u8('v', [6, 5])],
      ),
      90,
    ],
  ];
  for (const [spec, macs] of cases) {
    assert.equal(assertSkipped(spec, /quantised/).macs, macs, spec.nodes.at(-1)?.op);
  }
});

test('trap: com.microsoft fused – the summand of a FusedConv and its activation go with the last factor', async () => {
  const spec = through(
    [
      {
        op: 'com.microsoft:FusedConv',
        name: 'layer',
        inputs: ['x', 'w', 'b', 'z'],
        outputs: ['y'],
        attributes: { activation: 'Relu' },
      },
    ],
    [
      floatTensor('w', [4, 3, 3, 3], seededArray(108, 1)),
      floatTensor('b', [4], seededArray(4, 2)),
      floatTensor('z', [2, 4, 3, 3], seededArray(72, 3)),
    ],
    [2, 3, 5, 5],
  );
  const [first, last] = (await assertSame(spec)).graph.nodes;
  assert.ok(!first!.attributes.has('activation') && first!.inputs.length === 2);
  assert.deepEqual(last!.attributes.get('activation'), { kind: 'string', value: 'Relu' });
  assert.deepEqual(last!.inputs.slice(2), ['b', 'z']);
});

test('trap: com.microsoft fused – Attention and FusedMatMul with the weight in front are counted only', () => {
  const attention = assertSkipped(
    through(
      [
        {
          op: 'com.microsoft:Attention',
          inputs: ['x', 'w', 'b'],
          outputs: ['y'],
          attributes: { num_heads: 2 },
        },
      ],
      [matrix('w', 8, 24), floatTensor('b', [24], seededArray(24, 2))],
      [2, 5, 8],
    ),
    /fused operator/,
  );
  assert.equal(attention.macs, 2 * 5 * 8 * 24 + 2 * 2 * 5 * 5 * 8);
  const product = assertSkipped(
    through(
      [{ op: 'com.microsoft:FusedMatMul', inputs: ['w', 'x'], outputs: ['y'] }],
      [matrix('w', 5, 6)],
      [6, 3],
    ),
    /not factored/,
  );
  assert.equal(product.macs, 90);
});

test('trap: LSTM, GRU and RNN – times the length of the sequence, skipped with the reason', () => {
  const [steps, batch, width, hidden] = [7, 2, 5, 4];
  for (const [op, gates] of [
    ['LSTM', 4],
    ['GRU', 3],
    ['RNN', 1],
  ] as const) {
    for (const directions of [1, 2]) {
      const tensors = [
        floatTensor(
          'w',
          [directions, gates * hidden, width],
          seededArray(directions * gates * hidden * width, 1),
        ),
        floatTensor(
          'r',
          [directions, gates * hidden, hidden],
          seededArray(directions * gates * hidden * hidden, 2),
        ),
      ];
      const attributes: Record<string, AttributeSpec> = { hidden_size: hidden };
      if (directions === 2) attributes.direction = 'bidirectional';
      const spec = through([{ op, inputs: ['x', 'w', 'r'], outputs: ['y'], attributes }], tensors, [
        steps,
        batch,
        width,
      ]);
      const analysis = assertSkipped(spec, /Recurrent/);
      assert.equal(analysis.macs, steps * batch * directions * gates * hidden * (width + hidden), op);
      assert.equal(analysis.layers[0]?.parameters, directions * gates * hidden * (width + hidden), op);
    }
  }
});

// ---- What the rest of the file says ----

test('trap: sparse_initializer – kept as it is; a weight that is one is no layer', () => {
  const spec = through(
    [
      { ...PRODUCT, outputs: ['h'] },
      { op: 'MatMul', name: 'thin', inputs: ['h', 'sparse'], outputs: ['y'] },
    ],
    [matrix('w', 6, 6)],
  );
  const sparse = onnx.SparseTensorProto.create({
    values: floatTensor('sparse', [2], [1, 2]),
    indices: int64Tensor('i', [2], [0, 7]),
    dims: [6, 6],
  });
  const bytes = withProto(spec, (model) => model.graph!.sparseInitializer!.push(sparse));
  const { layers, bytes: after } = rewritten(bytes, 0);
  assert.equal(layers, 1);
  const kept = onnx.ModelProto.decode(after).graph!.sparseInitializer!;
  assert.deepEqual(
    onnx.SparseTensorProto.encode(kept[0]!).finish(),
    onnx.SparseTensorProto.encode(sparse).finish(),
  );
});

test('trap: training_info – names the weights, so they stay', () => {
  const bytes = withProto(through([PRODUCT], [matrix('w', 6, 5)]), (model) => {
    model.trainingInfo = [onnx.TrainingInfoProto.create({ updateBinding: [{ key: 'w', value: 'w_new' }] })];
  });
  assertSkipped(bytes, /training information/);
});

test('trap: quantization_annotation – a tensor it mentions stays, every other goes', async () => {
  const bytes = withProto(
    through(
      [
        { ...PRODUCT, outputs: ['h'] },
        { op: 'MatMul', name: 'next', inputs: ['h', 'v'], outputs: ['y'] },
      ],
      [matrix('w', 6, 6), matrix('v', 6, 6, 2), scalar('scale', 1)],
    ),
    (model) => {
      model.graph!.quantizationAnnotation = [
        { tensorName: 'w', quantParameterTensorNames: [{ key: 'SCALE_TENSOR', value: 'scale' }] },
      ];
    },
  );
  const model = await assertSame(bytes);
  assert.deepEqual(initializersOf(model).sort(), ['scale', 'v_factor1', 'v_factor2', 'w']);
  assert.deepEqual(model.graph.annotated, read(bytes).graph.annotated);
});

// ---- Names ----

test('trap: names – __proto__, constructor and names with markup are names', async () => {
  const model = await assertSame(
    through(
      [
        { op: 'MatMul', name: '__proto__', inputs: ['x', '__proto__'], outputs: ['constructor'] },
        { op: 'MatMul', name: '<b>&"', inputs: ['constructor', '<img src=x>'], outputs: ['y'] },
      ],
      [matrix('__proto__', 6, 6), matrix('<img src=x>', 6, 5, 2)],
    ),
    2,
  );
  assert.deepEqual(initializersOf(model).sort(), [
    '<img src=x>_factor1',
    '<img src=x>_factor2',
    '__proto___factor1',
    '__proto___factor2',
  ]);
  const bytes = encodeModel(through([PRODUCT], [matrix('w', 6, 5)], [3, 6], { outputs: { y: null } }));
  const odd = withProto(through([PRODUCT], [matrix('w', 6, 5)]), (m) => {
    m.graph!.input![0]!.name = '__proto__';
    m.graph!.node![0]!.input![0] = '__proto__';
  });
  assert.equal(analysisOf(odd).macs, analysisOf(bytes).macs);
  assert.ok(randomInputs(odd).has('__proto__'));
});

test('trap: names – outputs of the graph keep theirs, nodes without a name get one', async () => {
  const spec = through(
    [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'MatMul', inputs: ['h', 'v'], outputs: ['y'] },
    ],
    [matrix('w', 6, 6), matrix('v', 6, 6, 2)],
    [3, 6],
    { outputs: { h: null, y: null } },
  );
  const model = await assertSame(spec, 2);
  assert.deepEqual(
    model.graph.outputs.map((o) => o.name),
    ['h', 'y'],
  );
  const names = model.graph.nodes.map((n) => n.name);
  assert.equal(new Set(names).size, 4);
  assert.ok(!names.includes(''));
});

test('trap: names – new ones clash with none, in whatever graph', async () => {
  const branch = (prefix: string) =>
    encodeGraph({
      nodes: [
        { op: 'MatMul', name: 'layer_factor1', inputs: ['x', 'w'], outputs: [`${prefix}y_between`] },
        {
          op: 'Add',
          name: 'layer_factor2',
          inputs: [`${prefix}y_between`, 'w_factor1'],
          outputs: [`${prefix}out`],
        },
      ],
      outputs: { [`${prefix}out`]: null },
      initializers: [floatTensor('w_factor1', [1], [3]), floatTensor('w_factor2', [1], [4])],
    });
  const spec = through(
    [
      { op: 'MatMul', name: 'layer', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'ReduceSum', inputs: ['x'], outputs: ['sum'], attributes: { keepdims: 0 } },
      { op: 'Greater', inputs: ['sum', 'zero'], outputs: ['condition'] },
      {
        op: 'If',
        inputs: ['condition'],
        outputs: ['k'],
        attributes: { then_branch: branch('h'), else_branch: branch('k') },
      },
      { op: 'Add', inputs: ['h', 'k'], outputs: ['y'] },
    ],
    [matrix('w', 6, 6), floatTensor('zero', [], [0])],
  );
  const model = await assertSame(spec);
  const bound = [...allGraphs(model.graph)].map((g) => [
    ...g.initializers.map((t) => t.name),
    ...g.nodes.flatMap((n) => n.outputs),
  ]);
  const [main, ...bodies] = bound as [string[], ...string[][]];
  for (const names of bodies) {
    assert.equal(new Set([...main, ...names]).size, main.length + names.length, 'nothing hides anything');
  }
});

// ---- Opset < 7, and numbers ----

test('trap: opset < 7 – broadcast and axis of elementwise operators shape and stay', () => {
  const spec = through(
    [
      { op: 'MatMul', name: 'layer', inputs: ['x', 'w'], outputs: ['h'] },
      { op: 'Add', inputs: ['h', 'b'], outputs: ['y'], attributes: { broadcast: 1, axis: 1 } },
    ],
    [matrix('w', 6, 5), floatTensor('b', [4], seededArray(4, 2))],
    [3, 4, 6],
    { inputs: { x: [3, 4, 6], w: [6, 5], b: [4] }, opset: 6, irVersion: 3 },
  );
  const { analysis } = analyzeModel(read(encodeModel(spec)), {
    dims: {},
    openExternal: noFiles,
    shapes: true,
  });
  assert.deepEqual(analysis.tensors?.y?.shape, [3, 4, 5]);
  const add = read(rewritten(encodeModel(spec), 0).bytes).graph.nodes.at(-1)!;
  assert.deepEqual(Object.fromEntries(add.attributes), {
    broadcast: { kind: 'int', value: 1 },
    axis: { kind: 'int', value: 1 },
  });
});

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
