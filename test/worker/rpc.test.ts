import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { ModelError } from '../../src/core/onnx/modelError';
import { connect, type RpcMessage, type RpcPort, serve } from '../../src/worker/rpc';

interface Options {
  readonly signal?: AbortSignal;
  readonly onProgress?: (n: number) => void;
}

interface Sample {
  double(n: number, options?: Options): Promise<number>;
  refuse(text: string, options?: Options): Promise<never>;
  wait(ms: number, options?: Options): Promise<string>;
}

const METHODS = ['double', 'refuse', 'wait'] as const;

const implementation: Sample = {
  async double(n, options) {
    options?.onProgress?.(0.5);
    return 2 * n;
  },
  async refuse(text) {
    if (text === 'bug') throw new TypeError('a bug');
    throw new ModelError('empty', text);
  },
  wait: (ms, options) =>
    new Promise((resolve, reject) => {
      // A wait nobody cancels must not keep the test process alive.
      const timer = setTimeout(() => resolve('done'), ms).unref();
      options?.signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(options.signal?.reason);
      });
    }),
};

/** Both ends over a real message channel, which copies what it carries. */
function pair() {
  const { port1, port2 } = new MessageChannel();
  const wrap = (port: typeof port1): RpcPort => ({
    post: (message) => port.postMessage(message),
    onMessage: (receive) => port.on('message', (message: RpcMessage) => receive(message)),
  });
  serve<Sample>(implementation, METHODS, wrap(port2));
  const client = connect<Sample>(METHODS, wrap(port1));
  return { ...client, close: () => port1.close() };
}

test('calls, results and progress', async () => {
  const { remote, close } = pair();
  const seen: number[] = [];
  const [a, b] = await Promise.all([remote.double(4, { onProgress: (n) => seen.push(n) }), remote.double(5)]);
  assert.deepEqual([a, b, seen], [8, 10, [0.5]]);
  close();
});

test('a refusal keeps its code, a bug its name and stack', async () => {
  const { remote, close } = pair();
  await assert.rejects(
    remote.refuse('sorry.'),
    (e) => e instanceof ModelError && e.code === 'empty' && e.message === 'sorry.',
  );
  await assert.rejects(
    remote.refuse('bug'),
    (e) => e instanceof Error && e.name === 'TypeError' && /rpc\.test/.test(e.stack ?? ''),
  );
  close();
});

test('cancelling reaches the other end; a call cancelled before it starts is not made', async () => {
  const { remote, close } = pair();
  const abort = new AbortController();
  const call = remote.wait(60_000, { signal: abort.signal });
  setTimeout(() => abort.abort(), 10);
  await assert.rejects(call, { name: 'AbortError' });
  await assert.rejects(remote.wait(60_000, { signal: abort.signal }), { name: 'AbortError' });
  close();
});

test('when the other end is gone, pending and later calls are rejected', async () => {
  const { remote, fail, close } = pair();
  const call = remote.wait(60_000);
  fail(new ModelError('engine-stopped', 'The engine stopped.'));
  await assert.rejects(call, /The engine stopped/);
  await assert.rejects(remote.double(1), /The engine stopped/);
  close();
});

test('a method that is not offered is refused, whatever objects inherit', async () => {
  const { port1, port2 } = new MessageChannel();
  serve<Sample>(implementation, METHODS, {
    post: (message) => port2.postMessage(message),
    onMessage: (receive) => port2.on('message', receive),
  });
  port1.postMessage({ kind: 'call', id: 1, method: 'constructor', params: null } satisfies RpcMessage);
  const reply = await new Promise<RpcMessage>((resolve) => port1.on('message', resolve));
  assert.ok(reply.kind === 'error' && /no method "constructor"/.test(reply.error.message));
  port1.close();
});
