import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Unfolding } from '../../src/core/compress/unfolding';
import { Element } from '../../src/core/onnx/elements';
import type { FactorJob, FactorTask } from '../../src/worker/factorJob';
import { jobBytes } from '../../src/worker/jobBytes';
import { createPool } from '../../src/worker/pool';
import { convForm, matmulForm } from '../support/forms';
import { seededArray } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

const THREAD = path.resolve('dist/factorThread.js');
const PLENTY = 2 ** 40;
/** What takes this long, however slow the machine, waits for something that never comes. */
const NO_HANGING = { timeout: 120_000 };

/** Slots of the memory that a job of the stand-in thread shares with the test. */
const SHARED = { running: 0, most: 1, begun: 2, gate: 3, died: 4 } as const;

/**
 * A thread that only pretends to compute. It counts the jobs that run at the same time, tells once that it has begun,
 * and answers when the gate has let as many jobs through as have begun so far. Its first job may be its last.
 */
const standIn = writeInto(
  scratchFolder(),
  'standIn.js',
  `const { parentPort } = require('node:worker_threads');
   parentPort.postMessage({ kind: 'ready', engine: 'stand-in' });
   parentPort.on('message', ({ job }) => {
     const shared = new Int32Array(job.weight.values.buffer);
     const [RUNNING, MOST, BEGUN, GATE, DIED] = [0, 1, 2, 3, 4];
     const running = Atomics.add(shared, RUNNING, 1) + 1;
     if (running > Atomics.load(shared, MOST)) Atomics.store(shared, MOST, running);
     const mine = Atomics.add(shared, BEGUN, 1) + 1;
     parentPort.postMessage({ kind: 'progress', done: 0.5 });
     for (let open; (open = Atomics.load(shared, GATE)) < mine; ) Atomics.wait(shared, GATE, open);
     Atomics.sub(shared, RUNNING, 1);
     parentPort.postMessage({ kind: 'result', result: { kind: 'hash', hash: String(mine) } });
     if (Atomics.exchange(shared, DIED, 1) === 2) setImmediate(() => process.exit(3));
   });`,
);

/** Memory for jobs of the stand-in; jobs that begin wait until `open` lets them end. */
function sharedMemory() {
  const shared = new Int32Array(new SharedArrayBuffer(64));
  return {
    job: (elements = 1): FactorJob => ({
      weight: { kind: 'values', values: new Float32Array(shared.buffer) },
      recipe: { storedType: Element.float, storedDims: [elements], isFill: false, steps: [] },
      type: Element.float,
      task: { kind: 'hash' },
    }),
    read: (slot: keyof typeof SHARED) => Atomics.load(shared, SHARED[slot]),
    /** Lets the first `count` jobs that begin, or began, come to their end. */
    open(count: number) {
      Atomics.store(shared, SHARED.gate, count);
      Atomics.notify(shared, SHARED.gate);
    },
    /** The first job to come to its end takes its thread along. */
    dieOnce: () => Atomics.store(shared, SHARED.died, 2),
  };
}

/** A pool that goes with its test. */
function poolFor(t: TestContext, ...args: Parameters<typeof createPool>) {
  const pool = createPool(...args);
  t.after(() => pool.close());
  return pool;
}

/** Resolves with the first progress of a job. */
function begun(run: (onProgress: () => void) => void): Promise<void> {
  return new Promise((resolve) => run(() => resolve()));
}

const stopped = { name: 'ModelError', code: 'engine-stopped', message: /\.$/ };

/** A spectrum of a real matrix: its Gram matrix takes rows² · cols multiply-adds. */
function spectrumJob(rows: number, cols: number, seed: number): FactorJob {
  const unfolding: Unfolding = {
    dims: [1, rows, cols],
    permutation: [0, 1, 2],
    batchAxes: 1,
    rowAxes: 1,
  };
  return {
    weight: { kind: 'values', values: seededArray(rows * cols, seed) },
    recipe: { storedType: Element.float, storedDims: [rows, cols], isFill: false, steps: [] },
    type: Element.float,
    task: { kind: 'spectrum', unfolding },
  };
}

test('room for one: real jobs end in their order, and all succeed', NO_HANGING, async (t) => {
  const pool = poolFor(t, THREAD, 2, 1);
  const ended: number[] = [];
  // The first is the longest: beside another thread's jobs it would not end first.
  const sizes = [700, 300, 200, 100];
  await Promise.all(
    sizes.map(async (rows, i) => {
      const job = spectrumJob(rows, 700, i + 1);
      const result = await pool.run(job);
      ended.push(rows);
      assert.ok(result.kind === 'spectrum' && result.energies.length === rows);
      const { values } = job.weight as { values: Float32Array };
      const norm = values.reduce((sum, x) => sum + x * x, 0);
      assert.ok(Math.abs(result.total / norm - 1) < 1e-4, `${result.total} against ${norm}`);
    }),
  );
  assert.deepEqual(ended, sizes);
});

