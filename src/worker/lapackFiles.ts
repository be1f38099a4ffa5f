import { readFileSync } from './platform/files';
import { join } from './platform/paths';

/** The two modules that `wasm/build.mjs` makes, the faster one first: it needs relaxed SIMD. */
const variants = ['lapack.relaxed.wasm', 'lapack.simd.wasm'];

/**
 * Compiles the faster of the two modules in `folder` (beside the bundled worker) that this engine runs.
 * The module may be sent to other threads. Throws an Error, a whole sentence, when neither can be used:
 * the caller then falls back to ml-matrix.
 */
export function loadLapackModule(folder: string): WebAssembly.Module {
  const problems: string[] = [];
  for (const name of variants) {
    try {
      const bytes = readFileSync(join(folder, name));
      if (WebAssembly.validate(bytes)) return new WebAssembly.Module(bytes);
      problems.push(`${name} is not valid here`);
    } catch (error) {
      const isMissing = (error as { code?: string }).code === 'ENOENT';
      problems.push(
        `${name} ${isMissing ? 'is missing' : `could not be read (${(error as Error).message})`}`,
      );
    }
  }
  throw new Error(`LAPACK cannot run in this engine: ${problems.join('; ')}.`);
}
