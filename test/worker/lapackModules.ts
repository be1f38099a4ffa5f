import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The built modules that this Node runs: `simd` always, `relaxed` where relaxed SIMD is there. Tests run in the project's root. */
export function lapackModules(): { name: string; module: WebAssembly.Module }[] {
  const files = ['simd', 'relaxed'].map((name) => ({
    name,
    bytes: readFileSync(path.resolve('dist', `lapack.${name}.wasm`)),
  }));
  return files
    .filter(({ name, bytes }) => name === 'simd' || WebAssembly.validate(bytes))
    .map(({ name, bytes }) => ({ name, module: new WebAssembly.Module(bytes) }));
}
