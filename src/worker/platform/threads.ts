import { Worker } from 'node:worker_threads';
import { missingFile } from '../missingFile';

/** A thread that runs a script, and what it says. */
export interface ScriptThread {
  post(message: unknown, handedOver: readonly ArrayBuffer[]): void;
  /** Whether it keeps the process from ending; a new one does not. */
  keepAlive(wanted: boolean): void;
  /** Ends it in the middle of what it does. */
  terminate(): Promise<unknown>;
}

/** Who listens to a thread. */
export interface ThreadEvents<M> {
  onMessage(message: M): void;
  /** It ended of itself; with an error, or without. */
  onEnd(error: Error | undefined): void;
}

/** Starts a thread. The engine's door to threads. */
export function startScript<M>(script: string, { onMessage, onEnd }: ThreadEvents<M>): ScriptThread {
  const worker = new Worker(script);
  worker.unref();
  worker.on('message', onMessage);
  worker.on('error', (error) => onEnd(missingFile(script) ?? error));
  worker.on('exit', () => onEnd(undefined));
  return {
    post: (message, handedOver) => worker.postMessage(message, handedOver),
    keepAlive(wanted) {
      if (wanted) worker.ref();
      else worker.unref();
    },
    terminate: () => worker.terminate(),
  };
}
