import { setMaxListeners } from 'node:events';

/** Says that many will listen to a signal, and that this is no leak. */
export function expectManyListeners(signal: AbortSignal): void {
  setMaxListeners(0, signal);
}
