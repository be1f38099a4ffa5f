import { createRequire } from 'node:module';
import path from 'node:path';
import workerThreads from 'node:worker_threads';
import * as vscode from 'vscode';
import { type ActivationTimes, FIGURES } from './activationTimes';

/**
 * Runs inside the real extension host (test/vscode/inHost.mjs), in a window in which nothing has asked for the extension yet:
 * loads its bundle and activates it, as VS Code would, and says how long each took.
 */
export async function run(): Promise<void> {
  const mark = process.env.RANKSMITH_SUITE_MARK ?? '';
  const extension = vscode.extensions.getExtension('ranksmith.ranksmith');
  if (!extension) throw new Error('VS Code does not know ranksmith.ranksmith.');
  // The rest of the window has settled by then.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  if (extension.isActive) throw new Error('The extension was active before anything asked for it.');
  let threads = 0;
  const { Worker } = workerThreads;
  workerThreads.Worker = class extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      threads++;
    }
  };
  const main = path.join(extension.extensionPath, extension.packageJSON.main);
  const before = process.cpuUsage();
  const load = await time(() => createRequire(main)(main));
  // VS Code takes the module from the cache: what remains is activate().
  const activate = await time(() => extension.activate());
  const { user, system } = process.cpuUsage(before);
  const processor = (user + system) / 1000;
  const roundTrip = await time(() => vscode.commands.executeCommand('setContext', 'ranksmith.bench', true));
  // What an activation leaves behind would have begun by now.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const figures: ActivationTimes = { load, activate, processor, roundTrip, threads };
  console.log(`${mark}${FIGURES}${JSON.stringify(figures)}`);
  console.log(`${mark}totals ${JSON.stringify({ passes: 1, failures: 0, pending: 0 })}`);
}

async function time(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
