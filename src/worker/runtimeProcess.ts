/** Entry of the process that ONNX Runtime runs in. */
import { parentProcess } from './platform/parentProcess';
import { type RpcMessage, serve } from './rpc';
import { loadRuntime, type Runtime } from './runtime';
import { createRuntimeService, RUNTIME_METHODS, type RuntimeService } from './runtimeService';

const { argument, post, onMessage } = parentProcess();

let loaded: Runtime | undefined;
const load = () => {
  loaded ??= loadRuntime(__dirname, argument !== 'web');
  return loaded;
};
/** Loaded by the first call, which is told where that fails. */
const runtime: Runtime = {
  get name() {
    return load().name;
  },
  open: async (...model) => load().open(...model),
};
serve<RuntimeService>(
  createRuntimeService(runtime, globalThis.gc as (() => void) | undefined),
  RUNTIME_METHODS,
  {
    post,
    onMessage: (receive) => onMessage((message) => receive(message as RpcMessage)),
  },
);
