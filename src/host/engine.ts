import * as vscode from 'vscode';
import { counted } from '../core/counted';
import { ModelError } from '../core/onnx/modelError';
import { type CallOptions, ENGINE_METHODS, type Engine } from '../worker/engine';
import { connect, type RpcClient } from '../worker/rpc';
import { fileUri } from './enginePath';
import { type EngineThread, startEngineThread } from './engineThread';
import { onDisk } from './onDisk';

/** The engine in its worker thread. The thread starts with the first call, and again with the first after it stopped. */
export interface EngineHost extends vscode.Disposable {
  readonly engine: Engine;
  /** Ends the thread; calls under way reject, the next call starts another. */
  stop(): Promise<void>;
}

interface Running {
  readonly thread: EngineThread;
  readonly client: RpcClient<Engine>;
}

/** @param extension the extension's folder */
export function createEngineHost(
  extension: vscode.Uri,
  log: vscode.LogOutputChannel,
  storage: vscode.Uri,
): EngineHost {
  let running: Running | undefined;

  function start(): Running {
    const thread = startEngineThread(extension, log, storage);
    const client = connect<Engine>(ENGINE_METHODS, thread.port);
    const started: Running = { thread, client };
    const end = (why: string | ModelError) => {
      const refusal = typeof why === 'string' ? new ModelError('engine-stopped', stopped(why)) : why;
      if (running === started) {
        running = undefined;
        log.info(`The engine stopped: ${refusal.message}`);
      }
      client.fail(refusal);
    };
    thread.onEnd(end);
    log.info('The engine started.');
    return started;
  }

  /** A call like those of the engine, with what it was, on what and for how long in the log. */
  const call =
    (method: keyof Engine) =>
    async (request: never, options?: CallOptions): Promise<unknown> => {
      refuseAddress(request);
      running ??= start();
      const started = performance.now();
      // Reviews follow the keyboard, explanations the mouse.
      const isFrequent = method === 'review' || method === 'explain';
      const note = (line: string) => (isFrequent ? log.debug(line) : log.info(line));
      const end = (how: string) =>
        note(`${method} ${how} after ${((performance.now() - started) / 1000).toFixed(2)} s`);
      note(`${method} ${JSON.stringify(request, withoutLayers)}`);
      const answer = running.client.remote[method](request, options);
      answer.then(
        (result) => end(`done${enginesOf(result)}`),
        (error: Error) => end(`${error.name === 'AbortError' ? 'cancelled' : 'ended'}: ${error.message}`),
      );
      return answer;
    };

  const stop = async () => {
    await running?.thread.terminate();
  };
  return {
    engine: Object.fromEntries(ENGINE_METHODS.map((method) => [method, call(method)])) as unknown as Engine,
    stop,
    dispose: () => void stop(),
  };
}

/** What computed and measured, where a result tells. */
function enginesOf(result: unknown): string {
  const { engine, factoredWith } = result as { readonly engine?: string; readonly factoredWith?: string };
  const names = [factoredWith, engine].filter((name) => name !== undefined);
  return names.length > 0 ? ` with ${names.join(' and ')}` : '';
}

/** A plan may have thousands of layers. */
function withoutLayers(key: string, value: unknown): unknown {
  return key === 'layers' && Array.isArray(value) ? counted(value.length, 'layer') : value;
}

function stopped(why: string): string {
  return vscode.l10n.t('The engine stopped ({0}); it will be started again when it is needed.', why);
}

/** A file elsewhere would be reported as missing. */
function refuseAddress({ path }: { readonly path?: string }): void {
  if (path !== undefined) onDisk(fileUri(path));
}
