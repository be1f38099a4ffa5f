import path from 'node:path';
import { createPool } from '../src/worker/pool';
import { inOrderOfWork } from '../src/worker/runTask';
import type { OwnProcess } from './child';
import { jobOf } from './factorJobs';
import { type BenchLayer, operations } from './layers';

/** What a child process is to factor. */
export interface OurRequest {
  readonly weights: string;
  readonly layers: readonly BenchLayer[];
  readonly threads: number;
}

/** From handing over the first job to the last result. */
export interface OurTimes {
  /** Wall time. */
  readonly seconds: number;
  /** Processor time of all threads. */
  readonly processor: number;
}

export type OurRun = OwnProcess & OurTimes;

/**
 * What the child does: all layers of the set, as the product orders them, through the pool that it uses. Its time holds
 * more than the peers': the weights are read from the file, the factors rounded and encoded, their error measured.
 */
export async function runOurs({ weights, layers, threads }: OurRequest): Promise<OurTimes> {
  const pool = createPool(path.resolve('dist/factorThread.js'), threads);
  try {
    // Threads start and compile before the clock does, as the peers' libraries do.
    const dims = [256, 256];
    const warmUp = jobOf({ dims, offset: 0, rows: 256, cols: 256, rank: 64 }, weights);
    await Promise.all(Array.from({ length: threads }, () => pool.run(warmUp)));
    const [start, startCpu] = [performance.now(), process.cpuUsage()];
    await inOrderOfWork(layers.map(operations), (i) => pool.run(jobOf(layers[i]!, weights)));
    const { user, system } = process.cpuUsage(startCpu);
    return { seconds: (performance.now() - start) / 1000, processor: (user + system) / 1e6 };
  } finally {
    await pool.close();
  }
}
