import { type ModelError, reasonOf } from '../../core/onnx/modelError';
import { extensionFile } from '../web/extensionFiles';
import { type NestedWorker, startNested } from '../web/nestedWorker';
import { serveRuntime } from '../web/serveRuntime';
import { ORT_MODULE } from './ort.web';
import type { ProcessEvents, ScriptProcess } from './scriptProcess';

/** In a browser a worker stands in for the process that ONNX Runtime runs in: it can be ended in the same way. */
export function startProcess<M>(
  _script: string,
  _argument: string,
  { onMessage, onEnd }: ProcessEvents<M>,
): ScriptProcess {
  const waiting: unknown[] = [];
  let worker: NestedWorker | undefined;
  let hasEnded = false;
  const fail = (why: string | ModelError) => {
    if (!hasEnded) onEnd(why);
    hasEnded = true;
  };
  extensionFile(ORT_MODULE)
    .then((wasm) => {
      if (hasEnded) return;
      worker = startNested<M>({
        script: 'web/runtimeProcess.js',
        first: { wasm },
        here: (port) => serveRuntime(port, () => extensionFile(ORT_MODULE), true),
        onMessage,
        onEnd: fail,
      });
      for (const message of waiting.splice(0)) worker.post(message, []);
    })
    .catch((error: Error) => fail(reasonOf(error)));
  return {
    post(message) {
      if (worker) worker.post(message, []);
      else waiting.push(message);
    },
    keepAlive: () => {},
    kill() {
      hasEnded = true;
      worker?.end();
    },
  };
}
