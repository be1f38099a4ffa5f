import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { candidatesOf } from '../../src/core/compress/candidates';
import type { Form } from '../../src/core/compress/layer';
import { METHOD_IDS } from '../../src/core/compress/method';
import { Element } from '../../src/core/onnx/elements';
import { createScratch } from '../../src/core/tensor/scratch';
import {
  buffersOf,
  type FactorJob,
  type FactorResult,
  type FactorTask,
  runFactorJob,
} from '../../src/worker/factorJob';
import { createLapack } from '../../src/worker/lapack';
import { loadLapackModule } from '../../src/worker/lapackFiles';
import { convForm, matmulForm } from '../support/forms';
import { seededArray } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

/** Jobs in a scratch, one after another, as a factoring thread runs them: the same results, in memory of their own. */

const linalg = createLapack(loadLapackModule(path.resolve('dist')));
const folder = scratchFolder();
const bytesOf = (values: Float32Array | Float64Array) =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** A weight in the middle of a file, at an offset that no typed array could start at. */
function weightIn(name: string, values: Float32Array | Float64Array) {
  const offset = 13;
  const content = new Uint8Array(offset + values.byteLength + 5);
  content.set(bytesOf(values), offset);
  return {
    kind: 'file',
    path: writeInto(folder, name, content),
    offset,
    length: values.byteLength,
  } as const;
}

const singles = seededArray(64 * 48 * 9, 1);
const single = weightIn('single.bin', singles);
const double = weightIn('double.bin', Float64Array.from(singles));
const conv = convForm(64, 48, [3, 3]);
const matmul = matmulForm(192, 144);

const jobs: (readonly [string, FactorJob])[] = [];
function add(name: string, form: Form, dims: readonly number[], task: FactorTask, isDouble = false): void {
  const type = isDouble ? Element.double : Element.float;
  const recipe = { storedType: type, storedDims: dims, isFill: false, steps: [] };
  jobs.push([`${name}, ${form.kind}`, { weight: isDouble ? double : single, recipe, type, task }]);
}
for (const [form, dims] of [
  [conv, [64, 48, 3, 3]],
  [matmul, [192, 144]],
] as const) {
  add('hash', form, dims, { kind: 'hash' });
  const unfolding = { dims, permutation: [...dims.keys()], batchAxes: 0, rowAxes: 1 };
  for (const isDouble of [false, true]) {
    add(`spectrum ${isDouble}`, form, dims, { kind: 'spectrum', unfolding }, isDouble);
    add(`gram ${isDouble}`, form, dims, { kind: 'gram', unfolding, part: 1, parts: 2 }, isDouble);
  }
  for (const method of METHOD_IDS) {
    const [candidate] = candidatesOf({ form }, method).candidates;
    if (candidate?.method !== method) continue;
    const [ranks] = candidate.ofRank(8);
    add(method, form, dims, { kind: 'factor', form, method, ranks: ranks! });
    if (candidate.series.every(({ unfolding }) => unfolding)) {
      candidate.series.forEach((_, series) => {
        add(`${method} series ${series}`, form, dims, { kind: 'measure', form, method, series });
      });
    }
  }
}

const run = (job: FactorJob) => runFactorJob(linalg, job, () => {});

test('results in a scratch are those without one, and later jobs leave them alone', () => {
  const expected = jobs.map(([, job]) => run(job));
  const scratch = createScratch(64 * 2 ** 20);
  for (let round = 0; round < 2; round++) {
    const results = jobs.map(([, job]) => scratch.run(() => run(job)));
    for (const [i, [name]] of jobs.entries()) assert.deepEqual(results[i], expected[i], name);
  }
  assert.ok(scratch.bytes() > 0);
  // There is room for everything now: nothing grows any more.
  const held = scratch.bytes();
  for (const [, job] of jobs) scratch.run(() => run(job));
  assert.equal(scratch.bytes(), held);
});

test('what is handed over is the result and nothing else', () => {
  const scratch = createScratch(64 * 2 ** 20);
  const arraysOf = (result: FactorResult): readonly (Uint8Array | Float64Array)[] => {
    if (result.kind === 'hash') return [];
    if (result.kind === 'factor') return result.factors;
    if (result.kind === 'gram') return [result.gram];
    if (result.kind === 'measure' || result.kind === 'spectrum') return [result.energies];
    throw new Error(`There is no job of kind ${result.kind} here.`);
  };
  for (const [name, job] of [...jobs, ...jobs]) {
    const result = scratch.run(() => run(job));
    const arrays = arraysOf(result);
    const buffers = buffersOf(result);
    assert.equal(buffers.length, arrays.length, name);
    for (const [i, { buffer, byteLength }] of arrays.entries()) {
      assert.equal(buffers[i], buffer, name);
      assert.equal(buffer.byteLength, byteLength, name);
    }
  }
});

test('a weight is read to the last bit, from any offset of its file', () => {
  const task = { kind: 'hash' } as const;
  const recipe = { storedType: Element.float, storedDims: [singles.length], isFill: false, steps: [] };
  const inFile: FactorJob = { weight: single, recipe, type: Element.float, task };
  const inMemory: FactorJob = { ...inFile, weight: { kind: 'values', values: singles } };
  const scratch = createScratch(2 ** 20);
  const hashes = [inMemory, inFile, inFile].map((job) => scratch.run(() => run(job)));
  assert.deepEqual(hashes[1], hashes[0]);
  assert.deepEqual(hashes[2], hashes[0]);
  const beyond = { ...single, offset: single.offset + 6 };
  assert.throws(() => scratch.run(() => run({ ...inFile, weight: beyond })), { code: 'truncated' });
});
