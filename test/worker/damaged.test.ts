import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { Engine } from '../../src/worker/engine';
import { createCheckedSession } from '../support/checkedSession';
import { SAMPLE, scratchFolder } from '../support/scratch';

/** Calls that need the file, of an engine whose bundles are complete but for it. */
async function without(file: string, call: (engine: Engine) => Promise<unknown>): Promise<unknown> {
  const folder = path.join(scratchFolder(), 'dist');
  cpSync(path.resolve('dist'), folder, {
    recursive: true,
    filter: (from) => !/[\\/]web$|\.map$/.test(from),
  });
  rmSync(path.join(folder, file));
  const session = createCheckedSession({
    folder,
    threadScript: path.join(folder, 'factorThread.js'),
    nativeRuntime: false,
  });
  try {
    return await call(session);
  } finally {
    await session.close();
  }
}

const suggest = (engine: Engine) => engine.suggest({ path: SAMPLE, method: 'svd', energy: 0.9 });
const verify = (engine: Engine) => engine.verify({ original: SAMPLE, compressed: SAMPLE });

describe('where a file of the installation is missing', () => {
  const cases = [
    ['factorThread.js', suggest],
    ['runtimeProcess.js', verify],
    [path.join('ort', 'ort.node.min.js'), verify],
    [path.join('ort', 'ort-wasm-simd-threaded.mjs'), verify],
    [path.join('ort', 'ort-wasm-simd-threaded.wasm'), verify],
  ] as const;
  for (const [file, call] of cases) {
    it(`what needs it says so, and what to do: ${file}`, async () => {
      await assert.rejects(without(file, call), ({ code, message }: Error & { code?: string }) => {
        assert.equal(code, 'damaged', message);
        assert.match(
          message,
          /^The installation of Ranksmith is damaged: .* is missing\. Installing it again/,
        );
        assert.ok(message.includes(`${path.sep}${file} is missing`), message);
        return true;
      });
    });
  }

  it('one of two builds of LAPACK does the work of both', async () => {
    assert.ok(await without('lapack.relaxed.wasm', suggest));
  });
});
