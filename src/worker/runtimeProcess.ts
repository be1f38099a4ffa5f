/** Entry of the process that ONNX Runtime runs in. */
import { parentProcess } from './platform/parentProcess';
import { type RpcMessage, serve } from './rpc';
import { loadRuntime } from './runtime';
import { createRuntimeService, RUNTIME_METHODS, type RuntimeService } from './runtimeService';

const { argument, post, onMessage } = parentProcess();

const runtime = loadRuntime(__dirname, argument !== 'web');
serve<RuntimeService>(
  createRuntimeService(runtime, globalThis.gc as (() => void) | undefined),
  RUNTIME_METHODS,
  {
    post,
    onMessage: (receive) => onMessage((message) => receive(message as RpcMessage)),
  },
);