test('room for one: never two at the same time, in their order', NO_HANGING, async (t) => {
  const pool = poolFor(t, standIn, 2, 1);
  const memory = sharedMemory();
  memory.open(100);
  const results = await Promise.all(Array.from({ length: 8 }, () => pool.run(memory.job())));
  assert.deepEqual(
    results.map((result) => result.kind === 'hash' && result.hash),
    ['1', '2', '3', '4', '5', '6', '7', '8'],
  );
  assert.deepEqual([memory.read('most'), memory.read('begun')], [1, 8]);
});

test('room for all: as many side by side as there are threads, and no more', NO_HANGING, async (t) => {
  const pool = poolFor(t, standIn, 2, PLENTY);
  const memory = sharedMemory();
  // The first two wait for each other: neither ends before both have begun.
  const runs: Promise<unknown>[] = [];
  const both = [0, 1].map(() =>
    begun((onProgress) => runs.push(pool.run(memory.job(), undefined, onProgress))),
  );
  for (let i = 0; i < 3; i++) runs.push(pool.run(memory.job()));
  await Promise.all(both);
  assert.equal(memory.read('begun'), 2);
  memory.open(100);
  await Promise.all(runs);
  assert.deepEqual([memory.read('most'), memory.read('begun')], [2, 5]);
  assert.equal(pool.engine(), 'stand-in');
});

test('room is counted in bytes: two small jobs side by side, a large one alone', NO_HANGING, async (t) => {
  const memory = sharedMemory();
  const small = jobBytes(memory.job());
  const pool = poolFor(t, standIn, 4, 2 * small);
  const runs: Promise<unknown>[] = [];
  const both = [0, 1].map(() =>
    begun((onProgress) => runs.push(pool.run(memory.job(), undefined, onProgress))),
  );
  await Promise.all(both);
  let hasBegun = false;
  const large = begun((onProgress) =>
    runs.push(
      pool.run(memory.job(2 ** 26), undefined, () => {
        hasBegun = true;
        assert.equal(memory.read('running'), 1, 'alone');
        onProgress();
      }),
    ),
  );
  memory.open(1);
  await Promise.race(runs);
  assert.ok(!hasBegun, 'there is no room beside one small job');
  memory.open(2);
  await large;
  memory.open(3);
  await Promise.all(runs);
});

test('closing rejects those that run, those that wait and those that come later', NO_HANGING, async () => {
  const pool = createPool(standIn, 2, PLENTY);
  const memory = sharedMemory();
  const runs: Promise<unknown>[] = [];
  const running = [0, 1].map(() =>
    begun((onProgress) => runs.push(pool.run(memory.job(), undefined, onProgress))),
  );
  for (let i = 0; i < 3; i++) runs.push(pool.run(memory.job()));
  const settled = Promise.allSettled(runs);
  await Promise.all(running);
  await pool.close();
  for (const outcome of await settled) {
    assert.ok(outcome.status === 'rejected');
    assert.throws(() => {
      throw outcome.reason;
    }, stopped);
  }
  assert.equal(memory.read('begun'), 2, 'those that waited never ran');
  await assert.rejects(pool.run(memory.job()), stopped);
  await pool.close();
});

test('closing stops a real computation in its middle', NO_HANGING, async () => {
  const pool = createPool(THREAD, 1);
  let run: Promise<unknown> | undefined;
  const running = begun((onProgress) => {
    run = pool.run(spectrumJob(3000, 3200, 1), undefined, onProgress);
  });
  const rejected = assert.rejects(run!, stopped);
  await running;
  await pool.close();
  await rejected;
});

test(
  'a waiting job that is cancelled is gone at once, and the others do not notice',
  NO_HANGING,
  async (t) => {
    const pool = poolFor(t, standIn, 1, PLENTY);
    const memory = sharedMemory();
    const abort = new AbortController();
    let first: Promise<unknown> | undefined;
    await begun((onProgress) => {
      first = pool.run(memory.job(), undefined, onProgress);
    });
    const cancelled = pool.run(memory.job(), abort.signal);
    const third = pool.run(memory.job());
    abort.abort();
    // The first one still runs: its gate is closed.
    await assert.rejects(cancelled, { name: 'AbortError' });
    assert.equal(memory.read('running'), 1);
    await assert.rejects(pool.run(memory.job(), abort.signal), { name: 'AbortError' });
    memory.open(100);
    assert.deepEqual(await first, { kind: 'hash', hash: '1' });
    assert.deepEqual(await third, { kind: 'hash', hash: '2' }, 'the cancelled one never ran');
  },
);

test('a cancelled job that waited for room makes way for those behind it', NO_HANGING, async (t) => {
  const memory = sharedMemory();
  const pool = poolFor(t, standIn, 2, 2 * jobBytes(memory.job()));
  const abort = new AbortController();
  const runs: Promise<unknown>[] = [];
  await begun((onProgress) => runs.push(pool.run(memory.job(), undefined, onProgress)));
  const large = assert.rejects(pool.run(memory.job(2 ** 26), abort.signal), { name: 'AbortError' });
  const behind = begun((onProgress) => runs.push(pool.run(memory.job(), undefined, onProgress)));
  abort.abort();
  await large;
  await behind; // while the first one still runs
  assert.equal(memory.read('running'), 2);
  memory.open(100);
  await Promise.all(runs);
});

