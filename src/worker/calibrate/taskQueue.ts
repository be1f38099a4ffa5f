/** Things that are under way side by side, a bounded number of them. */
export interface TaskQueue {
  /**
   * Starts one that holds so many bytes; resolves when there is room for the next. Rejects with the first error of any of
   * them.
   */
  add(bytes: number, run: () => Promise<void>): Promise<void>;
  /** Waits for all of them, whatever becomes of them; then throws the first error. */
  settle(): Promise<void>;
}

/** A queue of at most `width` tasks, and of no more once they hold `most` bytes. Call `settle` however things end. */
export function createTaskQueue(width: number, most = 128 * 2 ** 20): TaskQueue {
  const running = new Set<Promise<void>>();
  let held = 0;
  const failures: unknown[] = [];
  const check = () => {
    if (failures.length > 0) throw failures[0];
  };
  return {
    async add(bytes, run) {
      check();
      held += bytes;
      const task: Promise<void> = run()
        .catch((error: unknown) => void failures.push(error))
        .finally(() => {
          running.delete(task);
          held -= bytes;
        });
      running.add(task);
      const isFull = () => running.size >= width || (running.size > 0 && held > most);
      while (isFull() && failures.length === 0) await Promise.race(running);
      check();
    },
    async settle() {
      await Promise.all(running);
      check();
    },
  };
}
