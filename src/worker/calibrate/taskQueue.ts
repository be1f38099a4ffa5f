/** Things that are under way side by side, a bounded number of them. */
export interface TaskQueue {
  /** Starts one; resolves when there is room for the next. Rejects with the first error of any of them. */
  add(run: () => Promise<void>): Promise<void>;
  /** Waits for all of them, whatever becomes of them; then throws the first error. */
  settle(): Promise<void>;
}

/** A queue of at most `width` tasks. Call `settle` however things end. */
export function createTaskQueue(width: number): TaskQueue {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const check = () => {
    if (failures.length > 0) throw failures[0];
  };
  return {
    async add(run) {
      check();
      const task: Promise<void> = run()
        .catch((error: unknown) => void failures.push(error))
        .finally(() => void running.delete(task));
      running.add(task);
      while (running.size >= width && failures.length === 0) await Promise.race(running);
      check();
    },
    async settle() {
      await Promise.all(running);
      check();
    },
  };
}
