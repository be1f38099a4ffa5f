import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ModelError } from '../../src/core/onnx/modelError';
import { loadRuntime, type Runtime, type RuntimeTensor } from '../../src/worker/runtime';
import { createRuntimeHost, type RuntimeHost } from '../../src/worker/runtimeHost';
import { encodeModel, floatTensor, type ModelSpec, seededArray } from '../support/onnxModel';
import { SAMPLE, scratchFolder, writeInto } from '../support/scratch';

/** ONNX Runtime in a process of its own: the same numbers, and an end whenever it is wished. */

const folder = path.resolve('dist');

const hosts: RuntimeHost[] = [];
after(() => {
  for (const host of hosts) host.close();
});

function newHost(...args: Parameters<typeof createRuntimeHost>): RuntimeHost {
  const host = createRuntimeHost(...args);
  hosts.push(host);
  return host;
}

function pictures(count: number): ReadonlyMap<string, RuntimeTensor> {
  const data = seededArray(count * 784, 1);
  return new Map([['image', { type: 'float32', dims: [count, 1, 28, 28], data }]]);
}

async function outputsOf(runtime: Runtime, bytes?: Uint8Array) {
  const session = await runtime.open(SAMPLE, [], bytes);
  const [name] = session.inputNames;
  const inputs = new Map([[name!, [...pictures(3).values()][0]!]]);
  const outputs = await session.run(inputs);
  assert.ok((await session.time(inputs)) > 0);
  await session.release();
  return [...outputs].map(([key, { type, dims, data }]) => [
    key,
    type,
    [...dims],
    [...(data as Float32Array)],
  ]);
}

/** A process that does what its script says instead of running models. */
function hostOf(script: string) {
  const home = scratchFolder();
  writeInto(home, 'runtimeProcess.js', script);
  return { host: newHost(home), pid: path.join(home, 'pid') };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('ONNX Runtime in a process of its own', () => {
  for (const native of [true, false]) {
    it(`gives what it gives in this one${native ? '' : ', in WebAssembly too'}`, async () => {
      const host = newHost(folder, native);
      const lease = host.lease();
      const direct = loadRuntime(folder, native);
      assert.equal(lease.name, direct.name);
      const expected = await outputsOf(direct);
      assert.deepEqual(await outputsOf(lease), expected);
      assert.deepEqual(await outputsOf(lease, new Uint8Array(readFileSync(SAMPLE))), expected);
      lease.end();
      // The next call may get the same process.
      const next = host.lease();
      assert.deepEqual(await outputsOf(next), expected);
      next.end();
    });
  }

  it('says what the runtime refuses as it is said in this one', async () => {
    const host = newHost(folder);
    const lease = host.lease();
    const broken = writeInto(scratchFolder(), 'broken.onnx', 'no model');
    const words = async (runtime: Runtime) => {
      try {
        await runtime.open(broken, []);
      } catch (error) {
        assert.ok(error instanceof ModelError);
        return [error.code, error.message];
      }
      return assert.fail('It was opened.');
    };
    assert.deepEqual(await words(lease), await words(loadRuntime(folder)));
    lease.end();
  });

  it('carries data files, and tensors of halves and of long integers', async () => {
    const spec: ModelSpec = {
      nodes: [
        { op: 'Cast', name: 'c', inputs: ['x'], outputs: ['h'], attributes: { to: 10 } },
        { op: 'Shape', name: 's', inputs: ['w'], outputs: ['n'] },
      ],
      inputs: { x: [4] },
      outputs: { h: null, n: null },
      outputTypes: { h: 10, n: 7 },
      initializers: [floatTensor('w', [2, 5], seededArray(10, 2))],
    };
    const model = writeInto(scratchFolder(), 'model.onnx', encodeModel(spec));
    const host = newHost(folder);
    const inputs = new Map([['x', { type: 'float32', dims: [4], data: Float32Array.of(1, 2, -3, 0.5) }]]);
    const results: unknown[] = [];
    for (const runtime of [host.lease(), loadRuntime(folder)]) {
      const session = await runtime.open(model, []);
      const outputs = await session.run(inputs);
      results.push([...outputs].map(([name, { type, dims, data }]) => [name, type, [...dims], data]));
      await session.release();
    }
    assert.deepEqual(results[0], results[1]);
  });

  it('answers a wish to cancel at once, and ends, while it loads a model', async () => {
    const { host, pid } = hostOf(
      `require('node:fs').writeFileSync(__dirname + '/pid', String(process.pid)); setInterval(() => {}, 1000); for (;;) ;`,
    );
    const abort = new AbortController();
    const lease = host.lease(abort.signal);
    const opening = lease.open(SAMPLE, []);
    await until(() => existsSync(pid) && readFileSync(pid, 'utf8') !== '');
    abort.abort(new DOMException('Cancelled.', 'AbortError'));
    await assert.rejects(opening, { name: 'AbortError' });
    await assert.rejects(lease.open(SAMPLE, []), { name: 'AbortError' });
    lease.end();
    const own = Number(readFileSync(pid, 'utf8'));
    await until(() => !isRunning(own));
  });

  it('says so where the process dies, and begins anew', async () => {
    const { host } = hostOf('process.exit(3);');
    const lease = host.lease();
    for (let i = 0; i < 2; i++) {
      await assert.rejects(lease.open(SAMPLE, []), {
        name: 'ModelError',
        code: 'runtime-failed',
        message: `ONNX Runtime stopped (exit code 3) while it loaded ${SAMPLE}.`,
      });
    }
    lease.end();
  });

  it('ends what is under way when it is closed', async () => {
    const { host, pid } = hostOf(
      `require('node:fs').writeFileSync(__dirname + '/pid', String(process.pid)); setInterval(() => {}, 1000);`,
    );
    const lease = host.lease();
    const opening = lease.open(SAMPLE, []);
    await until(() => existsSync(pid) && readFileSync(pid, 'utf8') !== '');
    host.close();
    await assert.rejects(opening, { name: 'ModelError', code: 'engine-stopped' });
    const own = Number(readFileSync(pid, 'utf8'));
    await until(() => !isRunning(own));
  });
});
