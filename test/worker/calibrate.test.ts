import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import type { Target } from '../../src/core/compress/plan';
import { ModelError } from '../../src/core/onnx/modelError';
import { openCalibration } from '../../src/worker/calibration/calibrationData';
import type { CompressRequest, Progress } from '../../src/worker/engine';
import { openModel } from '../../src/worker/openModel';
import { loadRuntime } from '../../src/worker/runtime';
import { createCheckedSession } from '../support/checkedSession';
import { npyFile } from '../support/npyFile';
import { encodeModel, floatTensor, type ModelSpec, seededArray } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

/** Compressing with data, from the request to the file, against ONNX Runtime. */

const folder = path.resolve('dist');
const session = createCheckedSession({ folder, threadScript: path.join(folder, 'factorThread.js') });
const runtime = loadRuntime(folder);
after(() => session.close());

const isModelError = (code: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ModelError, `${error}`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, text);
  return true;
};

const COUNT = 96;

/** Smooth pictures around a mean: most of their directions hardly vary, as in real ones. */
function pictures(channels: number, side: number, seed = 5): Uint8Array {
  const values = seededArray(COUNT * channels * side * side, seed);
  for (let at = 1; at < values.length; at++) values[at] = 0.85 * values[at - 1]! + 0.3 * values[at]! + 0.1;
  return npyFile('<f4', [COUNT, channels, side, side], values);
}

const scaled = (length: number, seed: number, inputs: number) =>
  seededArray(length, seed).map((value) => value * Math.sqrt(3 / inputs));

const ints = (...value: number[]) => value;

/** A small classifier: a convolution with a normalisation, one without a bias, a shortcut, a matrix product, a softmax. */
function classifier(): ModelSpec {
  return {
    nodes: [
      { op: 'Conv', name: 'c1', inputs: ['x', 'w1'], outputs: ['a'], attributes: { pads: ints(1, 1, 1, 1) } },
      { op: 'BatchNormalization', name: 'n1', inputs: ['a', 's', 't', 'm', 'v'], outputs: ['b'] },
      { op: 'Relu', name: 'r1', inputs: ['b'], outputs: ['c'] },
      {
        op: 'Conv',
        name: 'c2',
        inputs: ['c', 'w2', 'b2'],
        outputs: ['d'],
        attributes: { pads: ints(1, 1, 1, 1) },
      },
      { op: 'Relu', name: 'r2', inputs: ['d'], outputs: ['e'] },
      { op: 'Conv', name: 'c3', inputs: ['e', 'w3'], outputs: ['f'], attributes: { pads: ints(1, 1, 1, 1) } },
      { op: 'Add', name: 'sum', inputs: ['f', 'c'], outputs: ['g'] },
      { op: 'Relu', name: 'r3', inputs: ['g'], outputs: ['h'] },
      { op: 'Flatten', name: 'flat', inputs: ['h'], outputs: ['i'] },
      { op: 'MatMul', name: 'f1', inputs: ['i', 'w4'], outputs: ['j'] },
      { op: 'Relu', name: 'r4', inputs: ['j'], outputs: ['k'] },
      { op: 'Gemm', name: 'f2', inputs: ['k', 'w5', 'b5'], outputs: ['l'], attributes: { transB: 1 } },
      { op: 'Softmax', name: 'p', inputs: ['l'], outputs: ['y'] },
    ],
    inputs: { x: ['N', 3, 8, 8] },
    outputs: { y: null },
    initializers: [
      floatTensor('w1', [24, 3, 3, 3], scaled(24 * 27, 1, 27)),
      floatTensor(
        's',
        [24],
        seededArray(24, 11).map((value) => 1 + 0.2 * value),
      ),
      floatTensor('t', [24], seededArray(24, 12)),
      floatTensor('m', [24], seededArray(24, 13)),
      floatTensor(
        'v',
        [24],
        seededArray(24, 14).map((value) => 1 + 0.5 * value),
      ),
      floatTensor('w2', [24, 24, 3, 3], scaled(24 * 216, 2, 216)),
      floatTensor('b2', [24], seededArray(24, 15)),
      floatTensor('w3', [24, 24, 3, 3], scaled(24 * 216, 3, 216)),
      floatTensor('w4', [1536, 48], scaled(1536 * 48, 4, 1536)),
      floatTensor('w5', [10, 48], scaled(480, 6, 4)),
      floatTensor('b5', [10], seededArray(10, 16)),
    ],
  };
}

/** A model and data for it in a folder of their own. */
function prepared(spec: ModelSpec, data: Uint8Array) {
  const home = scratchFolder();
  return {
    home,
    model: writeInto(home, 'model.onnx', encodeModel(spec)),
    data: writeInto(home, 'data.npy', data),
    beside: (name: string) => path.join(home, name),
  };
}

