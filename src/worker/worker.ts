/** Entry of the worker thread the editor talks to: the engine behind rpc. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { ENGINE_METHODS, type Engine } from './engine';
import { serve } from './rpc';
import { createSession } from './session';

if (!parentPort) throw new Error('worker runs as a worker thread only.');
const port = parentPort;
const session = createSession({
  folder: __dirname,
  threadScript: join(__dirname, 'factorThread.js'),
  nativeRuntime: workerData?.nativeRuntime !== false,
  timings: workerData?.timings,
});
serve<Engine>(session, ENGINE_METHODS, {
  post: (message) => port.postMessage(message),
  onMessage: (receive) => port.on('message', receive),
});
