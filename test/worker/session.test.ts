import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Target } from '../../src/core/compress/plan';
import { memorySource } from '../../src/core/onnx/byteSource';
import { ModelError } from '../../src/core/onnx/modelError';
import { readModel } from '../../src/core/onnx/read';
import type { Progress } from '../../src/worker/engine';
import { createCheckedSession } from '../support/checkedSession';
import { encodeModel, floatTensor, seededArray } from '../support/onnxModel';
import { SAMPLE, scratchFolder, scratchSample, writeInto } from '../support/scratch';

const folder = path.resolve('dist');
const threadScript = path.join(folder, 'factorThread.js');
const session = createCheckedSession({ folder, threadScript });
after(() => session.close());

const half: Target = { kind: 'parameters', share: 0.5 };
const isModelError = (code: string) => (error: unknown) => {
  assert.ok(error instanceof ModelError, `${error}`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, /\.$/);
  return true;
};
const hash = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

test('the sample: parameters, MACs and layers as published with it', async () => {
  const analysis = await session.analyze({ path: SAMPLE, shapes: true });
  assert.deepEqual(analysis.parameters, { stored: 2_310_794, used: 2_310_794, statistics: 0 });
  assert.equal(analysis.macs, 17_925_632);
  assert.equal(analysis.flops, 2 * 17_925_632);
  assert.deepEqual([analysis.opset, analysis.unknownMacs, analysis.assumedDims], [17, [], { batch: 1 }]);
  assert.deepEqual(
    analysis.layers.map((l) => [l.op, l.weightShape.join('×')]),
    [
      ['Conv', '32×1×3×3'],
      ['Conv', '64×32×3×3'],
      ['Conv', '128×64×3×3'],
      ['Conv', '128×128×3×3'],
      ['Conv', '256×128×3×3'],
      ['Conv', '256×256×3×3'],
      ['Gemm', '512×2304'],
      ['Gemm', '10×512'],
    ],
  );
  assert.equal(
    analysis.layers.reduce((sum, l) => sum + (l.macs ?? 0), 0),
    analysis.macs,
  );
  assert.deepEqual(
    analysis.tensors?.[analysis.layers[0]!.name.length ? 'input' : '']?.shape?.slice(1),
    [1, 28, 28],
  );
});

test('a symbolic dimension can be bound by its name and by its place', async () => {
  for (const dims of [{ batch: 3 }, { 'input[0]': 3 }]) {
    const analysis = await session.analyze({ path: SAMPLE, dims });
    assert.equal(analysis.macs, 3 * 17_925_632);
    assert.deepEqual(analysis.assumedDims, {});
  }
  const { problems } = await session.analyze({ path: SAMPLE, dims: { nope: 3 } });
  assert.deepEqual(
    problems.map((p) => p.code),
    ['unknown-dim'],
  );
});

test('suggestions keep their energy below break-even', async () => {
  const { layers } = await session.suggest({ path: SAMPLE, energy: 0.9, method: 'auto' });
  const suggested = layers.filter((l) => l.suggestion);
  assert.ok(suggested.length >= 6, `${suggested.length} suggestions`);
  for (const { suggestion, parameters, macs } of suggested) {
    assert.ok(suggestion!.energy >= 0.9 && suggestion!.energy < 0.97, `${suggestion!.energy}`);
    assert.ok(suggestion!.parameters < parameters && suggestion!.macs! < macs!);
  }
});

