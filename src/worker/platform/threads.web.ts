import { type ModelError, reasonOf } from '../../core/onnx/modelError';
import type { ThreadRequest } from '../pool';
import { serveFactoring } from '../serveFactoring';
import { lapackFile } from '../web/lapackFile';
import type { WebPort } from '../web/messagePort';
import { type NestedWorker, startNested } from '../web/nestedWorker';
import { dirname } from './paths';
import type { ScriptThread, ThreadEvents } from './threads';

/** Starts a web worker that factors, inside this one. `script` is its place among the bundles; LAPACK goes with it. */
export function startScript<M>(script: string, { onMessage, onEnd }: ThreadEvents<M>): ScriptThread {
  const waiting: Parameters<NestedWorker['post']>[] = [];
  let worker: NestedWorker | undefined;
  let hasEnded = false;
  const fail = (why: string | ModelError) => {
    if (!hasEnded) onEnd(typeof why === 'string' ? new Error(why) : why);
    hasEnded = true;
  };
  lapackFile()
    .then((lapack) => {
      if (hasEnded) return;
      worker = startNested<M>({
        script: 'web/factorThread.js',
        first: { lapack },
        here: (port) => serveFactoring(dirname(script), factoringPort(port)),
        onMessage,
        onEnd: fail,
      });
      for (const each of waiting.splice(0)) worker.post(...each);
    })
    .catch((error: Error) => fail(reasonOf(error)));
  return {
    post(message, handedOver) {
      if (worker) worker.post(message, handedOver);
      else waiting.push([message, handedOver]);
    },
    keepAlive: () => {},
    async terminate() {
      worker?.end();
      if (!hasEnded) onEnd(undefined);
      hasEnded = true;
    },
  };
}

/** The end of a channel that a factoring thread listens to. */
export function factoringPort(port: WebPort): Parameters<typeof serveFactoring>[1] {
  return {
    post: (reply, handedOver) => port.postMessage(reply, handedOver),
    onMessage(receive) {
      port.onmessage = ({ data }) => receive(data as ThreadRequest);
    },
  };
}
