import { extensionFile } from './extensionFiles';

/** A file of LAPACK, by its name. */
export interface LapackFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The fastest LAPACK that this browser runs; undefined where it runs none. */
export async function lapackFile(): Promise<LapackFile | undefined> {
  for (const name of ['lapack.relaxed.wasm', 'lapack.simd.wasm']) {
    const bytes = await extensionFile(name);
    if (WebAssembly.validate(bytes)) return { name, bytes };
  }
  return undefined;
}
