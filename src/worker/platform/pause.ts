/** Lets what waits have its turn: messages, and among them a cancel. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
