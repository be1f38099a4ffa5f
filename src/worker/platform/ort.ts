import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ModelError } from '../../core/onnx/modelError';
import { missingFile } from '../missingFile';

/** ONNX Runtime's own interface: that of its library for Node and that of its library for browsers are the same. */
export type Ort = typeof import('onnxruntime-web');

/** The library as it was found. */
export interface LoadedOrt {
  readonly ort: Ort;
  /** "ONNX Runtime 1.30.0 (native CPU, 1 thread)". */
  readonly name: string;
  /** Whether it opens files by itself; else it is given bytes. */
  readonly readsFiles: boolean;
  /** What has to be waited for before a first session. */
  ready(): Promise<void>;
  /** What of the library is missing, where it fails. */
  damage(): ModelError | undefined;
}

/**
 * Loads ONNX Runtime: native where that is wanted and there, else in WebAssembly. `folder` holds the bundled
 * onnxruntime-web and, in a package for one platform, the native one.
 */
export function loadOrt(folder: string, native: boolean): LoadedOrt {
  const ready = async () => {};
  const found = native ? nativeOrt(folder) : undefined;
  if (found) {
    const { node, common } = found.env.versions;
    return {
      ort: found,
      name: `ONNX Runtime ${node ?? common} (native CPU, 1 thread)`,
      readsFiles: true,
      ready,
      damage: () => undefined,
    };
  }
  const damage = () => missingFile(...FILES.map((name) => join(folder, 'ort', name)));
  const ort = orDamage<Ort>(() => require(join(folder, 'ort', FILES[0])), damage);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = `${pathToFileURL(join(folder, 'ort')).href}/`;
  const { web, common } = ort.env.versions;
  const name = `ONNX Runtime ${web ?? common} (WebAssembly, 1 thread)`;
  return { ort, name, readsFiles: false, ready, damage };
}

/** The library for WebAssembly, and what it loads. */
const FILES = ['ort.node.min.js', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'] as const;

function orDamage<T>(load: () => T, damage: () => ModelError | undefined): T {
  try {
    return load();
  } catch (error) {
    throw damage() ?? error;
  }
}

function nativeOrt(folder: string): Ort | undefined {
  for (const load of [
    () => require(join(folder, 'ort-native', 'ort.js')),
    () => require('onnxruntime-node'),
  ]) {
    try {
      return load();
    } catch {
      // Not there, or not for this system: the WebAssembly runtime serves.
    }
  }
  return undefined;
}