test('half the parameters: what the report says is what the file holds', async () => {
  const source = scratchSample();
  const before = hash(source);
  const output = path.join(path.dirname(source), 'small.onnx');
  const seen: Progress[] = [];
  const report = await session.compress(
    { path: source, output, target: half, method: 'auto', overwrite: false },
    { onProgress: (p) => seen.push(p) },
  );
  assert.ok(report.compressed.parameters <= 0.5 * report.original.parameters);
  assert.equal(report.compressed.bytes, statSync(output).size);
  const fresh = await session.analyze({ path: output });
  assert.equal(fresh.parameters.stored, report.compressed.parameters);
  assert.equal(fresh.macs, report.compressed.macs);
  assert.equal(
    report.layers.reduce((sum, l) => sum + l.parameters.after, 0),
    report.compressed.parameters,
  );
  assert.equal(
    report.layers.reduce((sum, l) => sum + l.macs.after!, 0),
    report.compressed.macs,
  );
  const verification = await session.verify({ original: source, compressed: output });
  assert.equal(
    verification.outputError.relative,
    report.outputError.relative,
    'the same input, the same error',
  );
  assert.equal(hash(source), before, 'the source is untouched');
  assert.deepEqual(readdirSync(path.dirname(source)).sort(), ['small.onnx', 'vgg.onnx']);
  assert.ok(
    seen.every((p, i) => i === 0 || p.done >= seen[i - 1]!.done),
    'progress never falls',
  );
  assert.deepEqual([...new Set(seen.map((p) => p.phase))], ['suggest', 'factor', 'write', 'verify']);
});

test('a full-rank rewrite by each method agrees with the original', async () => {
  const source = scratchSample();
  for (const method of ['channel', 'spatial'] as const) {
    const output = path.join(path.dirname(source), `${method}.onnx`);
    const report = await session.compress({
      path: source,
      output,
      target: { kind: 'rank', rank: 1_000_000 },
      method,
      overwrite: false,
      allowLarger: true,
    });
    assert.ok(
      report.layers.every((l) => l.ranks !== null),
      'every layer is factored',
    );
    assert.ok(report.outputError.relative < 1e-4, `${method}: ${report.outputError.relative}`);
    assert.ok(report.layers.every((l) => l.weightError! < 1e-5));
  }
});

test('normalisations are folded into factored convolutions, or kept where that is asked for', async () => {
  const channels = 16;
  const vector = (name: string, seed: number) =>
    floatTensor(
      name,
      [channels],
      seededArray(channels, seed).map((x) => 1.5 + x),
    );
  const weight = Float32Array.from({ length: channels * 8 * 9 }, (_, i) => Math.sin(i) / (1 + (i % 7)));
  const source = writeInto(
    scratchFolder(),
    'norm.onnx',
    encodeModel({
      nodes: [
        { op: 'Conv', name: 'conv', inputs: ['x', 'w'], outputs: ['h'] },
        { op: 'BatchNormalization', name: 'norm', inputs: ['h', 'g', 'b', 'm', 'v'], outputs: ['y'] },
      ],
      inputs: { x: [1, 8, 9, 9] },
      outputs: { y: null },
      initializers: [
        floatTensor('w', [channels, 8, 3, 3], weight),
        vector('g', 1),
        vector('b', 2),
        vector('m', 3),
        vector('v', 4),
      ],
    }),
  );
  for (const foldNorms of [true, false]) {
    const output = path.join(path.dirname(source), `${foldNorms}.onnx`);
    const report = await session.compress({
      path: source,
      output,
      target: { kind: 'rank', rank: channels },
      method: 'channel',
      overwrite: false,
      allowLarger: true,
      foldNorms,
    });
    assert.ok(report.outputError.relative < 1e-5);
    const operators = readModel(memorySource('m.onnx', readFileSync(output))).graph.nodes.map(
      (node) => node.opType,
    );
    assert.deepEqual(operators, foldNorms ? ['Conv', 'Conv'] : ['Conv', 'Conv', 'BatchNormalization']);
  }
});

