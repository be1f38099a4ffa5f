/** Entry of the process that ONNX Runtime runs in. It ends with the pipe that it is asked through. */
import { Socket } from 'node:net';
import { createFrameReader, framesOf } from './frames';
import { type RpcMessage, serve } from './rpc';
import { loadRuntime } from './runtime';
import { createRuntimeService, RUNTIME_METHODS, type RuntimeService } from './runtimeService';

const pipe = new Socket({ fd: 3 });
pipe.on('close', () => process.exit());
pipe.on('error', () => process.exit());

serve<RuntimeService>(
  createRuntimeService(loadRuntime(__dirname, process.argv[2] !== 'web')),
  RUNTIME_METHODS,
  {
    post(message) {
      for (const bytes of framesOf(message)) pipe.write(bytes);
    },
    onMessage: (receive) =>
      pipe.on(
        'data',
        createFrameReader((message) => receive(message as RpcMessage)),
      ),
  },
);
