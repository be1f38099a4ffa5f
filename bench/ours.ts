import path from 'node:path';
import { createPool } from '../src/worker/pool';
import type { OwnProcess } from './child';
import { jobOf } from './factorJobs';
import type { BenchLayer } from './layers';

/** What a child process is to factor. */
export interface OurRequest {
  readonly weights: string;
  readonly layers: readonly BenchLayer[];
  readonly threads: number;
}

/** Wall time from handing over the first job to the last result. */
export type OurRun = OwnProcess & { readonly seconds: number };

/**
 * What the child does: all layers of the set, in their order, through the pool that the product uses. Its time holds
 * more than the peers': the weights are read from the file, the factors rounded and encoded, their error measured.
 */
export async function runOurs({ weights, layers, threads }: OurRequest): Promise<{ seconds: number }> {
  const pool = createPool(path.resolve('dist/factorThread.js'), threads);
  try {
    // Threads start and compile before the clock does, as the peers' libraries do.
    const dims = [256, 256];
    const warmUp = jobOf({ dims, offset: 0, rows: 256, cols: 256, rank: 64 }, weights);
    await Promise.all(Array.from({ length: threads }, () => pool.run(warmUp)));
    const start = performance.now();
    await Promise.all(layers.map((layer) => pool.run(jobOf(layer, weights))));
    return { seconds: (performance.now() - start) / 1000 };
  } finally {
    await pool.close();
  }
}
