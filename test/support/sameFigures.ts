import assert from 'node:assert/strict';
import type { CompressionReport, OutputError, Verification } from '../../src/core/compress/report';

/** Figures of two runs on the same machine agree within this much of themselves, or this much. */
const AGREE = { relative: 1e-5, absolute: 1e-7 };

/** What a fresh look at a file says has to be what the report said. Times are another matter. */
export function sameFigures(fresh: Verification, report: CompressionReport): void {
  const { file } = report.compressed;
  sameErrors(fresh.outputError, report.outputError, file);
  assert.equal(fresh.onFitted === undefined, report.onFitted === undefined, file);
  if (report.onFitted) sameErrors(fresh.onFitted!.outputError, report.onFitted.outputError, file);
  assert.deepEqual(fresh.accuracy, report.accuracy, file);
  assert.deepEqual(fresh.decisions, report.decisions, file);
  assert.deepEqual(fresh.onFitted?.decisions, report.onFitted?.decisions, file);
  assert.equal(fresh.inputs, report.inputs, file);
  for (const side of ['original', 'compressed'] as const) {
    const [now, then] = [fresh[side], report[side]];
    assert.deepEqual([now.parameters, now.bytes], [then.parameters, then.bytes], file);
    // Sizes that only the data told are not known to `verify`.
    if (now.macs !== null) assert.equal(now.macs, then.macs, file);
  }
}

function sameErrors(fresh: OutputError, reported: OutputError, file: string): void {
  for (const figure of ['relative', 'cosine', 'max'] as const) {
    const [now, then] = [fresh[figure], reported[figure]];
    const apart = Math.abs(now - then);
    assert.ok(
      apart <= AGREE.absolute + AGREE.relative * Math.abs(then),
      `${file}: ${figure} of the output error is ${now}, and was reported as ${then}`,
    );
  }
}
