import assert from 'node:assert/strict';
import path from 'node:path';
import type { CompressionReport } from '../../src/core/compress/report';
import type { CompressRequest } from '../../src/worker/engine';
import { loadRuntime, type Runtime } from '../../src/worker/runtime';
import { createSession, type SessionOptions } from '../../src/worker/session';
import { sameFigures } from './sameFigures';
import { verifyRequest } from './verifyRequest';

/**
 * Holds a written file against its report: a session that knows nothing of how it was made loads it in ONNX Runtime, runs it
 * beside the original on what the report says it was run on, and has to come to the same figures.
 */
export async function checkWritten(
  request: CompressRequest,
  report: CompressionReport,
  { nativeRuntime = true, limits = {} }: Pick<SessionOptions, 'nativeRuntime' | 'limits'> = {},
): Promise<void> {
  const fresh = createSession({ folder, threadScript, runtime: untimed(nativeRuntime), limits });
  try {
    assert.equal(path.resolve(report.compressed.file), path.resolve(request.output));
    sameFigures(await fresh.verify(verifyRequest(request)), report);
  } finally {
    await fresh.close();
  }
}

const folder = path.resolve('dist');
const threadScript = path.join(folder, 'factorThread.js');
const runtimes = new Map<boolean, Runtime>();

/** ONNX Runtime in this process, which says of all runs that they take the same time, so that none is run for its time. */
function untimed(native: boolean): Runtime {
  const real = runtimes.get(native) ?? loadRuntime(folder, native);
  runtimes.set(native, real);
  return {
    ...real,
    open: async (...model) => ({ ...(await real.open(...model)), time: async () => 1000 }),
  };
}
