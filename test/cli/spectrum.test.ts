import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run as start } from '../support/cli';
import { SAMPLE } from '../support/scratch';

const run = (...args: string[]) => start('spectrum', SAMPLE, ...args);

const json = (...args: string[]) => JSON.parse(run(...args, '--json').stdout);

test('all singular values of a matrix, whichever of its axes are rows', () => {
  const plain = json('/fc1/Gemm');
  assert.deepEqual([plain.weightShape, plain.mode, plain.matrices], [[512, 2304], null, 1]);
  assert.deepEqual([plain.sigma.length, plain.error.length], [512, 513]);
  assert.deepEqual([plain.error[0], plain.error[512]], [1, 0]);
  const total = plain.sigma.reduce((sum: number, s: number) => sum + s * s, 0);
  for (const rank of [1, 40, 300]) {
    const tail = plain.sigma.slice(rank).reduce((sum: number, s: number) => sum + s * s, 0);
    assert.ok(Math.abs(plain.error[rank] - Math.sqrt(tail / total)) < 1e-9);
  }
  const byColumns = json('/fc1/Gemm', '--mode', '1');
  assert.deepEqual([byColumns.rows, byColumns.cols], [2304, 512]);
  for (const [k, sigma] of byColumns.sigma.entries())
    assert.ok(Math.abs(sigma - plain.sigma[k]) < 1e-9 * total);
});

test('any unfolding of a convolution; all of them hold the same', () => {
  const name = json('nothing').error.message.match(/"([^"]*conv[^"]*)"/i)[1];
  const plain = json(name);
  const norm = (sigma: readonly number[]) => sigma.reduce((sum, s) => sum + s * s, 0);
  for (const mode of ['0', '1', '2', '3', '1,2', '3,0']) {
    const spectrum = json(name, '--mode', mode);
    const rows = mode.split(',').reduce((count, axis) => count * spectrum.weightShape[Number(axis)], 1);
    assert.equal(spectrum.rows, rows);
    assert.equal(spectrum.rows * spectrum.cols, plain.rows * plain.cols);
    assert.ok(Math.abs(norm(spectrum.sigma) / norm(plain.sigma) - 1) < 1e-6, mode);
  }
  assert.deepEqual(json(name, '--mode', '0').sigma, plain.sigma);
});

test('for people: the ranks that keep 90, 95, 99 and 99.9 %', () => {
  const { status, stdout } = run('/fc1/Gemm');
  assert.equal(status, 0);
  assert.match(stdout, /\/fc1\/Gemm: 512 × 2304, as it is factored by svd and channel: 2304 × 512/);
  assert.match(stdout, / 1 +[\d.]+ +[\d.]+ % +[\d.]+ %/);
});

test('unknown layers, axes that are not there and wrong usage are refused', () => {
  const unknown = run('fc');
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /there is no layer "fc". There are "\/fc1\/Gemm"/);
  assert.match(run('/fc1/Gemm', '--mode', '2').stderr, /an axis is one of 0 … 1, each once; not 2/);
  assert.match(run('/fc1/Gemm', '--mode', '0,0').stderr, /each once; not 0/);
  assert.equal(run('/fc1/Gemm', '--mode', 'x').status, 2);
  assert.equal(run().status, 2);
});
