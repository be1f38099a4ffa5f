import { type ModelError, reasonOf } from '../../core/onnx/modelError';
import { extensionFile } from './extensionFiles';
import type { WebPort } from './messagePort';

interface WebWorker extends WebPort {
  onerror: ((event: { readonly message?: string }) => void) | null;
  terminate(): void;
}
declare const Worker: new (script: string) => WebWorker;

/** What is to run in a worker of its own. */
export interface Nested<M> {
  /** Its script, by its path inside dist. Its first message is taken as the sign that it is ready. */
  readonly script: string;
  /** What it is told first. */
  readonly first: unknown;
  /** Does the same in this worker, where others are not to be had; then this one answers nobody meanwhile. */
  here(port: WebPort): void;
  onMessage(message: M): void;
  /** It ended of itself, for a reason. */
  onEnd(why: string | ModelError): void;
}

/** A worker inside this one. */
export interface NestedWorker {
  /** Waits until the worker is ready: what was handed over can't be sent to another. */
  post(message: unknown, handedOver: readonly ArrayBuffer[]): void;
  /** Ends it; nothing more is heard of it. One that runs here can't be stopped in the middle. */
  end(): void;
}

/** Starts a worker inside this one. */
export function startNested<M>({ script, first, here, onMessage, onEnd }: Nested<M>): NestedWorker {
  const waiting: (readonly [unknown, readonly ArrayBuffer[]])[] = [];
  let port: WebPort | undefined;
  let worker: WebWorker | undefined;
  let isReady = false;
  let hasEnded = false;

  const receive = ({ data }: { readonly data: never }) => {
    if (hasEnded) return;
    onMessage(data);
    if (isReady) return;
    isReady = true;
    for (const [message, handedOver] of waiting.splice(0)) port?.postMessage(message, handedOver);
  };
  const end = () => {
    hasEnded = true;
    worker?.terminate();
    if (port) port.onmessage = null;
    port?.close?.();
  };
  const fail = (why: string | ModelError) => {
    if (hasEnded) return;
    end();
    onEnd(why);
  };
  const serveHere = () => {
    const channel = new MessageChannel() as unknown as { readonly port1: WebPort; readonly port2: WebPort };
    port = channel.port1;
    port.onmessage = receive;
    here(channel.port2);
  };
  const serveThere = (source: Uint8Array) => {
    const text = new Blob([source as Uint8Array<ArrayBuffer>], { type: 'text/javascript' });
    const address = URL.createObjectURL(text);
    worker = new Worker(address);
    port = worker;
    worker.onmessage = (event) => {
      // It runs: nobody reads its script again.
      if (!isReady) URL.revokeObjectURL(address);
      receive(event);
    };
    worker.onerror = ({ message }) => {
      if (isReady) return fail(message ?? 'for no reason it told');
      worker?.terminate();
      worker = undefined;
      serveHere();
    };
    worker.postMessage(first);
  };

  extensionFile(script)
    .then((source) => {
      if (hasEnded) return;
      try {
        serveThere(source);
      } catch {
        serveHere();
      }
    })
    .catch((error: Error) => fail(reasonOf(error)));

  return {
    post(message, handedOver) {
      if (isReady) port?.postMessage(message, handedOver);
      else waiting.push([message, handedOver]);
    },
    end,
  };
}
