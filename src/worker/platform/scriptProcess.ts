import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { ModelError } from '../../core/onnx/modelError';
import { missingFile } from '../missingFile';
import { createFrameReader, framesOf } from './frames';

/** A process that runs a script, and what it says. */
export interface ScriptProcess {
  post(message: unknown): void;
  /** Whether it keeps this program from ending. */
  keepAlive(wanted: boolean): void;
  /** Ends it in the middle of what it does; its end is not reported then. */
  kill(): void;
}

/** Who listens to a process. */
export interface ProcessEvents<M> {
  onMessage(message: M): void;
  /** It ended of itself: "exit code 3", "SIGSEGV", or because a file of ours is missing. */
  onEnd(how: string | ModelError): void;
}

/** Starts a process of this program's own kind. The engine's door to processes; `parentProcess.ts` is its other end. */
export function startProcess<M>(
  script: string,
  argument: string,
  { onMessage, onEnd }: ProcessEvents<M>,
): ScriptProcess {
  const child = spawn(process.execPath, ['--expose-gc', script, argument], {
    // Of an editor it is the program, which is Node when it is told so. What is freed of large blocks is to go back to
    // the system: that is what they are mapped one by one for (glibc; others don't know these names).
    env: {
      ...process.env,
      ELECTRON_RUN_AS_NODE: '1',
      MALLOC_MMAP_THRESHOLD_: '4194304',
      MALLOC_TRIM_THRESHOLD_: '4194304',
    },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    windowsHide: true,
  });
  const pipe = child.stdio[3] as Duplex & { ref(): void; unref(): void };
  let ended = false;
  const end = (how: string) => {
    if (!ended) onEnd(missingFile(script) ?? how);
    ended = true;
  };
  pipe.on(
    'data',
    createFrameReader((message) => onMessage(message as M)),
  );
  // Whatever is wrong with the pipe, the process ends, and that is said.
  pipe.on('error', () => {});
  child.on('error', (error) => end(error.message));
  child.on('exit', (code, signal) => end(signal ?? `exit code ${code}`));
  return {
    post(message) {
      for (const bytes of framesOf(message)) pipe.write(bytes);
    },
    keepAlive(wanted) {
      for (const each of [child, pipe]) {
        if (wanted) each.ref();
        else each.unref();
      }
    },
    kill() {
      ended = true;
      child.kill('SIGKILL');
    },
  };
}
