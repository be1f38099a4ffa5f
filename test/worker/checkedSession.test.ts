import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import type { CompressionReport } from '../../src/core/compress/report';
import { createCheckedSession } from '../support/checkedSession';
import { checkWritten } from '../support/checkWritten';
import { encodeModel, floatTensor, seededArray } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

/** What looks at every file that tests let `compress` write: that it sees what is wrong, and that nothing goes past it. */

const folder = path.resolve('dist');
const session = createCheckedSession({ folder, threadScript: path.join(folder, 'factorThread.js') });
after(() => session.close());

describe('the look at a written file', () => {
  const source = writeInto(
    scratchFolder(),
    'model.onnx',
    encodeModel({
      nodes: [{ op: 'Gemm', name: 'layer', inputs: ['x', 'w'], outputs: ['y'] }],
      inputs: { x: ['N', 32] },
      outputs: { y: null },
      initializers: [floatTensor('w', [32, 24], seededArray(32 * 24, 1))],
    }),
  );
  const output = path.join(path.dirname(source), 'small.onnx');
  const request = {
    path: source,
    output,
    target: { kind: 'rank', rank: 4 },
    method: 'auto',
    overwrite: true,
    allowSlower: true,
    seed: 7,
    dims: { N: 3 },
  } as const;

  it('takes the same input, whatever its seed and sizes, and sees another figure or another file', async () => {
    const report = await session.compress(request);
    assert.match(report.inputs, /seed 7; x: 3 × 32/);
    const { outputError } = report;
    const claims: readonly (readonly [Partial<CompressionReport>, RegExp])[] = [
      [{ outputError: { ...outputError, relative: 1.001 * outputError.relative } }, /relative of the output/],
      [{ compressed: { ...report.compressed, parameters: report.compressed.parameters - 1 } }, /small\.onnx/],
      [{ accuracy: { before: 1, after: 1, samples: 8, labels: 'l.npy' } }, /small\.onnx/],
      [{ decisions: { kept: 3, count: 3, samples: 3, shape: 'one' } }, /small\.onnx/],
      [{ onFitted: { outputError } }, /small\.onnx/],
    ];
    for (const [claim, message] of claims) {
      await assert.rejects(checkWritten(request, { ...report, ...claim }), { message });
    }
    await assert.rejects(checkWritten({ ...request, seed: 8 }, report), /relative of the output/);
    const bytes = readFileSync(output);
    const middle = bytes.length >> 1;
    // A file that ends too early, and one with some of its factors a good deal larger or smaller.
    for (const damaged of [
      bytes.subarray(0, bytes.length - 9),
      bytes.map((byte, i) => (i >= middle && i < middle + 32 ? byte ^ 64 : byte)),
    ]) {
      writeFileSync(output, damaged);
      await assert.rejects(checkWritten(request, report));
    }
  });
});

describe('what tests write', () => {
  /** How a file can come about, and the files of test/ that may ask for it: they look at what was written. */
  const doors: readonly (readonly [what: RegExp, files: readonly string[]])[] = [
    [
      /worker\/session'/,
      // The last has files in memory only, which no other session sees: it looks at them itself.
      ['support/checkedSession.ts', 'support/checkWritten.ts', 'worker/memoryEngine.web.test.ts'],
    ],
    [/\bcompressModel\(/, []],
    // What these start by themselves is stopped on the way, or held against the bytes of what was looked at.
    [/dist\/cli\.js|[^\w.]CLI\b/, ['support/cli.ts', 'cli/cli.test.ts']],
    [/tools\.compress\.invoke/, ['host/languageModel.test.ts']],
    [/'ranksmith\.compressModel'/, ['host/compressing.ts', 'host/plans/lenses.test.ts']],
  ];
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll(path.sep, '/'))
    .filter((file) => file.endsWith('.ts') && file !== 'worker/checkedSession.test.ts');

  for (const [what, allowed] of doors) {
    it(`goes through ${allowed.join(' or ') || 'no other door'}: ${what}`, () => {
      const found = files.filter((file) => what.test(readFileSync(path.join('test', file), 'utf8')));
      assert.deepEqual(found.sort(), [...allowed].sort());
    });
  }
});
