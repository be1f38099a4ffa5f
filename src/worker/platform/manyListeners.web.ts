/** Browsers don't count. */
export function expectManyListeners(_signal: AbortSignal): void {}
