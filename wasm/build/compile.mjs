import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { BuildError, inParallel, run } from './run.mjs';

/** The two modules: with fused multiply-add where the engine has relaxed SIMD (Node ≥ 22), and without. */
export const variants = [
  { name: 'relaxed', simd: ['-msimd128', '-mrelaxed-simd'] },
  { name: 'simd', simd: ['-msimd128'] },
];

/** `-ffp-contract=off`: a multiply-add is fused only where a kernel says so, so LAPACK computes the same in both modules. */
const common = [
  '-fno-strict-aliasing',
  '-ffp-contract=off',
  '-fno-math-errno',
  '-DNDEBUG',
  '-mbulk-memory',
  '-mnontrapping-fptoint',
];
const kernelFlags = ['-O3', '-Wall', '-Werror', ...common];
/** f2c's output is full of unused variables; what is wrong in it is the linker's to find. */
const lapackFlags = ['-O2', '-w', '-msimd128', ...common];
const linkFlags = [
  ...['-mexec-model=reactor', '-nostartfiles', '-nodefaultlibs'],
  ...['--no-entry', '--gc-sections', '--strip-all', '--fatal-warnings', '--stack-first'],
  ...['-z,stack-size=1048576', '--initial-memory=16777216', '--max-memory=4294967296'],
].map((flag) => (flag.startsWith('--') || flag.startsWith('-z') ? `-Wl,${flag}` : flag));

/** Kernel files with a single and a double version; the others are compiled once. */
const bothPrecisions = /\b(NAME|FORTRAN)\(/;

/**
 * Compiles the C files in `folder` (all in this one folder) and links both modules.
 * Returns `{ relaxed, simd }`, the modules' bytes.
 */
export async function compile({ folder, kernels, translated, exports, compiler, log }) {
  const invoke = compiler.program ? native(compiler, folder) : await yowasp(compiler, folder);
  const headers = kernels.filter((file) => file.endsWith('.h'));
  const jobs = [];
  const add = (source, object, flags) =>
    jobs.push({ args: [...flags, '-c', source, '-o', object], inputs: [source, ...headers], object });
  for (const source of translated) add(source, object(source), lapackFlags);
  const ours = {};
  for (const { name, simd } of variants) {
    ours[name] = [];
    for (const source of kernels.filter((file) => file.endsWith('.c'))) {
      const twice = bothPrecisions.test(readFileSync(path.join(folder, source), 'latin1'));
      for (const precision of twice ? ['single', 'double'] : ['any']) {
        const target = object(source, name, precision);
        ours[name].push(target);
        add(source, target, [...kernelFlags, ...simd, ...(precision === 'double' ? ['-DDOUBLE'] : [])]);
      }
    }
  }
  log(`Compiling ${jobs.length} files …`);
  await inParallel(jobs, compiler.program ? 2 : 1, ({ args, inputs, object: output }) =>
    invoke(args, inputs, output),
  );

  const modules = {};
  for (const { name } of variants) {
    const library = translated.map((source) => object(source));
    const output = `lapack.${name}.wasm`;
    const args = [
      ...['-O2', ...ours[name]],
      // Archive semantics: a routine of LAPACK is taken only if it is called and no kernel replaces it.
      ...['-Wl,--start-lib', ...library, '-Wl,--end-lib', '-lc'],
      ...[...linkFlags, ...exports.map((symbol) => `-Wl,--export=${symbol}`), '-o', output],
    ];
    try {
      await invoke(args, [...ours[name], ...library], output);
    } catch (error) {
      const missing = [
        ...new Set(
          [...error.message.matchAll(/undefined symbol: (\w+)|exported via --export not found: (\w+)/g)].map(
            (m) => m[1] ?? m[2],
          ),
        ),
      ];
      if (missing.length === 0) throw error;
      throw new BuildError(
        `Neither LAPACK's Fortran 77 nor our kernels define ${missing.join(', ')}: add it to wasm/kernels or mend wasm/exports.mjs.`,
      );
    }
    modules[name] = readFileSync(path.join(folder, output));
  }
  return modules;
}

function object(source, ...parts) {
  return [path.basename(source, '.c'), ...parts, 'o'].join('.');
}

/** A compiler on this machine, run in the folder so that no path gets into an object. */
function native({ program, target }, cwd) {
  return (args) => run(program, [`--target=${target}`, ...args], { cwd });
}

/** Clang as WebAssembly (@yowasp/clang): files go in and come out by name. */
async function yowasp({ module }, folder) {
  const { runClang } = await import(pathToFileURL(module).href);
  return async (args, inputs, output) => {
    const files = Object.fromEntries(
      inputs.map((name) => [name, new Uint8Array(readFileSync(path.join(folder, name)))]),
    );
    let messages = '';
    const collect = (bytes) => {
      messages += bytes ? Buffer.from(bytes).toString('utf8') : '';
    };
    try {
      const result = await runClang(['clang', '--target=wasm32-wasip1', ...args], files, {
        stdout: collect,
        stderr: collect,
      });
      writeFileSync(path.join(folder, output), result[output]);
    } catch (error) {
      throw new BuildError(
        `@yowasp/clang failed on ${output}: ${messages.trim().slice(-2000) || error.message}`,
      );
    }
  };
}
