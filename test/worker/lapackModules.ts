import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The built modules that this Node runs: `simd` always, `relaxed` where relaxed SIMD is there. Tests run in the project's root. */
export function lapackModules(): { name: string; bytes: Buffer; module: WebAssembly.Module }[] {
  const files = ['simd', 'relaxed'].map((name) => ({
    name,
    bytes: readFileSync(path.resolve('dist', `lapack.${name}.wasm`)),
  }));
  return files
    .filter(({ name, bytes }) => name === 'simd' || WebAssembly.validate(bytes))
    .map(({ name, bytes }) => ({ name, bytes, module: new WebAssembly.Module(bytes) }));
}

/** The module with a memory that may not grow beyond the 16 MiB it starts with. */
export function withoutGrowth(bytes: Buffer): WebAssembly.Module {
  const patched = Buffer.from(bytes);
  let at = 8;
  /** An unsigned LEB128 number. */
  const number = () => {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = patched[at++]!;
      value += (byte & 127) * 2 ** shift;
      shift += 7;
      if (byte < 128) return value;
    }
  };
  while (at < patched.length) {
    const section = patched[at++];
    const end = number() + at;
    if (section === 5) {
      // One memory with a minimum and a maximum: the maximum, in as many bytes as it has, becomes the minimum.
      const [count, limits, pages] = [number(), number(), number()];
      const start = at;
      number();
      if (count !== 1 || limits !== 1) throw new Error('The module has not one memory with a maximum.');
      for (let i = start, rest = pages; i < at; i++, rest >>= 7) {
        patched[i] = (rest & 127) | (i + 1 < at ? 128 : 0);
      }
      return new WebAssembly.Module(patched);
    }
    at = end;
  }
  throw new Error('The module has no memory.');
}
