import type { FactorJob } from '../factorJob';
import { openFile } from '../fileSource';

/** A job as it is sent to a thread: here with the bytes of its weight, as threads have no files. Throws ModelErrors. */
export function packJob(job: FactorJob): FactorJob {
  const { weight } = job;
  if (weight.kind !== 'file') return job;
  const file = openFile(weight.path);
  try {
    return { ...job, weight: { kind: 'bytes', bytes: file.read(weight.offset, weight.length) } };
  } finally {
    file.close();
  }
}
