import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const onWindows = process.platform === 'win32';
const cleanups = new Set();
let listening = false;

/**
 * Runs `cleanup` (which must be synchronous) when this process ends for whatever reason: normally, by an
 * uncaught error, or by Ctrl-C and its relatives. Returns a function that forgets it again.
 */
export function atExit(cleanup) {
  if (!listening) {
    listening = true;
    process.on('exit', () => {
      for (const run of [...cleanups].reverse()) {
        try {
          run();
        } catch (error) {
          console.error(`A clean-up failed: ${error.message}`);
        }
      }
    });
    for (const [signal, number] of [
      ['SIGHUP', 1],
      ['SIGINT', 2],
      ['SIGTERM', 15],
    ]) {
      process.once(signal, () => process.exit(128 + number));
    }
  }
  cleanups.add(cleanup);
  return () => cleanups.delete(cleanup);
}

/**
 * Starts a child in a process group of its own, so that it can be ended together with what it started and
 * nothing else. It never outlives this process.
 *
 * `end()` asks politely, insists after three seconds, and resolves when the child is gone; `ended` resolves then too.
 */
export function launch(command, args, options = {}) {
  const child = spawn(command, args, { ...options, detached: !onWindows });
  const ended = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('exit', resolve);
  });
  const forget = atExit(() => signalTree(child, 'SIGKILL'));
  const end = async () => {
    signalTree(child, 'SIGTERM');
    const insist = setTimeout(() => signalTree(child, 'SIGKILL'), 3000);
    await ended;
    clearTimeout(insist);
    signalTree(child, 'SIGKILL'); // grandchildren may have ignored the first signal
    forget();
  };
  ended.then(forget);
  return { child, ended, end };
}

function signalTree(child, signal) {
  if (child.pid === undefined) return;
  if (onWindows) {
    if (child.exitCode === null) spawnSync('taskkill', ['/pid', String(child.pid), '/T', '/F']);
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // ESRCH: the whole group is gone already
  }
}

/** Runs a command to its end and resolves with its output; rejects with a sentence and the output's tail. */
export async function run(command, args, { what, stream = false, ...options } = {}) {
  const { child } = launch(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const from of [child.stdout, child.stderr]) {
    from.setEncoding('utf8').on('data', (text) => {
      output += text;
      if (stream) process.stderr.write(text);
    });
  }
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).catch((error) => {
    throw new Error(`${what ?? command} could not be started: ${error.message}`);
  });
  if (code !== 0)
    throw new Error(`${what ?? command} failed with exit code ${code}.\n${output.slice(-4000)}`);
  return output;
}

/** Runs npm, also where it is a script that needs a shell (Windows) or was started by another npm. */
export function npm(args, options) {
  const self = process.env.npm_execpath;
  if (self && /npm-cli\.[cm]?js$/.test(self)) return run(process.execPath, [self, ...args], options);
  return run('npm', args, { ...options, shell: onWindows });
}

/** The full path of the first of these programs that PATH has, or undefined. */
export function onPath(...names) {
  const extensions = onWindows ? ['.exe', '.cmd'] : [''];
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
      for (const extension of extensions) {
        const file = path.join(folder, name + extension);
        if (folder && existsSync(file)) return file;
      }
    }
  }
  return undefined;
}
