import { ModelError, type ModelErrorCode } from '../core/onnx/modelError';

/** What the two ends of a connection say to each other. */
export type RpcMessage =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'ok'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: unknown };

/** An error as it travels: expected refusals keep their code, bugs their stack. */
interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
}

/** Anything messages can be sent through: a worker, its parent port, a webview. */
export interface RpcPort {
  post(message: RpcMessage): void;
  /** Replaces the receiver. */
  onMessage(receive: (message: RpcMessage) => void): void;
}

/** How a call reports and how it is stopped. */
interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: never) => void;
}

/** An interface rpc can carry: every method takes one plain request and options, and returns a promise. */
type Remote<T> = { readonly [K in keyof T]: (request: never, options?: never) => Promise<unknown> };

/** Serves `target` on a port: each call runs its method, with progress and cancellation carried over. */
export function serve<T extends Remote<T>>(
  target: T,
  methods: readonly (keyof T & string)[],
  port: RpcPort,
): void {
  const running = new Map<number, AbortController>();
  port.onMessage(async (message) => {
    if (message.kind === 'cancel') {
      running.get(message.id)?.abort(new DOMException('The call was cancelled.', 'AbortError'));
      return;
    }
    if (message.kind !== 'call') return;
    const { id, params } = message;
    const abort = new AbortController();
    running.set(id, abort);
    try {
      const method = methods.find((name) => name === message.method);
      if (!method) throw new Error(`There is no method "${message.method}".`);
      const onProgress = (progress: unknown) => port.post({ kind: 'progress', id, progress });
      const result = await target[method](params as never, { signal: abort.signal, onProgress } as never);
      port.post({ kind: 'ok', id, result });
    } catch (error) {
      port.post({ kind: 'error', id, error: toWire(error) });
    } finally {
      running.delete(id);
    }
  });
}

/** The calling end of a connection. */
export interface RpcClient<T> {
  readonly remote: T;
  /** Rejects all pending and all later calls: the other end is gone. */
  fail(error: Error): void;
}

/** Makes `methods` callable through a port. */
export function connect<T extends Remote<T>>(
  methods: readonly (keyof T & string)[],
  port: RpcPort,
): RpcClient<T> {
  interface Pending {
    resolve(result: unknown): void;
    reject(error: unknown): void;
    readonly onProgress: ((progress: never) => void) | undefined;
  }
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let broken: Error | undefined;

  port.onMessage((message) => {
    if (message.kind === 'call' || message.kind === 'cancel') return;
    const call = pending.get(message.id);
    if (!call) return;
    if (message.kind === 'progress') {
      call.onProgress?.(message.progress as never);
      return;
    }
    pending.delete(message.id);
    if (message.kind === 'ok') call.resolve(message.result);
    else call.reject(fromWire(message.error));
  });

  const call = (
    method: string,
    params: unknown,
    { signal, onProgress }: CallOptions = {},
  ): Promise<unknown> => {
    if (broken) return Promise.reject(broken);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = nextId++;
    return new Promise((resolve, reject) => {
      const cancel = () => port.post({ kind: 'cancel', id });
      const settled =
        <A>(then: (value: A) => void) =>
        (value: A) => {
          signal?.removeEventListener('abort', cancel);
          then(value);
        };
      pending.set(id, { resolve: settled(resolve), reject: settled(reject), onProgress });
      signal?.addEventListener('abort', cancel, { once: true });
      port.post({ kind: 'call', id, method, params });
    });
  };

  const remote = Object.fromEntries(
    methods.map((method) => [
      method,
      (params: unknown, options?: CallOptions) => call(method, params, options),
    ]),
  ) as unknown as T;
  return {
    remote,
    fail(error) {
      broken = error;
      for (const { reject } of pending.values()) reject(error);
      pending.clear();
    },
  };
}

function toWire(error: unknown): WireError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  if (error instanceof ModelError) return { name, message, code: error.code };
  return { name, message, ...(stack ? { stack } : {}) };
}

function fromWire({ name, message, code, stack }: WireError): Error {
  if (name === 'ModelError') return new ModelError(code as ModelErrorCode, message);
  if (name === 'AbortError') return new DOMException(message, 'AbortError');
  const error = new Error(message);
  error.name = name;
  if (stack) error.stack = stack;
  return error;
}
