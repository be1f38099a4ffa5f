import { ModelError } from '../core/onnx/modelError';
import { LinalgError } from '../core/tensor/linalg';
import { createScratch } from '../core/tensor/scratch';
import { buffersOf, runFactorJob } from './factorJob';
import { loadLinalg } from './loadLinalg';
import type { ThreadReply, ThreadRequest } from './pool';

/** What a factoring thread is asked and answers through. */
export interface FactoringPort {
  post(reply: ThreadReply, handedOver: ArrayBuffer[]): void;
  onMessage(receive: (request: ThreadRequest) => void): void;
}

/** Holds the arrays of most jobs; not those of the largest, which are few. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** Progress is worth a message every so often, not after every LAPACK call. */
const PROGRESS_MS = 50;

/** A factoring thread: one job at a time, computed where nobody waits for it. `folder` holds the .wasm files. */
export function serveFactoring(folder: string, port: FactoringPort): void {
  const post = (reply: ThreadReply, handedOver: ArrayBuffer[] = []) => port.post(reply, handedOver);
  const { linalg, settle } = loadLinalg(folder);
  const scratch = createScratch(KEPT_BYTES);
  port.onMessage(({ job }) => {
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
  post({ kind: 'ready', engine: linalg.name });
}
