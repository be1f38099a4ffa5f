import * as ort from 'onnxruntime-web/wasm';
import type { LoadedOrt } from './ort';

/** ONNX Runtime's own module, by its path inside dist. */
export const ORT_MODULE = 'ort/ort-wasm-simd-threaded.wasm';

let ortModule: () => Promise<Uint8Array> = () =>
  Promise.reject(new Error('Nobody said where ONNX Runtime is.'));

/** Says where that module comes from. */
export function setOrtModule(load: () => Promise<Uint8Array>): void {
  ortModule = load;
}

/** In a browser: ONNX Runtime for WebAssembly. */
export function loadOrt(): LoadedOrt {
  ort.env.wasm.numThreads = 1;
  const { web, common } = ort.env.versions;
  return {
    ort: ort as unknown as LoadedOrt['ort'],
    name: `ONNX Runtime ${web ?? common} (WebAssembly, 1 thread)`,
    readsFiles: false,
    // It comes from the host, which says so.
    damage: () => undefined,
    async ready() {
      ort.env.wasm.wasmBinary ??= await ortModule();
    },
  };
}
