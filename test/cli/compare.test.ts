import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { ModelComparison } from '../../src/core/compress/compare/modelComparison';
import { run } from '../support/cli';
import { SAMPLE, scratchSample, writeInto } from '../support/scratch';

test('compare: what compress did, layer by layer, and what it costs', () => {
  const source = scratchSample();
  const output = path.join(path.dirname(source), 'small.onnx');
  assert.equal(run('compress', source, '-o', output, '--method', 'svd', '--rank', '64').status, 0);
  const { status, stdout, stderr } = run('compare', source, output, '--json', '--run');
  assert.deepEqual([status, stderr], [0, '']);
  const comparison: ModelComparison = JSON.parse(stdout);
  const changed = comparison.layers.filter(({ kind }) => kind !== 'same');
  assert.deepEqual(
    changed.map(({ name, kind, method, ranks }) => [name, kind, method, ranks]),
    [['/fc1/Gemm', 'factored', 'svd', [64]]],
  );
  assert.ok(comparison.run && 'outputError' in comparison.run && comparison.run.outputError.relative > 0);

  const text = run('compare', source, output).stdout;
  assert.match(text, /^parameters +2\.31 M → /);
  assert.match(text, /^\/fc1\/Gemm +Gemm +svd rank 64 +1\.18 M → 181 k/m);
  assert.match(text, /^7 of 8 layers are the same\.$/m);
  assert.ok(!text.includes('/fc2/Gemm'));
  assert.match(run('compare', output, source, '--all').stdout, /merged from svd rank 64[\s\S]*\/fc2\/Gemm/);
});

test('compare: wrong usage, and a model that can’t be read', () => {
  assert.equal(run('compare', SAMPLE).status, 2);
  assert.equal(run('compare', SAMPLE, SAMPLE, '--inputs', 'a.npy', '--calibration', 'b.npy').status, 2);
  const bad = writeInto(path.dirname(scratchSample()), 'bad.onnx', 'nonsense');
  const { status, stderr } = run('compare', SAMPLE, bad);
  assert.equal(status, 1);
  assert.match(stderr, /bad\.onnx is not a readable ONNX model/);
  assert.equal(JSON.parse(run('compare', SAMPLE, bad, '--json').stdout).error.code, 'malformed');
});
