import type { FactorJob } from '../factorJob';

/** A job as it is sent to a thread: here as it is, as threads read files themselves. */
export function packJob(job: FactorJob): FactorJob {
  return job;
}
