import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { ask, BuildError, run } from './run.mjs';

/** LAPACK as Debian's source package has it: the upstream tarball, by its sha256. */
export const lapackVersion = '3.11.0';
export const lapackSha256 = '4b9ba79bfd4921ca820e83979db76ab3363155709444a787979e81c22285ffa9';

/** Where one-routine-per-file Fortran is found in LAPACK's tree. */
export const fortranFolders = ['SRC', 'BLAS/SRC', 'INSTALL'];

const elsewhere = `Set LAPACK_SOURCE to LAPACK ${lapackVersion}'s source tarball, or to the folder it unpacks to.`;

/** What identifies the source: the pinned tarball's sha256, or a digest of the folder that LAPACK_SOURCE names. */
export function sourceIdentity(given = process.env.LAPACK_SOURCE) {
  if (!given || !existsSync(given) || !statSync(given).isDirectory()) return lapackSha256;
  const hash = createHash('sha256');
  for (const folder of fortranFolders) {
    if (!existsSync(path.join(given, folder))) {
      throw new BuildError(
        `LAPACK_SOURCE names ${given}, which has no folder ${folder}: it is not LAPACK's source.`,
      );
    }
    for (const file of readdirSync(path.join(given, folder)).sort()) {
      if (file.endsWith('.f')) hash.update(file).update(readFileSync(path.join(given, folder, file)));
    }
  }
  return hash.digest('hex');
}

/** LAPACK's source tree, unpacked: from LAPACK_SOURCE, from an earlier build (`cache`), or with apt. */
export async function lapackSource(cache, log) {
  const given = process.env.LAPACK_SOURCE;
  if (given && !existsSync(given))
    throw new BuildError(`LAPACK_SOURCE names ${given}, which does not exist.`);
  if (given && statSync(given).isDirectory()) return path.resolve(given);
  const folder = path.join(cache, `lapack-${lapackVersion}`);
  const finished = path.join(folder, '.unpacked');
  if (!given && existsSync(finished)) return folder;
  const tarball = given ? path.resolve(given) : await download(cache, log);
  const sha256 = createHash('sha256').update(readFileSync(tarball)).digest('hex');
  if (sha256 !== lapackSha256) {
    throw new BuildError(
      `${tarball} is not LAPACK ${lapackVersion}'s tarball: its sha256 is ${sha256}, not ${lapackSha256}.`,
    );
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
  writeFileSync(finished, '');
  return folder;
}

/** Debian's source package, by a scratch copy of the machine's own apt sources: nothing of the system changes. */
async function download(cache, log) {
  if (ask('apt-get', ['--version']) === undefined) {
    throw new BuildError(`LAPACK's source comes with apt, which this machine does not have. ${elsewhere}`);
  }
  const scratch = path.join(cache, 'apt');
  rmSync(scratch, { recursive: true, force: true });
  for (const name of ['sources', 'lists/partial', 'cache/archives/partial', 'download']) {
    mkdirSync(path.join(scratch, name), { recursive: true });
  }
  writeDebSrc(path.join(scratch, 'sources'));
  const options = [
    ['Dir::Etc::sourcelist', '/dev/null'],
    ['Dir::Etc::sourceparts', path.join(scratch, 'sources')],
    ['Dir::State::lists', path.join(scratch, 'lists')],
    ['Dir::Cache', path.join(scratch, 'cache')],
    ['APT::Sandbox::User', 'root'],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  log(`Getting the source of LAPACK ${lapackVersion} (Debian's package lapack ${lapackVersion}-2) …`);
  const cwd = path.join(scratch, 'download');
  try {
    await run('apt-get', [...options, 'update'], { cwd });
    await run('apt-get', [...options, 'source', '--download-only', `lapack=${lapackVersion}-2`], { cwd });
  } catch (error) {
    throw new BuildError(
      `Debian's source package lapack=${lapackVersion}-2 could not be had. ${elsewhere}\n${error.message}`,
    );
  }
  const tarball = path.join(cache, `lapack_${lapackVersion}.orig.tar.gz`);
  cpSync(path.join(cwd, `lapack_${lapackVersion}.orig.tar.gz`), tarball);
  rmSync(scratch, { recursive: true, force: true });
  return tarball;
}

/** The machine's apt sources, asked for source packages: *.sources with "Types: deb-src", *.list with "deb-src". */
function writeDebSrc(target) {
  const parts = '/etc/apt/sources.list.d';
  const files = existsSync(parts) ? readdirSync(parts).map((name) => path.join(parts, name)) : [];
  for (const file of [...files, '/etc/apt/sources.list']) {
    if (!existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    if (file.endsWith('.sources')) {
      writeFileSync(path.join(target, path.basename(file)), text.replace(/^Types:.*$/gm, 'Types: deb-src'));
    } else if (file.endsWith('.list')) {
      const lines = text.split('\n').filter((line) => /^deb\s/.test(line));
      writeFileSync(
        path.join(target, path.basename(file)),
        lines.map((line) => `deb-src${line.slice(3)}\n`).join(''),
      );
    }
  }
}
