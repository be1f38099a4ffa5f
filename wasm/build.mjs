import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile, variants } from './build/compile.mjs';
import { BuildError } from './build/run.mjs';
import { lapackSource, lapackVersion, sourceIdentity } from './build/source.mjs';
import { findClang, toolchain } from './build/toolchain.mjs';
import { translate } from './build/translate.mjs';
import { ownExports, routines } from './exports.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const cache = path.join(here, '..', '.cache', 'lapack');
const moduleNames = variants.map(({ name }) => `lapack.${name}.wasm`);

/**
 * Puts `lapack.relaxed.wasm` and `lapack.simd.wasm` into `outDir`: from the folder RANKSMITH_LAPACK
 * names, else from the cache, else built from LAPACK's Fortran and our kernels.
 */
export async function buildLapack({ outDir = 'dist', log = () => {} } = {}) {
  const ready = process.env.RANKSMITH_LAPACK;
  if (ready) {
    validate(ready);
    install(ready, outDir);
    log(`LAPACK: the two modules in ${ready}.`);
    return;
  }
  const folder = path.join(cache, inputsHash());
  if (!isBuilt(folder)) await build(folder, log);
  install(folder, outDir);
}

/** The build's inputs: kernels, scripts (they hold the flags), exports, and LAPACK's source. */
function inputsHash() {
  const hash = createHash('sha256').update(sourceIdentity());
  for (const folder of ['kernels', 'build']) {
    for (const file of readdirSync(path.join(here, folder)).sort()) {
      hash.update(`${folder}/${file}\n`).update(readFileSync(path.join(here, folder, file)));
    }
  }
  return hash
    .update(JSON.stringify([routines, ownExports]))
    .digest('hex')
    .slice(0, 24);
}

/** Whether a finished build is there, and by the compiler that would be used now, if there is one. */
function isBuilt(folder) {
  const record = path.join(folder, 'compiler.txt');
  if (!existsSync(record) || !moduleNames.every((name) => existsSync(path.join(folder, name)))) return false;
  const present = findClang()?.version;
  return present === undefined || present === readFileSync(record, 'utf8');
}

async function build(folder, log) {
  const start = Date.now();
  const { f2c, compiler } = await toolchain(log);
  const source = await lapackSource(cache, log);
  const work = `${folder}.${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    log(`Translating LAPACK ${lapackVersion} from Fortran to C …`);
    const translated = await translate({ source, folder: work, symbols: routines, f2c });
    const kernels = readdirSync(path.join(here, 'kernels')).sort();
    for (const file of kernels) copyFileSync(path.join(here, 'kernels', file), path.join(work, file));
    const modules = await compile({
      folder: work,
      kernels,
      translated,
      exports: [...routines, ...ownExports],
      compiler,
      log,
    });
    const done = `${work}.done`;
    mkdirSync(done, { recursive: true });
    for (const { name } of variants) writeFileSync(path.join(done, `lapack.${name}.wasm`), modules[name]);
    writeFileSync(path.join(done, 'compiler.txt'), compiler.version);
    validate(done);
    rmSync(folder, { recursive: true, force: true });
    renameSync(done, folder);
    log(
      `Built lapack.wasm from ${translated.length} routines of LAPACK with ${compiler.version} in ${((Date.now() - start) / 1000).toFixed(0)} s.`,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
    rmSync(`${work}.done`, { recursive: true, force: true });
  }
}

/** Both files are there, are WebAssembly, import nothing and export what we call. */
function validate(folder) {
  for (const name of moduleNames) {
    const file = path.join(folder, name);
    if (!existsSync(file)) throw new BuildError(`${folder} has no ${name}.`);
    const bytes = readFileSync(file);
    if (bytes.subarray(0, 4).toString('latin1') !== '\0asm')
      throw new BuildError(`${file} is not a WebAssembly module.`);
    // An engine without relaxed SIMD cannot compile that variant: then its exports are not looked at.
    if (!WebAssembly.validate(bytes)) {
      if (name.includes('relaxed')) continue;
      throw new BuildError(`${file} is not a valid WebAssembly module.`);
    }
    const module = new WebAssembly.Module(bytes);
    const imports = WebAssembly.Module.imports(module).map((entry) => `${entry.module}.${entry.name}`);
    if (imports.length > 0)
      throw new BuildError(`${file} imports ${imports.join(', ')}; it should need nothing.`);
    const present = new Set(WebAssembly.Module.exports(module).map((entry) => entry.name));
    const absent = [...routines, ...ownExports, 'memory'].filter((symbol) => !present.has(symbol));
    if (absent.length > 0) throw new BuildError(`${file} does not export ${absent.join(', ')}.`);
  }
}

/** Copies by way of a temporary name, so that a reader never sees half a file. */
function install(from, outDir) {
  mkdirSync(outDir, { recursive: true });
  for (const name of moduleNames) {
    const partial = path.join(outDir, `${name}.${process.pid}.tmp`);
    copyFileSync(path.join(from, name), partial);
    renameSync(partial, path.join(outDir, name));
  }
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await buildLapack({ outDir: process.argv[2] ?? 'dist', log: console.log }).catch((error) => {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
}
