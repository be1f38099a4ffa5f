import type { RpcMessage, RpcPort } from '../rpc';

/** What messages are posted to in a browser: a worker, its scope, one end of a channel. */
export interface WebPort {
  postMessage(message: unknown, handedOver?: readonly ArrayBufferLike[]): void;
  onmessage: ((event: { readonly data: never }) => void) | null;
  /** Of the ends of channels. */
  close?(): void;
}

/** Such a port for rpc. The bytes of files go from one side to the other, they are not copied. */
export function rpcPort(port: WebPort): RpcPort {
  return {
    post: (message) => port.postMessage(message, handedOver(message)),
    onMessage(receive) {
      port.onmessage = ({ data }) => receive(data as RpcMessage);
    },
  };
}

function handedOver(message: RpcMessage): readonly ArrayBufferLike[] {
  const carried =
    message.kind === 'ok' ? message.result : message.kind === 'call' ? message.params : undefined;
  const bytes = (carried as { readonly bytes?: unknown } | undefined)?.bytes;
  return bytes instanceof Uint8Array ? [bytes.buffer] : [];
}
