import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { createPool } from '../src/worker/pool';
import { jobOf } from './factorJobs';
import type { BenchLayer } from './layers';

/** What a child process is to factor, by its argument. */
interface Request {
  readonly weights: string;
  readonly layers: readonly BenchLayer[];
  readonly threads: number;
}

export interface OurRun {
  /** Wall time from handing over the first job to the last result. */
  readonly seconds: number;
  /** Peak resident memory of the process, its threads and their heaps included. */
  readonly rssMb: number;
  /** Processor time of the whole process. */
  readonly cpuSeconds: number;
}

/** The first argument of a process that is {@link runOurs}. */
export const OURS = 'ours';

/** One run of our pool in a process of its own, as the peers have theirs. */
export async function askOurs(request: Request): Promise<OurRun> {
  const argument = JSON.stringify(request);
  const { stdout } = await promisify(execFile)(process.execPath, [process.argv[1]!, OURS, argument]);
  return JSON.parse(stdout) as OurRun;
}

/**
 * What the child does: all layers of the set, in their order, through the pool that the product uses. Its time holds
 * more than the peers': the weights are read from the file, the factors rounded and encoded, their error measured.
 */
export async function runOurs(argument: string): Promise<void> {
  const { weights, layers, threads } = JSON.parse(argument) as Request;
  const pool = createPool(path.resolve('dist/factorThread.js'), threads);
  try {
    // Threads start and compile before the clock does, as the peers' libraries do.
    const dims = [256, 256];
    const warmUp = jobOf({ dims, offset: 0, rows: 256, cols: 256, rank: 64 }, weights);
    await Promise.all(Array.from({ length: threads }, () => pool.run(warmUp)));
    const start = performance.now();
    await Promise.all(layers.map((layer) => pool.run(jobOf(layer, weights))));
    const seconds = (performance.now() - start) / 1000;
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
    const run: OurRun = { seconds, rssMb: maxRSS / 1024, cpuSeconds };
    console.log(JSON.stringify(run));
  } finally {
    await pool.close();
  }
}
