/** Entry of a factoring thread: one job at a time, computed where nobody waits for it. */
import { parentPort } from 'node:worker_threads';
import { ModelError } from '../core/onnx/modelError';
import { LinalgError } from '../core/tensor/linalg';
import { createScratch } from '../core/tensor/scratch';
import { buffersOf, runFactorJob } from './factorJob';
import { loadLinalg } from './loadLinalg';
import type { ThreadReply, ThreadRequest } from './pool';

if (!parentPort) throw new Error('factorThread runs as a worker thread only.');
const port = parentPort;
const post = (reply: ThreadReply, transfer: ArrayBuffer[] = []) => port.postMessage(reply, transfer);

const { linalg, settle } = loadLinalg(__dirname);
post({ kind: 'ready', engine: linalg.name });

/** Holds the arrays of most jobs; not those of the largest, which are few. */
const scratch = createScratch(64 * 1024 * 1024);

/** Progress is worth a message every so often, not after every LAPACK call. */
const PROGRESS_MS = 50;

port.on('message', ({ job }: ThreadRequest) => {
  let last = performance.now();
  try {
    const onProgress = (done: number) => {
      const now = performance.now();
      if (now - last < PROGRESS_MS) return;
      last = now;
      post({ kind: 'progress', done });
    };
    const result = scratch.run(() => runFactorJob(linalg, job, onProgress));
    post({ kind: 'result', result }, buffersOf(result));
  } catch (error) {
    if (error instanceof LinalgError || error instanceof ModelError) {
      post({ kind: 'refused', code: error.code, message: error.message });
    } else {
      post({ kind: 'failed', message: (error as Error).stack ?? String(error) });
    }
  } finally {
    settle();
  }
});
