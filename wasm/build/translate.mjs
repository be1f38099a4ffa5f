import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { toFortran77 } from './fortran77.mjs';
import { inParallel, run } from './run.mjs';
import { fortranFolders } from './source.mjs';

/**
 * Translates the routines named by `symbols` and, transitively, all they call, from Fortran to C.
 * The list derives itself: LAPACK keeps a routine per file, and f2c declares what a routine calls.
 * Routines that exist in Fortran 90 only are left out; our kernels have them, or the linker says so.
 *
 * Returns the C files, sorted, relative to `folder`.
 */
export async function translate({ source, folder, symbols, f2c }) {
  mkdirSync(folder, { recursive: true });
  const queue = [...new Set(symbols)];
  const seen = new Set(queue);
  const files = [];
  await inParallel(queue, 2, async (symbol) => {
    const routine = symbol.replace(/_+$/, '');
    const fortran = fortranFolders
      .map((name) => path.join(source, name, `${routine}.f`))
      .find((file) => existsSync(file));
    if (fortran === undefined) return;
    const input = path.join(folder, `${routine}.f`);
    writeFileSync(input, toFortran77(readFileSync(fortran, 'latin1')), 'latin1');
    try {
      // ANSI prototypes, REAL functions that return float, locals on the stack.
      await run(f2c, ['-A', '-R', '-a', `${routine}.f`], { cwd: folder });
    } catch {
      rmSync(path.join(folder, `${routine}.c`), { force: true });
      return;
    } finally {
      rmSync(input);
    }
    files.push(`${routine}.c`);
    for (const callee of declared(readFileSync(path.join(folder, `${routine}.c`), 'latin1'))) {
      if (!seen.has(callee)) {
        seen.add(callee);
        queue.push(callee);
      }
    }
  });
  return files.sort();
}

/** The Fortran routines that a translation declares as external: names that end in an underscore. */
function declared(text) {
  return [...text.matchAll(/\bextern\b[^;]*;/g)].flatMap(([statement]) =>
    [...statement.matchAll(/\b(\w+_)\s*\(/g)].map((match) => match[1]),
  );
}
