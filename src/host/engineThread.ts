import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import * as vscode from 'vscode';
import { damaged } from '../core/damaged';
import type { ModelError } from '../core/onnx/modelError';
import type { RpcPort } from '../worker/rpc';

/** The thread that the engine runs in. */
export interface EngineThread {
  readonly port: RpcPort;
  /** It ended, of itself or because it was told to: why, in words. May be told more than once. */
  onEnd(ended: (why: string | ModelError) => void): void;
  terminate(): Promise<unknown>;
}

/** Whether the engine can be given files that are not on the disk. */
export const READS_ANYWHERE = false as boolean;

/** Starts the engine. What it prints goes to the log; what it measures of this machine is kept in `storage`. */
export function startEngineThread(
  extension: vscode.Uri,
  log: vscode.LogOutputChannel,
  storage: vscode.Uri,
): EngineThread {
  const script = vscode.Uri.joinPath(extension, 'dist', 'worker.js').fsPath;
  const worker = new Worker(script, {
    stdout: true,
    stderr: true,
    workerData: { timings: vscode.Uri.joinPath(storage, 'timings.json').fsPath },
  });
  worker.stderr.on('data', (chunk: Buffer) => log.warn(`engine: ${chunk.toString().trimEnd()}`));
  worker.stdout.on('data', (chunk: Buffer) => log.debug(`engine: ${chunk.toString().trimEnd()}`));
  return {
    port: {
      post: (message) => worker.postMessage(message),
      onMessage: (receive) => worker.on('message', receive),
    },
    onEnd(ended) {
      worker.on('error', (error) => ended(existsSync(script) ? error.message : damaged(script)));
      worker.on('exit', (code) => ended(vscode.l10n.t('exit code {0}', code)));
    },
    terminate: () => worker.terminate(),
  };
}
