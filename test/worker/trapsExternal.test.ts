/** Traps of weights in data files; see `support/traps.ts`. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Target } from '../../src/core/compress/plan';
import { checkedLocation } from '../../src/core/onnx/externalData';
import { ModelError } from '../../src/core/onnx/modelError';
import { allGraphs } from '../../src/core/onnx/names';
import { createCheckedSession } from '../support/checkedSession';
import {
  encodeGraph,
  encodeModel,
  floatTensor,
  type GraphSpec,
  type ModelSpec,
  seededArray,
} from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';
import { external, matrix, read, through } from '../support/traps';

const dist = path.resolve('dist');
const session = createCheckedSession({ folder: dist, threadScript: path.join(dist, 'factorThread.js') });
after(() => session.close());

const fullRank: Target = { kind: 'rank', rank: 1_000_000 };

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
