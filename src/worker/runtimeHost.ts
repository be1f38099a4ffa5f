import { ModelError } from '../core/onnx/modelError';
import { expectManyListeners } from './platform/manyListeners';
import { packModel } from './platform/packModel';
import { join } from './platform/paths';
import { startProcess } from './platform/scriptProcess';
import { connect, type RpcMessage } from './rpc';
import { untilAborted } from './runTask';
import { loadRuntime, type Runtime } from './runtime';
import { RUNTIME_METHODS, type RuntimeService } from './runtimeService';

/** ONNX Runtime for the length of one call. End it. */
export interface RuntimeLease extends Runtime {
  /** Gives the process back; sessions that are still open end with it. */
  end(): void;
}

/**
 * ONNX Runtime in processes of its own: opening and running a model listen to nobody, a native library may crash, and what
 * it took is given back in full when its process ends.
 */
export interface RuntimeHost {
  /**
   * A runtime for one call. Its process starts when it is needed. When the signal aborts, the process is killed in the
   * middle of whatever it does, and what waits for it rejects with the signal's reason.
   */
  lease(signal?: AbortSignal): RuntimeLease;
  /** Ends all processes; what waits for them rejects. */
  close(): void;
}

/** How long a process without work waits for the next call. */
const IDLE_MS = 10_000;

/** @param folder the bundles, `runtimeProcess.js` among them */
export function createRuntimeHost(folder: string, native = true): RuntimeHost {
  const all = new Set<RuntimeProcess>();
  let idle: { readonly own: RuntimeProcess; readonly timer: ReturnType<typeof setTimeout> } | undefined;
  let known: Pick<Runtime, 'name' | 'limits'> | undefined;
  // Loading it here runs nothing yet.
  const facts = () => (known ??= loadRuntime(folder, native));

  function take(): RuntimeProcess {
    const waiting = idle;
    idle = undefined;
    if (waiting) clearTimeout(waiting.timer);
    if (waiting?.own.alive()) {
      waiting.own.keepAlive(true);
      return waiting.own;
    }
    const own = startRuntime(join(folder, 'runtimeProcess.js'), native, () => all.delete(own));
    all.add(own);
    return own;
  }

  function give(own: RuntimeProcess): void {
    if (idle || !own.alive()) {
      own.kill();
      return;
    }
    own.keepAlive(false);
    const timer = setTimeout(() => own.kill(), IDLE_MS);
    // Where timers keep a program from ending, this one does not.
    (timer as { unref?(): void }).unref?.();
    idle = { own, timer };
  }

  return {
    lease(signal) {
      let own: RuntimeProcess | undefined;
      let open = 0;
      const abort = () => {
        own?.kill();
        own = undefined;
      };
      // Many listen to the signal of a call.
      if (signal) expectManyListeners(signal);
      signal?.addEventListener('abort', abort, { once: true });

      /** Asks the process; what is aborted need not wait until it has ended. */
      const ask = <T>(asked: RuntimeProcess, what: string, answer: Promise<T>): Promise<T> =>
        untilAborted(
          answer.catch((error: unknown) => {
            if (asked.alive() || error instanceof ModelError) throw error;
            const code = asked.end() === KILLED ? 'engine-stopped' : 'runtime-failed';
            throw new ModelError(code, `ONNX Runtime stopped (${asked.end()}) while it ${what}.`);
          }),
          signal,
        );

      return {
        get name() {
          return facts().name;
        },
        get limits() {
          return facts().limits;
        },
        async open(path, externalFiles, bytes, data = []) {
          signal?.throwIfAborted();
          if (!own?.alive()) own = take();
          const { remote } = own;
          const used = own;
          const request = { path, externalFiles, ...packModel(path, externalFiles, bytes, data) };
          const { id, inputNames } = await ask(used, `loaded ${path}`, remote.open(request));
          open++;
          let isOpen = true;
          return {
            inputNames,
            run: (inputs) => ask(used, `ran ${path}`, remote.run({ id, inputs })),
            time: (inputs) => ask(used, `ran ${path}`, remote.time({ id, inputs })),
            async release() {
              if (!isOpen) return;
              isOpen = false;
              open--;
              // A process that has ended has released everything.
              if (used.alive()) await ask(used, `released ${path}`, remote.release({ id })).catch(() => {});
            },
          };
        },
        end() {
          signal?.removeEventListener('abort', abort);
          if (own && open === 0) give(own);
          else own?.kill();
          own = undefined;
        },
      };
    },
    close() {
      if (idle) clearTimeout(idle.timer);
      idle = undefined;
      for (const own of all) own.kill();
    },
  };
}

/** The end of a process that was not its own doing. */
const KILLED = 'it was ended';

interface RuntimeProcess {
  readonly remote: RuntimeService;
  alive(): boolean;
  /** How it ended. */
  end(): string;
  kill(): void;
  /** Whether it keeps the program from ending. */
  keepAlive(wanted: boolean): void;
}

function startRuntime(script: string, native: boolean, onEnd: () => void): RuntimeProcess {
  let alive = true;
  let how = 'it never started';
  let receive: (message: RpcMessage) => void = () => {};
  const stopped = (reason: string | ModelError) => {
    if (!alive) return;
    alive = false;
    how = typeof reason === 'string' ? reason : reason.message;
    onEnd();
    client.fail(typeof reason === 'string' ? new Error(reason) : reason);
  };
  const own = startProcess<RpcMessage>(script, native ? 'native' : 'web', {
    onMessage: (message) => receive(message),
    onEnd: stopped,
  });
  const client = connect<RuntimeService>(RUNTIME_METHODS, {
    post: own.post,
    onMessage(listen) {
      receive = listen;
    },
  });
  return {
    remote: client.remote,
    alive: () => alive,
    end: () => how,
    keepAlive: own.keepAlive,
    kill() {
      own.kill();
      stopped(KILLED);
    },
  };
}
