import { Worker } from 'node:worker_threads';

/** Watches resident memory from a thread of its own, as the one that is watched may be busy. */
export interface MemorySampler {
  /**
   * The most since the last call in bytes, all processes that this one started included, and their share of it; those only
   * on Linux.
   */
  peak(): { readonly all: number; readonly children: number };
  stop(): Promise<unknown>;
}

/** Looks every 20 ms. */
export function startMemorySampler(): MemorySampler {
  const shared = new SharedArrayBuffer(16);
  const most = new BigInt64Array(shared);
  const worker = new Worker(
    `const { readFileSync, readdirSync } = require('node:fs');
     const { workerData } = require('node:worker_threads');
     const most = new BigInt64Array(workerData);
     const children = (pid) => {
       try {
         return readdirSync('/proc/' + pid + '/task').flatMap((task) =>
           readFileSync('/proc/' + pid + '/task/' + task + '/children', 'utf8').split(' ').filter(Boolean));
       } catch { return []; }
     };
     const resident = (pid) => {
       try { return 4096 * Number(readFileSync('/proc/' + pid + '/statm', 'utf8').split(' ')[1]); } catch { return 0; }
     };
     const below = (pid) => children(pid).reduce((sum, child) => sum + resident(child) + below(child), 0);
     setInterval(() => {
       const others = process.platform === 'linux' ? below(process.pid) : 0;
       const now = BigInt(process.memoryUsage.rss() + others);
       if (now <= Atomics.load(most, 0)) return;
       Atomics.store(most, 0, now);
       Atomics.store(most, 1, BigInt(others));
     }, 20);`,
    { eval: true, workerData: shared },
  );
  worker.unref();
  return {
    peak() {
      const children = Number(Atomics.load(most, 1));
      return { all: Number(Atomics.exchange(most, 0, 0n)), children };
    },
    stop: () => worker.terminate(),
  };
}
