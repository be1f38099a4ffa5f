import * as vscode from 'vscode';
import { type ModelError, reasonOf } from '../core/onnx/modelError';
import { type RpcMessage, serve } from '../worker/rpc';
import { HOST_FILES_METHODS, type HostFiles } from '../worker/web/hostFiles';
import { rpcPort, type WebPort } from '../worker/web/messagePort';
import type { EngineThread } from './engineThread';
import { createHostFiles, readOwn } from './web/hostFiles';

interface WebWorker extends WebPort {
  postMessage(message: unknown, handedOver?: readonly unknown[]): void;
  onerror: ((event: { readonly message?: string }) => void) | null;
  terminate(): void;
}
declare const Worker: new (script: string, options: { readonly name: string }) => WebWorker;

/** The engine is given its files by the host, of whatever kind they are. */
export const READS_ANYWHERE = true;

/** Starts the engine in a web worker, which reads and writes files through the host. */
export function startEngineThread(extension: vscode.Uri): EngineThread {
  const { port1, port2 } = new MessageChannel();
  serve<HostFiles>(createHostFiles(extension), HOST_FILES_METHODS, rpcPort(port1 as unknown as WebPort));
  const listeners: ((why: string | ModelError) => void)[] = [];
  const waiting: RpcMessage[] = [];
  let receive: (message: RpcMessage) => void = () => {};
  let worker: WebWorker | undefined;
  let hasEnded = false;

  const end = (why: string | ModelError) => {
    if (hasEnded) return;
    hasEnded = true;
    worker?.terminate();
    port1.close();
    for (const listener of listeners) listener(why);
  };

  const begin = async () => {
    const uri = vscode.Uri.joinPath(extension, 'dist', 'web', 'worker.js');
    const source = await readOwn(uri);
    if (hasEnded) return;
    // A worker's script has to come from the same origin: one made here does.
    const script = URL.createObjectURL(
      new Blob([source as Uint8Array<ArrayBuffer>], { type: 'text/javascript' }),
    );
    worker = new Worker(script, { name: 'Ranksmith' });
    worker.onmessage = ({ data }) => {
      URL.revokeObjectURL(script);
      receive(data);
    };
    worker.onerror = ({ message }) => end(message ?? vscode.l10n.t('its worker failed'));
    worker.postMessage({ files: port2 }, [port2]);
    for (const message of waiting.splice(0)) worker.postMessage(message);
  };
  begin().catch((error: Error) => end(reasonOf(error)));

  return {
    port: {
      post(message) {
        if (worker) worker.postMessage(message);
        else waiting.push(message);
      },
      onMessage(receiver) {
        receive = receiver;
      },
    },
    onEnd: (ended) => void listeners.push(ended),
    async terminate() {
      end(vscode.l10n.t('it was told to'));
    },
  };
}
