import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { run } from '../support/cli';
import { scratchFolder, writeInto } from '../support/scratch';
import { slowWhenFactored } from '../support/slowWhenFactored';
import { classifierNet, misleadingData } from '../support/unlikeHeldBack';

/** Results that are refused, and written for whoever insists. */

test('a result that is slower is refused with what was measured, and written with --allow-slower', () => {
  const home = scratchFolder();
  const model = writeInto(home, 'slow.onnx', slowWhenFactored());
  const small = path.join(home, 'small.onnx');
  const args = ['compress', model, '-o', small, '--target', 'energy=0.99', '--no-timing-cache'];
  const refused = run(...args);
  assert.equal(refused.status, 1, refused.stdout);
  const said =
    /slow\.onnx: the result would be slower, so nothing was written: ([\d.]+) ms instead of ([\d.]+) ms per run \(medians, in turn, ONNX Runtime .*, batch 1\)\..* Add --allow-slower to write it all the same\.$/m.exec(
      refused.stderr,
    );
  assert.ok(said, refused.stderr);
  assert.ok(Number(said[1]) > Number(said[2]));
  assert.ok(!existsSync(small));
  const written = run(...args, '--allow-slower', '--json');
  assert.deepEqual([written.status, written.stderr], [0, '']);
  const report = JSON.parse(written.stdout);
  assert.ok(report.compressed.parameters < report.original.parameters);
  assert.ok(report.outputError.relative < 1e-4);
  assert.match(report.reproduce.command, / --allow-slower$/);
});

test('an error goal missed on data is refused with the nearest, which --allow-inaccurate writes; a plan is refused alike', () => {
  const home = scratchFolder();
  const model = writeInto(home, 'net.onnx', classifierNet());
  const data = writeInto(home, 'data.npy', misleadingData());
  const small = path.join(home, 'small.onnx');
  const on = ['--target', 'error=0.05', '--calibration', data];
  const refused = run('compress', model, '-o', small, ...on, '--json');
  assert.equal(refused.status, 1);
  const { error } = JSON.parse(refused.stdout);
  assert.equal(error.code, 'inaccurate');
  const said =
    /to 5 %; the nearest has ([\d.]+) % with [\d,]+ parameters \(error=[\d.]+ would be met\)\.$/.exec(
      error.message,
    );
  assert.ok(said, error.message);
  assert.ok(!existsSync(small));
  assert.match(run('compress', model, '-o', small, ...on).stderr, / Add --allow-inaccurate to write it/);
  const planned = run('plan', model, ...on);
  assert.equal(planned.status, 1);
  assert.equal(planned.stderr.trim(), error.message);
  const written = run('compress', model, '-o', small, ...on, '--allow-inaccurate');
  assert.deepEqual([written.status, written.stderr], [0, '']);
  assert.match(written.stdout, new RegExp(`^output error  ${said[1]!.replace('.', '\\.')} %`, 'm'));
  assert.match(written.stdout, /^note: It misses its goal\.$/m);
});