type Prepared = ReturnType<typeof prepared>;

const macs: Target = { kind: 'macs', share: 0.35 };

function request(at: Prepared, more: Partial<CompressRequest> = {}): CompressRequest {
  return {
    path: at.model,
    output: at.beside('small.onnx'),
    target: macs,
    method: 'auto',
    multiple: 1,
    overwrite: true,
    calibration: { path: at.data },
    ...more,
  };
}

/** ‖y − ŷ‖ / ‖y‖, and the means of both, over some samples. */
async function compare(at: Prepared, compressed: string, which: 'fit' | 'heldBack') {
  const open = openModel(at.model);
  const data = await openCalibration(open.model, new Map(), { path: at.data });
  const sessions = [await runtime.open(at.model, []), await runtime.open(compressed, [])];
  try {
    const outputs: number[][] = [[], []];
    for (const { tensors } of data.batches(data[which], 16)) {
      for (const [i, one] of sessions.entries()) {
        const [output] = (await one.run(tensors)).values();
        for (const value of Array.from(output!.data as ArrayLike<number>)) outputs[i]!.push(value);
      }
    }
    const [y, z] = outputs as [number[], number[]];
    const columns = y.length / data[which].length;
    const norm = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
    const means = [y, z].map((values) =>
      Array.from({ length: columns }, (_, c) => {
        let sum = 0;
        for (let i = c; i < values.length; i += columns) sum += values[i]!;
        return sum / data[which].length;
      }),
    ) as [number[], number[]];
    return { error: norm(y.map((value, i) => value - z[i]!)) / norm(y), means, count: data[which].length };
  } finally {
    for (const one of sessions) await one.release();
    data.close();
    open.close();
  }
}

