import { spawn, spawnSync } from 'node:child_process';

/** A failure that a person can mend; its message is a whole sentence. */
export class BuildError extends Error {}

/** Runs a program without a shell. Resolves with what it printed; rejects, with the end of it, when it fails. */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.on('error', (error) =>
      reject(new BuildError(`${program} could not be started: ${error.message}.`)),
    );
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else
        reject(
          new BuildError(`${program} ${args.slice(0, 3).join(' ')} … failed:\n${output.trim().slice(-2000)}`),
        );
    });
  });
}

/** What a program prints, or undefined when it is not there or fails. */
export function ask(program, args) {
  const result = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return result.status === 0 ? `${result.stdout}${result.stderr}` : undefined;
}

/** Calls `work` for every item, `width` at a time; items that `work` appends to the list are taken too. */
export async function inParallel(items, width, work) {
  let next = 0;
  let active = 0;
  await new Promise((resolve, reject) => {
    const start = () => {
      while (active < width && next < items.length) {
        active++;
        work(items[next++]).then(() => {
          active--;
          start();
        }, reject);
      }
      if (active === 0 && next >= items.length) resolve();
    };
    start();
  });
}
