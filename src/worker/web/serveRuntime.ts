import { memoryFiles } from '../platform/files.web';
import { setOrtModule } from '../platform/ort.web';
import type { PackedModel } from '../platform/packModel';
import { dirname, join } from '../platform/webPaths';
import { serve } from '../rpc';
import { loadRuntime } from '../runtime';
import { createRuntimeService, RUNTIME_METHODS, type RuntimeService } from '../runtimeService';
import { rpcPort, type WebPort } from './messagePort';

/**
 * Serves ONNX Runtime on a port. Models arrive as bytes, with those of their data files; the latter are held while a model
 * is loaded, unless `hasFiles`: then they are here already.
 */
export function serveRuntime(port: WebPort, wasm: () => Promise<Uint8Array>, hasFiles: boolean): void {
  setOrtModule(wasm);
  const service = createRuntimeService(loadRuntime('', false));
  const held: RuntimeService = {
    ...service,
    async open(request) {
      const { path, dataFiles = new Map(), data } = request as typeof request & PackedModel;
      // Ranges of files are files of their own here.
      const ranges = new Set(data.map(({ file }) => file));
      const files = [...dataFiles]
        .map(([file, bytes]) => [join(dirname(path), file), bytes] as const)
        .filter(([file]) => !hasFiles || ranges.has(file));
      try {
        for (const [file, bytes] of files) memoryFiles.place(file, bytes, 0);
        return await service.open(request);
      } finally {
        for (const [file] of files) memoryFiles.forget(file);
      }
    },
  };
  serve<RuntimeService>(held, RUNTIME_METHODS, rpcPort(port));
  port.postMessage({ kind: 'ready' });
}