test(
  'a running job that is cancelled ends its thread, and another takes its place',
  NO_HANGING,
  async (t) => {
    const pool = poolFor(t, standIn, 1, 1);
    const memory = sharedMemory();
    const abort = new AbortController();
    let run: Promise<unknown> | undefined;
    await begun((onProgress) => {
      run = pool.run(memory.job(), abort.signal, onProgress);
    });
    const rejected = assert.rejects(run!, { name: 'AbortError' });
    const next = pool.run(memory.job());
    abort.abort();
    await rejected;
    memory.open(100);
    assert.deepEqual(await next, { kind: 'hash', hash: '2' });
  },
);

test('many jobs under one signal: no warning, all are cancelled', NO_HANGING, async (t) => {
  const warnings: Error[] = [];
  const listen = (warning: Error) => warnings.push(warning);
  process.on('warning', listen);
  t.after(() => process.off('warning', listen));
  const pool = poolFor(t, standIn, 12, PLENTY);
  const memory = sharedMemory();
  const abort = new AbortController();
  const outcomes = Promise.allSettled(Array.from({ length: 40 }, () => pool.run(memory.job(), abort.signal)));
  await new Promise((resolve) => setImmediate(resolve));
  abort.abort();
  for (const outcome of await outcomes) {
    assert.ok(outcome.status === 'rejected' && outcome.reason.name === 'AbortError');
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings, []);
});

test('a thread that dies after its job is not given another', NO_HANGING, async (t) => {
  const pool = poolFor(t, standIn, 1, PLENTY);
  const memory = sharedMemory();
  memory.open(100);
  memory.dieOnce();
  assert.deepEqual(await pool.run(memory.job()), { kind: 'hash', hash: '1' });
  // It may die before the next job comes, or under it, which is said; but then there is a new thread.
  await new Promise((resolve) => setTimeout(resolve, 200));
  const again = await pool.run(memory.job()).catch((error) => {
    assert.equal(error.code, 'engine-stopped');
    return pool.run(memory.job());
  });
  assert.deepEqual(again, { kind: 'hash', hash: '2' });
});

test('jobBytes grows with the elements, and with the order of the Gram matrix', () => {
  const bytes = (rows: number, cols: number, task: (job: FactorJob) => FactorTask) => {
    const job = spectrumJob(rows, cols, 1);
    return jobBytes({ ...job, task: task(job) });
  };
  const spectrum = (job: FactorJob) => job.task;
  const hash = (): FactorTask => ({ kind: 'hash' });
  const factor = (job: FactorJob): FactorTask => {
    const [inner, outer] = job.recipe.storedDims as [number, number];
    return { kind: 'factor', form: matmulForm(inner, outer), method: 'svd', ranks: [Math.min(1024, inner)] };
  };
  for (const task of [spectrum, factor]) {
    // The same Gram matrix, more columns: at least twice the weight in single precision for every further element.
    assert.ok(bytes(512, 4096, task) - bytes(512, 2048, task) >= 8 * 512 * 2048);
    // The same number of elements, a larger Gram matrix: at least two of them in double precision.
    assert.ok(bytes(1024, 1024, task) - bytes(256, 4096, task) >= 16 * (1024 ** 2 - 256 ** 2));
    // Whichever of the sides is the shorter one.
    assert.equal(bytes(256, 4096, task), bytes(4096, 256, task));
    // Never less than reading it takes.
    assert.ok(bytes(256, 4096, task) > bytes(256, 4096, hash));
  }
  assert.ok(bytes(512, 4096, hash) > bytes(512, 2048, hash));
  assert.equal(bytes(1024, 1024, hash), bytes(256, 4096, hash));
  const weight = { kind: 'values', values: new Float32Array(0) } as const;
  const recipe = { storedType: Element.float, storedDims: [4096, 11008], isFill: false, steps: [] };
  const task = { kind: 'factor', form: matmulForm(4096, 11008), method: 'svd', ranks: [1024] } as const;
  const large = jobBytes({ weight, recipe, type: Element.float, task });
  assert.ok(large > 1.0e9 && large < 1.6e9, `${large}`);
});

test('jobBytes counts the largest unfolding of a method, and a fill by what it stands for', () => {
  const dims = [512, 64, 3, 3];
  const base: FactorJob = {
    ...spectrumJob(1, 1, 1),
    recipe: { storedType: Element.float, storedDims: dims, isFill: false, steps: [] },
  };
  const form = convForm(512, 64, [3, 3], { calls: [] });
  const of = (method: 'channel' | 'input-channel' | 'tucker2') =>
    jobBytes({ ...base, task: { kind: 'measure', form, method, series: 0 } });
  assert.ok(of('channel') > of('input-channel'), 'Gram matrices of order 512 and 64');
  assert.equal(of('tucker2'), of('channel'), 'it takes both');
  const fill: FactorJob = {
    ...base,
    task: { kind: 'measure', form, method: 'channel', series: 0 },
    recipe: { ...base.recipe, isFill: true },
  };
  assert.equal(jobBytes(fill), of('channel'));
});
