import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { run } from '../support/cli';
import { scratchSample } from '../support/scratch';

/** A copy of the sample, and a plan for it. */
function planned(...args: string[]): { model: string; plan: string; beside(name: string): string } {
  const model = scratchSample();
  const beside = (name: string) => path.join(path.dirname(model), name);
  const { status, stderr } = run('plan', model, ...args);
  assert.deepEqual([status, stderr], [0, '']);
  return { model, plan: beside(path.basename(model).replace('.onnx', '.ranks.json')), beside };
}

test('a plan carried out gives the bytes that compress gives, every time', () => {
  const { model, plan, beside } = planned('--target', 'macs=0.6');
  assert.match(readFileSync(plan, 'utf8'), /"goal": "macs=0.6"/);
  for (const args of [
    ['--plan', plan, '-o', beside('a.onnx')],
    ['--plan', plan, '-o', beside('b.onnx')],
    ['--target', 'macs=0.6', '-o', beside('c.onnx')],
  ]) {
    const { status, stdout } = run('compress', model, ...args);
    assert.equal(status, 0);
    assert.equal(stdout.includes(`plan          ${plan}\n`), args.includes('--plan'));
  }
  const [a, b, c] = ['a', 'b', 'c'].map((name) => readFileSync(beside(`${name}.onnx`))) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  assert.ok(a.equals(b) && a.equals(c));
});

test('what is edited in the plan is what is done', () => {
  const { model, plan, beside } = planned('--rank', '16', '--method', 'channel');
  const text = readFileSync(plan, 'utf8');
  const edited = text.replace(/("[^"]*fc1[^"]*"): \{[^}]*\}/, '$1: { "method": "tt", "ranks": [9, 7] }');
  assert.notEqual(edited, text);
  writeFileSync(plan, edited);
  const { status, stdout } = run('compress', model, '--plan', plan, '-o', beside('o.onnx'), '--json');
  assert.equal(status, 0);
  const report = JSON.parse(stdout);
  assert.equal(report.plan, plan);
  const layers: { name: string; method: string; ranks: number[] }[] = report.layers;
  const changed = layers.find(({ name }) => name.includes('fc1'))!;
  assert.deepEqual([changed.method, changed.ranks], ['tt', [9, 7]]);
  assert.ok(layers.some(({ method, ranks }) => method === 'channel' && ranks[0] === 16));
});

test('a plan that can not be carried out is refused, with the place, and leaves no file', () => {
  const { model, plan, beside } = planned('--rank', '16', '--method', 'channel');
  const text = readFileSync(plan, 'utf8');
  const refusals: readonly (readonly [string, RegExp])[] = [
    [text.replace('"channel"', '"chanel"'), /ranks\.json:\d+:\d+: "chanel" is no method/],
    [text.replace(/"ranks": \[16\]/, '"ranks": [16, 3]'), /channel takes one rank, not 2/],
    [text.replace(/"ranks": \[16\]/, '"ranks": [100000]'), /The rank is at most \d+ here, not 100000/],
    [text.replace('fc1', 'fc9'), /has no layer "[^"]*fc9/],
    [text.replace(/"sha256": "../, '"sha256": "zz'), /made for another version/],
    [text.replace('"channel"', '"svd"'), /for a kernel of 3 × 3 it is called channel/],
  ];
  for (const [changed, sentence] of refusals) {
    assert.notEqual(changed, text);
    writeFileSync(plan, changed);
    const { status, stderr } = run('compress', model, '--plan', plan, '-o', beside('o.onnx'));
    assert.equal(status, 1, stderr);
    assert.match(stderr, sentence);
    assert.ok(!existsSync(beside('o.onnx')));
  }
  assert.equal(readdirSync(path.dirname(model)).length, 2, 'the model and its plan');
});

test('a plan is never written over the model', () => {
  const { model } = planned();
  const before = readFileSync(model);
  for (const args of [
    ['-o', model],
    ['-o', model, '--overwrite'],
  ]) {
    const { status, stderr } = run('plan', model, ...args);
    assert.equal(status, 1);
    assert.match(stderr, /is the model itself, which is never overwritten/);
  }
  assert.ok(readFileSync(model).equals(before));
  assert.match(run('plan', model, '-o', '/nowhere/at/all.json').stderr, /the folder does not exist/);
});

test('an existing plan is not replaced unasked, and a plan excludes what it decides', () => {
  const { model, plan, beside } = planned();
  const before = readFileSync(plan, 'utf8');
  const again = run('plan', model, '--target', 'macs=0.5');
  assert.equal(again.status, 1);
  assert.match(again.stderr, /exists already\. Add --overwrite/);
  assert.equal(readFileSync(plan, 'utf8'), before);
  assert.equal(run('plan', model, '--target', 'macs=0.5', '--overwrite').status, 0);
  assert.notEqual(readFileSync(plan, 'utf8'), before);
  assert.equal(run('compress', model, '--plan', plan, '--rank', '3').status, 2);
  const missing = run('compress', model, '--plan', beside('none.json'));
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /none\.json can't be read/);
});