test('factors that wait on the disk are written like those in memory', async () => {
  const source = scratchSample();
  const outputs = ['memory.onnx', 'disk.onnx'].map((name) => path.join(path.dirname(source), name));
  const onDisk = createCheckedSession({ folder, threadScript, limits: { keptFactors: 100_000 } });
  try {
    const request = { path: source, target: half, method: 'auto', overwrite: false } as const;
    await session.compress({ ...request, output: outputs[0]! });
    await onDisk.compress({ ...request, output: outputs[1]! });
    assert.equal(hash(outputs[0]!), hash(outputs[1]!));
    assert.deepEqual(readdirSync(path.dirname(source)).sort(), ['disk.onnx', 'memory.onnx', 'vgg.onnx']);
  } finally {
    await onDisk.close();
  }
});

test('the same target gives the same bytes', async () => {
  const source = scratchSample();
  const outputs = ['a.onnx', 'b.onnx'].map((name) => path.join(path.dirname(source), name));
  for (const output of outputs) {
    await session.compress({ path: source, output, target: half, method: 'auto', overwrite: false });
  }
  assert.equal(hash(outputs[0]!), hash(outputs[1]!));
});

for (const phase of ['suggest', 'factor', 'write', 'verify'] as const) {
  test(`cancelled while ${phase} runs: an AbortError, and no file is left`, async () => {
    const source = scratchSample();
    const abort = new AbortController();
    const fresh = createCheckedSession({ folder, threadScript }); // no spectra in its cache
    try {
      const call = fresh.compress(
        {
          path: source,
          output: path.join(path.dirname(source), 'out.onnx'),
          target: half,
          method: 'auto',
          overwrite: false,
        },
        {
          signal: abort.signal,
          onProgress: (p) => p.phase === phase && abort.abort(new DOMException('stop', 'AbortError')),
        },
      );
      await assert.rejects(call, { name: 'AbortError' });
      assert.deepEqual(readdirSync(path.dirname(source)), ['vgg.onnx']);
      // And the engine still works.
      assert.equal((await fresh.suggest({ path: source, energy: 0.9, method: 'auto' })).layers.length, 8);
    } finally {
      await fresh.close();
    }
  });
}

test('a thread that dies: a sentence, no file, and the next call works again', async () => {
  const source = scratchSample();
  const flag = path.join(path.dirname(source), 'died');
  const dying = writeInto(
    scratchFolder(),
    'dying.js',
    `const fs = require('fs'); const { parentPort } = require('worker_threads');
     if (fs.existsSync(${JSON.stringify(flag)})) require(${JSON.stringify(threadScript)});
     else parentPort.on('message', () => { fs.writeFileSync(${JSON.stringify(flag)}, ''); process.exit(9); });`,
  );
  const fragile = createCheckedSession({ folder, threadScript: dying });
  try {
    const request = {
      path: source,
      output: path.join(path.dirname(source), 'out.onnx'),
      target: half,
      method: 'auto',
      overwrite: false,
    } as const;
    await assert.rejects(fragile.compress(request), isModelError('engine-stopped'));
    assert.deepEqual(readdirSync(path.dirname(source)).sort(), ['died', 'vgg.onnx']);
    await fragile.compress(request);
    assert.deepEqual(readdirSync(path.dirname(source)).sort(), ['died', 'out.onnx', 'vgg.onnx']);
  } finally {
    await fragile.close();
  }
});

/** A model of two matrices, one of them spoilt. */
function twoLayers(spoil: (w: Float32Array) => void): Uint8Array {
  const low = (seed: number) => {
    const [u, v] = [seededArray(32, seed), seededArray(32, seed + 1)];
    return Float32Array.from({ length: 1024 }, (_, i) => u[i >> 5]! * v[i & 31]!);
  };
  const w1 = low(1);
  spoil(w1);
  return encodeModel({
    nodes: [
      { op: 'MatMul', name: 'first', inputs: ['x', 'w1'], outputs: ['h'] },
      { op: 'MatMul', name: 'second', inputs: ['h', 'w2'], outputs: ['y'] },
    ],
    inputs: { x: [4, 32] },
    outputs: { y: null },
    initializers: [floatTensor('w1', [32, 32], w1), floatTensor('w2', [32, 32], low(3))],
  });
}

