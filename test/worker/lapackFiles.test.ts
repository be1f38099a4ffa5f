import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { createLapack } from '../../src/worker/lapack';
import { loadLapackModule } from '../../src/worker/lapackFiles';

const built = path.resolve('dist');
const names = ['lapack.relaxed.wasm', 'lapack.simd.wasm'] as const;

/** Runs `use` with a new folder, which is gone afterwards. */
function inFolder(use: (folder: string) => void): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-lapack-'));
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the loader takes the relaxed module where the engine has relaxed SIMD, else the other one', () => {
  const relaxed = WebAssembly.validate(readFileSync(path.join(built, names[0])));
  assert.equal(/fused/.test(createLapack(loadLapackModule(built)).name), relaxed);
  inFolder((folder) => {
    copyFileSync(path.join(built, names[1]), path.join(folder, names[1]));
    assert.doesNotMatch(createLapack(loadLapackModule(folder)).name, /fused/);
    writeFileSync(path.join(folder, names[0]), 'not WebAssembly');
    assert.doesNotMatch(createLapack(loadLapackModule(folder)).name, /fused/);
  });
});

test('without a usable module the loader says which and why', () => {
  inFolder((folder) => {
    writeFileSync(path.join(folder, names[1]), 'not WebAssembly');
    assert.throws(
      () => loadLapackModule(folder),
      /^Error: LAPACK cannot run in this engine: lapack\.relaxed\.wasm is missing; lapack\.simd\.wasm is not valid here\.$/,
    );
  });
});

/** Runs the build as a command, with the two modules to be taken from `ready`. */
function build(ready: string, outDir: string) {
  return spawnSync(process.execPath, [path.resolve('wasm', 'build.mjs'), outDir], {
    encoding: 'utf8',
    env: { ...process.env, RANKSMITH_LAPACK: ready },
  });
}

test('the build takes ready modules from RANKSMITH_LAPACK, and only sound ones', () => {
  inFolder((folder) => {
    const out = path.join(folder, 'out');
    assert.equal(build(built, out).status, 0);
    for (const name of names)
      assert.deepEqual(readFileSync(path.join(out, name)), readFileSync(path.join(built, name)));

    const refused = (sentence: RegExp) => {
      const { status, stderr } = build(folder, path.join(folder, 'never'));
      assert.equal(status, 1);
      assert.match(stderr, sentence);
    };
    refused(/has no lapack\.relaxed\.wasm\.\n$/);
    copyFileSync(path.join(built, names[0]), path.join(folder, names[0]));
    writeFileSync(path.join(folder, names[1]), 'not WebAssembly');
    refused(/lapack\.simd\.wasm is not a WebAssembly module\.\n$/);
    // The shortest module there is: sound, and without a single routine.
    writeFileSync(path.join(folder, names[1]), Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    refused(/lapack\.simd\.wasm does not export dgesdd_, .*\.\n$/);
  });
});
