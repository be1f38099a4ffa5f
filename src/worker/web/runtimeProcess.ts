/** Entry of the worker that ONNX Runtime runs in, in a browser. Its first message brings the runtime's own module. */
import type { WebPort } from './messagePort';
import { serveRuntime } from './serveRuntime';

declare const self: WebPort;

self.onmessage = ({ data }) => {
  const { wasm } = data as { readonly wasm: Uint8Array };
  serveRuntime(self, async () => wasm, false);
};