test('a weight with NaN is left alone with the reason, and the others are compressed', async () => {
  const dir = scratchFolder();
  const source = writeInto(
    dir,
    'nan.onnx',
    twoLayers((w) => {
      w[5] = Number.NaN;
    }),
  );
  const analysis = await session.suggest({ path: source, energy: 0.9, method: 'auto' });
  assert.deepEqual(
    analysis.layers.map((l) => l.status),
    ['skipped', 'compressible'],
  );
  assert.match(analysis.layers[0]!.reason!, /NaN/);
  // The whole can't be verified, as everything it computes is NaN; with a finite first layer it can.
  const good = writeInto(
    dir,
    'good.onnx',
    twoLayers(() => {}),
  );
  const report = await session.compress({
    path: good,
    output: path.join(dir, 'out.onnx'),
    target: { kind: 'rank', rank: 1 },
    method: 'auto',
    overwrite: false,
  });
  assert.ok(report.outputError.relative < 1e-5, 'the weights have rank 1');
});

test('targets that must not be written are refused before any work', async () => {
  const source = scratchSample();
  const dir = path.dirname(source);
  const existing = writeInto(dir, 'there.onnx', 'dear');
  symlinkSync(source, path.join(dir, 'link.onnx'));
  const compress = (output: string, overwrite = false) =>
    session.compress({ path: source, output, target: half, method: 'auto', overwrite });
  await assert.rejects(compress(existing), isModelError('target-exists'));
  assert.equal(readFileSync(existing, 'utf8'), 'dear');
  await assert.rejects(compress(source, true), isModelError('target-is-source'));
  await assert.rejects(compress(path.join(dir, 'link.onnx'), true), isModelError('target-is-source'));
  await assert.rejects(compress(path.join(dir, 'no', 'such', 'out.onnx')), isModelError('target-folder'));
  await assert.rejects(compress('/sys/out.onnx'), isModelError('write-failed'));
  mkdirSync(path.join(dir, 'folder.onnx'));
  await assert.rejects(compress(path.join(dir, 'folder.onnx'), true), isModelError('write-failed'));
  assert.deepEqual(readdirSync(dir).sort(), ['folder.onnx', 'link.onnx', 'there.onnx', 'vgg.onnx']);
  await compress(existing, true);
  assert.notEqual(readFileSync(existing, 'utf8'), 'dear');
});

test("a target that can't be met, and a model with nothing to gain, are refused", async () => {
  const source = scratchSample();
  const compress = (target: Target, method: 'auto' | 'svd' = 'auto') =>
    session.compress({
      path: source,
      output: path.join(path.dirname(source), 'out.onnx'),
      target,
      method,
      overwrite: false,
    });
  await assert.rejects(compress({ kind: 'parameters', share: 0.0001 }), isModelError('unreachable-target'));
  await assert.rejects(compress({ kind: 'rank', rank: 5000 }), isModelError('nothing-to-do'));
  assert.deepEqual(readdirSync(path.dirname(source)), ['vgg.onnx']);
});