describe('compressing with calibration data', () => {
  it('loses less of the outputs on samples that it has not seen than the weights alone do', async () => {
    const at = prepared(classifier(), pictures(3, 8));
    const report = await session.compress(request(at));
    const { calibration: _, ...plain } = request(at, { output: at.beside('plain.onnx') });
    // Its outputs move little on random numbers, as they are sure of one class; the scores behind them tell.
    await assert.rejects(
      session.compress(plain),
      /it does not pay, .* the scores behind its probabilities would change by .*Calibrate on samples, or ask for less\.$/,
    );
    const weightsOnly = await session.compress({ ...plain, allowInaccurate: true });
    const own = await compare(at, report.compressed.file, 'heldBack');
    const other = await compare(at, weightsOnly.compressed.file, 'heldBack');
    assert.ok(own.error < 0.6 * other.error, `${own.error} against ${other.error}`);
    // The figure of the report is that of the file.
    assert.ok(Math.abs(report.outputError.relative - own.error) < 1e-5 * own.error);
    const { path: original, calibration } = request(at);
    const compressed = report.compressed.file;
    const verified = await session.verify({ original, compressed, calibration: calibration! });
    assert.deepEqual([verified.outputError, verified.inputs], [report.outputError, report.inputs]);
    assert.deepEqual([report.calibration?.fit, report.calibration?.heldBack], [COUNT - own.count, own.count]);
    assert.ok(report.compressed.macs! <= 0.35 * report.original.macs!);
    assert.equal(weightsOnly.calibration, undefined);
    for (const layer of report.layers) {
      assert.equal(layer.uncalibrated, undefined);
      if (layer.method !== 'dense') assert.ok(layer.outputError! > 0 && layer.outputError! < 1, layer.name);
    }
  });

  it('gives the same bytes for the same plan, data and model, and for the goal of that plan', async () => {
    const at = prepared(classifier(), pictures(3, 8));
    const { plan } = await session.plan(request(at));
    assert.equal(plan.sensitivity, 'measured');
    assert.deepEqual([plan.calibration?.file, plan.calibration?.samples], ['data.npy', COUNT]);
    const planPath = at.beside('model.ranks.json');
    const { calibration: _, ...bare } = request(at, { plan, planPath });
    const files = ['a', 'b', 'c'].map((name) => at.beside(`${name}.onnx`)) as [string, string, string];
    // The data is found beside the plan.
    await session.compress({ ...bare, output: files[0] });
    await session.compress({ ...bare, output: files[1], calibration: { path: at.data } });
    await session.compress(request(at, { output: files[2] }));
    const [a, b, c] = files.map((file) => readFileSync(file)) as [Buffer, Buffer, Buffer];
    assert.ok(a.equals(b) && a.equals(c));
  });

  it('refuses a plan whose data has changed or is missing', async () => {
    const at = prepared(classifier(), pictures(3, 8));
    const { plan } = await session.plan(request(at, { target: { kind: 'energy', energy: 0.9 } }));
    const others = writeInto(at.home, 'others.npy', pictures(3, 8, 99));
    const carriedOut = request(at, { plan, planPath: at.beside('model.ranks.json') });
    await assert.rejects(
      session.compress({ ...carriedOut, calibration: { path: others } }),
      isModelError('bad-plan', /others\.npy is not what data\.npy was/),
    );
    await assert.rejects(
      session.compress({ ...carriedOut, calibration: { path: at.beside('gone.npy') } }),
      isModelError('bad-data', /data\.npy, and .*gone\.npy does not exist/),
    );
    assert.deepEqual(readdirSync(at.home).sort(), ['data.npy', 'model.onnx', 'others.npy']);
  });

  it('leaves nothing behind when it is cancelled, in whatever phase', async () => {
    const at = prepared(classifier(), pictures(3, 8));
    // One that has measured nothing yet: what is known is not measured again.
    const fresh = createCheckedSession({ folder, threadScript: path.join(folder, 'factorThread.js') });
    after(() => fresh.close());
    // When the sums are finished layers are tried already: of the passes over the data only the beginning is sure.
    for (const [phase, first, last] of [
      ['read', 0, 0],
      ['measure', 0.02, 0.02],
      ['try', 0.02, 0.4],
      ['fit', 0.4, 0.75],
      ['write', 0.75, 0.8],
      ['verify', 0.8, 1],
    ] as const) {
      for (const from of [0, 0.5]) {
        const controller = new AbortController();
        const onProgress = (progress: Progress) => {
          if (progress.phase === phase && progress.done >= first + from * (last - first)) controller.abort();
        };
        await assert.rejects(
          fresh.compress(request(at), { signal: controller.signal, onProgress }),
          { name: 'AbortError' },
          phase,
        );
        assert.deepEqual(readdirSync(at.home).sort(), ['data.npy', 'model.onnx'], phase);
      }
    }
  });

  it('takes the weights alone where the data says nothing, with a word', async () => {
    const at = prepared(classifier(), npyFile('<f4', [COUNT, 3, 8, 8], new Float32Array(COUNT * 192)));
    const report = await session.compress(request(at));
    const factored = report.layers.filter(({ method }) => method !== 'dense');
    assert.ok(factored.length > 0);
    for (const { name, uncalibrated } of factored) {
      // Zeros become different values at the edges of the first picture only.
      if (name === 'c1') assert.equal(uncalibrated, 'Its inputs do not vary over the calibration data.');
    }
    assert.ok(factored.some(({ uncalibrated }) => uncalibrated !== undefined));
  });

  it('learns from the data how large open inputs are, so that MACs can be counted', async () => {
    const open: ModelSpec = {
      nodes: [
        { op: 'Conv', name: 'c1', inputs: ['x', 'w1'], outputs: ['a'], attributes: { pads: [1, 1, 1, 1] } },
        { op: 'Relu', name: 'r', inputs: ['a'], outputs: ['b'] },
        { op: 'Conv', name: 'c2', inputs: ['b', 'w2'], outputs: ['y'] },
      ],
      inputs: { x: ['N', 3, 'height', 'width'] },
      outputs: { y: null },
      initializers: [
        floatTensor('w1', [24, 3, 3, 3], scaled(24 * 27, 1, 27)),
        floatTensor('w2', [24, 24, 3, 3], scaled(24 * 216, 2, 216)),
      ],
    };
    const at = prepared(open, pictures(3, 8));
    const { macs: counted } = await session.plan(request(at));
    assert.equal(counted.before, 24 * 27 * 64 + 24 * 216 * 36);
    const { calibration: _, ...plain } = request(at);
    await assert.rejects(session.compress(plain), isModelError('unreachable-target', /symbolic dimensions/));
    const report = await session.compress(request(at));
    assert.equal(report.original.macs, counted.before);
    assert.ok(report.compressed.macs! <= 0.35 * counted.before!);
  });

  it('takes the method that is asked for', async () => {
    const at = prepared(classifier(), pictures(3, 8));
    const report = await session.compress(
      request(at, { method: 'tucker2', target: { kind: 'energy', energy: 0.95 } }),
    );
    assert.ok(report.layers.some(({ method }) => method === 'tucker2'));
    assert.ok(report.outputError.relative < 0.3);
  });
});

describe('a goal of output error', () => {
  it('is met on samples held back, near enough', async () => {
    const at = prepared(classifier(), pictures(3, 8));
    for (const error of [0.05, 0.15]) {
      const report = await session.compress(request(at, { target: { kind: 'error', error } }));
      const { relative } = report.outputError;
      assert.ok(relative <= error && relative > 0.2 * error, `${relative} for ${error}`);
      assert.ok(report.compressed.parameters < report.original.parameters);
    }
  });

  it('is refused with the nearest where no plan meets it, or nothing would be gained', async () => {
    const at = prepared(classifier(), pictures(3, 8));
    await assert.rejects(
      session.compress(request(at, { target: { kind: 'error', error: 1e-7 } })),
      (error: unknown) =>
        error instanceof ModelError &&
        ['unreachable-target', 'nothing-to-do', 'inaccurate'].includes(error.code),
    );
    assert.deepEqual(readdirSync(at.home).sort(), ['data.npy', 'model.onnx']);
  });
});

