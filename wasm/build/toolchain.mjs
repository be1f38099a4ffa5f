import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ask, BuildError, run } from './run.mjs';

const debianPackages = ['f2c', 'clang-19', 'lld-19', 'wasi-libc'];
const targets = ['wasm32-wasi', 'wasm32-wasip1'];

/** A clang that compiles and links C for wasm32 with a libc: `{ program, target, version }`, or undefined. */
export function findClang() {
  const names = [
    process.env.RANKSMITH_CLANG,
    'clang-19',
    'clang',
    'clang-22',
    'clang-21',
    'clang-20',
    'clang-18',
    'clang-17',
    'clang-16',
  ];
  for (const program of names) {
    if (!program) continue;
    const version = ask(program, ['--version'])?.split('\n')[0];
    if (version === undefined) continue;
    const major = Number(/version (\d+)/.exec(version)?.[1]);
    if (!(major >= 16) || !ask(program, ['--print-targets'])?.includes('wasm32')) continue;
    for (const target of targets) {
      // The driver answers with a full path only for a file that is there.
      const libc = ask(program, [`--target=${target}`, '-print-file-name=libc.a'])?.trim();
      const linker = ask(program, [`--target=${target}`, '-print-prog-name=wasm-ld'])?.trim();
      if (libc && libc !== 'libc.a' && linker && existsSync(linker)) return { program, target, version };
    }
  }
  return undefined;
}

/** The npm package @yowasp/clang, if installed: where it is and its version. */
function findYowasp() {
  try {
    const module = createRequire(import.meta.url).resolve('@yowasp/clang');
    const { version } = JSON.parse(
      readFileSync(path.join(path.dirname(module), '..', 'package.json'), 'utf8'),
    );
    return { module, version: `@yowasp/clang ${version}` };
  } catch {
    return undefined;
  }
}

function findF2c() {
  return ask('f2c', ['--help']) === undefined ? undefined : 'f2c';
}

/** f2c and a compiler. Installs Debian's packages when run as root where apt is; otherwise says what is missing. */
export async function toolchain(log) {
  let f2c = findF2c();
  let compiler = findClang() ?? findYowasp();
  if (f2c && compiler) return { f2c, compiler };
  const wanted = [...(f2c ? [] : ['f2c']), ...(compiler ? [] : debianPackages.slice(1))];
  const command = `apt-get install --no-install-recommends ${wanted.join(' ')}`;
  const apt = ask('apt-get', ['--version']) !== undefined;
  if (apt && process.getuid?.() === 0) {
    log(`Installing ${wanted.join(', ')} …`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const install = () => run('apt-get', ['install', '-y', '--no-install-recommends', ...wanted], { env });
    // The package lists may be absent or old: the first failure may only mean that.
    await install().catch(async () => {
      await run('apt-get', ['update'], { env });
      await install();
    });
    f2c = findF2c();
    compiler = findClang();
    if (f2c && compiler) return { f2c, compiler };
  }
  const missing = [...(f2c ? [] : ['f2c']), ...(compiler ? [] : ['a clang for wasm32 with wasi-libc'])].join(
    ' and ',
  );
  const npm = compiler ? '' : ' (for the compiler, "npm install --no-save @yowasp/clang" does too)';
  throw new BuildError(
    apt
      ? `The build of LAPACK needs ${missing}. Run "sudo ${command}"${npm}, or set RANKSMITH_LAPACK to a folder with the two built modules.`
      : `The build of LAPACK needs ${missing}. On Debian, "sudo ${command}" gets what is missing${npm}; or set RANKSMITH_LAPACK to a folder with the two built modules.`,
  );
}