/** A model whose weight lies in a data file, as the entries say. */
function externalModel(entries: Readonly<Record<string, string>>): Uint8Array {
  return encodeModel({
    nodes: [{ op: 'MatMul', name: 'fc', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: { x: [2, 16] },
    outputs: { y: null },
    initializers: [
      {
        name: 'w',
        dims: [16, 16],
        dataType: 1,
        dataLocation: 1,
        externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
      },
    ],
  });
}

test('external data is read from beside the model', async () => {
  const dir = scratchFolder();
  writeInto(
    dir,
    'w.bin',
    new Uint8Array(Float32Array.from([...new Array<number>(4).fill(9), ...seededArray(256, 1)]).buffer),
  );
  const source = writeInto(dir, 'm.onnx', externalModel({ location: 'w.bin', offset: '16', length: '1024' }));
  const { layers, bytes, parameters } = await session.suggest({ path: source, energy: 0.5, method: 'auto' });
  assert.equal(parameters.stored, 256);
  assert.equal(bytes, statSync(source).size + 1024);
  assert.equal(layers[0]?.suggestion?.method, 'svd');
  // Wherever the result goes, it brings its weights along.
  for (const output of [path.join(dir, 'out.onnx'), path.join(scratchFolder(), 'out.onnx')]) {
    const request = { path: source, output, target: { kind: 'rank', rank: 4 }, method: 'auto' } as const;
    const report = await session.compress({ ...request, overwrite: false });
    assert.equal(report.compressed.parameters, 2 * 16 * 4);
    assert.ok(report.outputError.relative < 1);
  }
  await assert.rejects(
    session.compress({
      path: source,
      output: path.join(dir, 'w.bin'),
      target: { kind: 'rank', rank: 4 },
      method: 'auto',
      overwrite: true,
    }),
    isModelError('target-is-source'),
  );
});

test('a model that would be too large for one file keeps its weights in a data file beside it', async () => {
  const source = scratchSample();
  const output = path.join(path.dirname(source), 'out.onnx');
  const request = { path: source, output, target: half, method: 'auto', overwrite: false } as const;
  const inline = await session.compress({
    ...request,
    output: path.join(path.dirname(source), 'inline.onnx'),
  });
  const small = createCheckedSession({ folder, threadScript, limits: { largestModel: 50_000 } });
  try {
    const report = await small.compress(request);
    assert.deepEqual(readdirSync(path.dirname(source)).sort(), [
      'inline.onnx',
      'out.onnx',
      'out.onnx.data',
      'vgg.onnx',
    ]);
    assert.ok(statSync(output).size <= 50_000);
    assert.equal(report.compressed.parameters, inline.compressed.parameters);
    assert.equal(report.outputError.relative, inline.outputError.relative);
    // And such a model can be compressed again, into another folder.
    const again = path.join(scratchFolder(), 'again.onnx');
    const second = await small.compress({
      ...request,
      path: output,
      output: again,
      target: { kind: 'rank', rank: 8 },
    });
    assert.ok(second.compressed.parameters < report.compressed.parameters);
    assert.deepEqual(readdirSync(path.dirname(again)).sort(), ['again.onnx', 'again.onnx.data']);
  } finally {
    await small.close();
  }
  const impossible = createCheckedSession({ folder, threadScript, limits: { largestModel: 100 } });
  try {
    await assert.rejects(impossible.compress({ ...request, overwrite: true }), isModelError('too-large'));
  } finally {
    await impossible.close();
  }
});

/** Entries that must not be followed, and the reason the layer then shows. */
const hostile: readonly (readonly [
  what: string,
  entries: Readonly<Record<string, string>>,
  reason: RegExp,
])[] = [
  ['a missing file', { location: 'gone.bin' }, /missing/],
  ['an absolute path', { location: '/etc/passwd' }, /not a file below/],
  ['a path upwards', { location: '../w.bin' }, /not a file below/],
  ['a path upwards in the middle', { location: 'a/../../w.bin' }, /not a file below/],
  ['a backslash', { location: '..\\w.bin' }, /not a file below/],
  ['a URL', { location: 'file:///etc/passwd' }, /not a file below/],
  ['a drive', { location: 'C:/w.bin' }, /not a file below/],
  ['nothing', { location: '' }, /not a file below/],
  ['a NUL', { location: 'w.bin\0' }, /not a file below/],
  ['a link', { location: 'link.bin' }, /link or not a regular file/],
  ['a FIFO', { location: 'fifo.bin' }, /link or not a regular file/],
  ['a folder that is a link', { location: 'linked/w.bin' }, /link or not a regular file/],
  ['a file that is too short', { location: 'short.bin' }, /ends at byte 7/],
  ['another length than the dimensions ask for', { location: 'short.bin', length: '7' }, /says 7/],
  ['an offset that is no number', { location: 'short.bin', offset: '-4' }, /not a whole number/],
  ['an offset behind the end', { location: 'short.bin', offset: '99999999999' }, /ends at byte 7/],
];

test('external data that must not or cannot be read: analysis works, the layer says why, nothing hangs', async () => {
  const dir = scratchFolder();
  const outside = scratchFolder();
  writeInto(outside, 'w.bin', new Uint8Array(1024));
  writeInto(dir, 'short.bin', new Uint8Array(7));
  symlinkSync(path.join(outside, 'w.bin'), path.join(dir, 'link.bin'));
  symlinkSync(outside, path.join(dir, 'linked'));
  execFileSync('mkfifo', [path.join(dir, 'fifo.bin')]);
  for (const [what, entries, reason] of hostile) {
    const source = writeInto(dir, 'm.onnx', externalModel(entries));
    const plain = await session.analyze({ path: source });
    assert.equal(plain.parameters.stored, 256, what);
    const { layers } = await session.suggest({ path: source, energy: 0.9, method: 'auto' });
    assert.equal(layers[0]?.status, 'skipped', what);
    assert.match(layers[0]!.reason!, reason, what);
  }
});

test('files that are no models are refused by path', async () => {
  const dir = scratchFolder();
  const sample = readFileSync(SAMPLE);
  const cases: [string, string][] = [
    [writeInto(dir, 'empty.onnx', ''), 'empty'],
    [writeInto(dir, 'text.onnx', 'hello'), 'malformed'],
    [writeInto(dir, 'cut.onnx', sample.subarray(0, sample.length >> 1)), 'truncated'],
    [path.join(dir, 'gone.onnx'), 'unreadable'],
    [dir, 'unreadable'],
  ];
  for (const [file, code] of cases) {
    await assert.rejects(
      session.analyze({ path: file }),
      (error) => isModelError(code)(error) && (error as Error).message.includes(file),
    );
  }
});

test('an .npy file as input', async () => {
  const source = scratchSample();
  const dir = path.dirname(source);
  const npy = (shape: readonly number[], descr: string, data: Uint8Array) => {
    const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`.padEnd(
      117,
    );
    return Buffer.concat([
      Buffer.from([
        0x93,
        0x4e,
        0x55,
        0x4d,
        0x50,
        0x59,
        1,
        0,
        (header.length + 1) & 255,
        (header.length + 1) >> 8,
      ]),
      Buffer.from(`${header}\n`),
      data,
    ]);
  };
  const images = writeInto(
    dir,
    'x.npy',
    npy(
      [2, 1, 28, 28],
      '|u1',
      Uint8Array.from({ length: 2 * 784 }, (_, i) => i % 256),
    ),
  );
  const same = await session.verify({ original: source, compressed: source, inputs: images });
  assert.deepEqual([same.outputError.relative, same.outputError.max], [0, 0]);
  assert.match(same.inputs, /2 × 1 × 28 × 28/);
  const wrong = writeInto(dir, 'y.npy', npy([2, 3], '<f4', new Uint8Array(24)));
  await assert.rejects(
    session.verify({ original: source, compressed: source, inputs: wrong }),
    isModelError('verification-failed'),
  );
  writeFileSync(images, 'no');
  await assert.rejects(
    session.verify({ original: source, compressed: source, inputs: images }),
    isModelError('bad-data'),
  );
});

test('the same models run in WebAssembly when there is no native runtime', async () => {
  const web = createCheckedSession({ folder, threadScript, nativeRuntime: false });
  try {
    const source = scratchSample();
    const output = path.join(path.dirname(source), 'out.onnx');
    const report = await web.compress({
      path: source,
      output,
      target: half,
      method: 'auto',
      overwrite: false,
    });
    assert.match(report.engine, /WebAssembly/);
    const native = await session.verify({ original: source, compressed: output });
    assert.match(native.engine, /native/);
    assert.ok(Math.abs(native.outputError.relative - report.outputError.relative) < 1e-4);
  } finally {
    await web.close();
  }
});

test('checkpoints show their layers and suggested ranks, and are not compressed', async () => {
  for (const [name, format] of [
    ['small.safetensors', 'safetensors'],
    ['torch-1.13.pt', 'pytorch'],
  ] as const) {
    const checkpoint = path.resolve('test/models/checkpoints', name);
    const analysis = await session.suggest({ path: checkpoint, energy: 0.5, method: 'auto' });
    assert.deepEqual([analysis.format, analysis.opset, analysis.macs], [format, null, null]);
    assert.ok(analysis.parameters.stored > 0 && analysis.layers.length > 0);
    assert.ok(analysis.layers.every((l) => l.status === 'skipped' || l.suggestion || l.noSuggestion));
    assert.equal(analysis.problems[0]?.code, 'needs-graph');
    const output = path.join(scratchFolder(), 'out.onnx');
    await assert.rejects(
      session.compress({ path: checkpoint, output, target: half, method: 'auto', overwrite: false }),
      isModelError('unsupported-format'),
    );
  }
});

test('a checkpoint of a known spectrum gets the rank that keeps its energy', async () => {
  // 32 × 48 with singular values 8, 4, 2, 1 along the diagonal: σ² sums to 85.
  const weight = new Float32Array(32 * 48);
  for (const [i, sigma] of [8, 4, 2, 1].entries()) weight[i * 48 + i] = sigma;
  const header = JSON.stringify({
    'fc.weight': { dtype: 'F32', shape: [32, 48], data_offsets: [0, weight.byteLength] },
  });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = Buffer.concat([length, Buffer.from(header), new Uint8Array(weight.buffer)]);
  const source = writeInto(scratchFolder(), 'known.safetensors', file);
  const { layers } = await session.suggest({ path: source, energy: 80 / 85, method: 'auto' });
  const [layer] = layers;
  assert.deepEqual(
    [layer?.name, layer?.suggestion?.ranks, layer?.suggestion?.parameters],
    ['fc', [2], 2 * (32 + 48)],
  );
  assert.ok(Math.abs(layer!.suggestion!.energy - 80 / 85) < 1e-6);
  // 64, 80, 84 and 85 of 85: ranks 2, 3 and 4 are the first to keep 90, 95 and 99 %.
  assert.deepEqual(layer?.spectrum, {
    method: 'svd',
    fullRank: 32,
    breakEven: 19,
    keeping: [
      { energy: 0.9, rank: 2 },
      { energy: 0.95, rank: 3 },
      { energy: 0.99, rank: 4 },
    ],
  });
});

test('where LAPACK is missing ml-matrix does the work, and the report says so', async () => {
  const bare = scratchFolder();
  copyFileSync(threadScript, path.join(bare, 'factorThread.js'));
  const slow = createCheckedSession({ folder, threadScript: path.join(bare, 'factorThread.js') });
  try {
    const dir = scratchFolder();
    const source = writeInto(
      dir,
      'm.onnx',
      twoLayers(() => {}),
    );
    const request = {
      path: source,
      target: { kind: 'rank', rank: 1 },
      method: 'auto',
      overwrite: false,
    } as const;
    const report = await slow.compress({ ...request, output: path.join(dir, 'slow.onnx') });
    assert.match(report.factoredWith, /^ml-matrix.*LAPACK is not available/);
    const usual = await session.compress({ ...request, output: path.join(dir, 'usual.onnx') });
    assert.match(usual.factoredWith, /^LAPACK 3\.11/);
    for (const [i, layer] of report.layers.entries()) {
      assert.ok(Math.abs(layer.energy! - usual.layers[i]!.energy!) < 1e-9);
    }
  } finally {
    await slow.close();
  }
});