describe('the bias that makes up for the mean', () => {
  const x = { N: ['N', 3, 8, 8] } as const;
  const conv = (inputs: string[], attributes = {}): ModelSpec => ({
    nodes: [{ op: 'Conv', name: 'l', inputs, outputs: ['y'], attributes }],
    inputs: { x: [...x.N] },
    outputs: { y: null },
    initializers: [
      floatTensor('w', [16, 3, 3, 3], scaled(16 * 27, 1, 27)),
      ...(inputs.includes('b') ? [floatTensor('b', [16], seededArray(16, 2))] : []),
    ],
  });
  const product = (node: ModelSpec['nodes'][number], dims: number[], bias?: number[]): ModelSpec => ({
    nodes: [{ op: 'Flatten', name: 'flat', inputs: ['x'], outputs: ['f'] }, node],
    inputs: { x: [...x.N] },
    outputs: { y: null },
    initializers: [
      floatTensor('w', dims, scaled(192 * 20, 1, 192)),
      ...(bias ? [floatTensor('b', bias, seededArray(20, 2))] : []),
    ],
  });
  const gemm = (inputs: string[], attributes = {}) => ({
    op: 'Gemm',
    name: 'l',
    inputs,
    outputs: ['y'],
    attributes,
  });
  const summed = (inputs: string[]): ModelSpec => {
    const spec = product({ op: 'MatMul', name: 'l', inputs: ['f', 'w'], outputs: ['p'] }, [192, 20], [20]);
    return { ...spec, nodes: [...spec.nodes, { op: 'Add', name: 'sum', inputs, outputs: ['y'] }] };
  };
  const models: readonly (readonly [string, ModelSpec])[] = [
    ['of a convolution', conv(['x', 'w', 'b'])],
    ['of a convolution without one', conv(['x', 'w'])],
    ['of Gemm', product(gemm(['f', 'w', 'b'], { transB: 1 }), [20, 192], [20])],
    ['of Gemm without one', product(gemm(['f', 'w']), [192, 20])],
    [
      'of Gemm that scales both',
      product(gemm(['f', 'w', 'b'], { alpha: { float: 0.5 }, beta: { float: 3 } }), [192, 20], [20]),
    ],
    [
      'of Gemm with one number for all',
      product(gemm(['f', 'w', 'b'], { alpha: { float: 2 } }), [192, 20], [1]),
    ],
    ['of MatMul', product({ op: 'MatMul', name: 'l', inputs: ['f', 'w'], outputs: ['y'] }, [192, 20])],
    ['of MatMul with a sum behind it', summed(['p', 'b'])],
    ['of MatMul in a sum, after the constant', summed(['b', 'p'])],
  ];
  for (const [name, spec] of models) {
    it(name, async () => {
      const initializers =
        name === 'of Gemm with one number for all'
          ? [spec.initializers![0]!, floatTensor('b', [1], Float32Array.of(0.7))]
          : spec.initializers!;
      const at = prepared({ ...spec, initializers }, pictures(3, 8));
      const report = await session.compress(request(at, { target: { kind: 'rank', rank: 4 } }));
      if (name.includes('MatMul')) {
        // One sum, whether it was there or not; what is new belongs to the layer.
        const written = openModel(report.compressed.file);
        assert.equal(written.model.graph.nodes.filter(({ opType }) => opType === 'Add').length, 1);
        written.close();
        const isNew = name === 'of MatMul';
        const [{ parameters, nodes }] = report.layers as [(typeof report.layers)[number]];
        assert.equal(parameters.after, 4 * (192 + 20) + (isNew ? 20 : 0));
        assert.equal(nodes!.length, isNew ? 3 : 2);
        assert.equal(report.compressed.parameters, 4 * (192 + 20) + 20);
      }
      const { error, means } = await compare(at, report.compressed.file, 'fit');
      const [own, other] = means;
      const largest = Math.max(...own.map(Math.abs));
      for (const [i, mean] of own.entries()) {
        // Of a convolution the mean is right over all places together, so only products are held to every one.
        if (!name.includes('convolution')) assert.ok(Math.abs(mean - other[i]!) < 1e-4 * largest, `${i}`);
      }
      const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum(own) - sum(other)) < 1e-4 * largest * own.length);
      assert.ok(error < 0.9);
    });
  }
});
