import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { METHOD_IDS, type MethodId } from '../../src/core/compress/method';
import type { Target } from '../../src/core/compress/plan';
import type { CompressionReport } from '../../src/core/compress/report';
import { createCheckedSession } from '../support/checkedSession';
import { scratchSample } from '../support/scratch';

/** The whole way with every method: what the report says is what the written file holds, and it runs. */

const folder = path.resolve('dist');
const session = createCheckedSession({ folder, threadScript: path.join(folder, 'factorThread.js') });
after(() => session.close());

async function compress(method: MethodId, target: Target): Promise<CompressionReport> {
  const source = scratchSample();
  const output = path.join(path.dirname(source), 'small.onnx');
  return session.compress({ path: source, output, target, method, overwrite: false });
}

/** A rank at which the method saves something on the sample's layers. */
const rankOf = (method: MethodId) => (method === 'tr' ? 4 : method === 'dcf' ? 5 : 12);

for (const method of METHOD_IDS) {
  test(`${method}: the file holds what the report says, and computes with it`, async () => {
    const report = await compress(method, { kind: 'rank', rank: rankOf(method) });
    const factored = report.layers.filter((layer) => layer.ranks !== null);
    assert.ok(
      factored.some((layer) => layer.method === method),
      `${factored.map((layer) => layer.method)}`,
    );
    assert.ok(report.compressed.parameters < report.original.parameters);
    assert.ok(report.compressed.bytes < report.original.bytes);
    assert.ok(report.compressed.macs! < report.original.macs!);
    const analysis = await session.analyze({ path: report.compressed.file });
    assert.equal(analysis.parameters.stored, report.compressed.parameters);
    assert.equal(analysis.macs, report.compressed.macs);
    const saved = report.layers.reduce(
      (sum, { parameters }) => sum + parameters.before - parameters.after,
      0,
    );
    assert.equal(report.original.parameters - report.compressed.parameters, saved);
    for (const { weightError, energy } of factored) {
      assert.ok(weightError! > 0 && weightError! < 1);
      assert.ok(Math.abs(weightError! ** 2 + energy! - 1) < 1e-12, `${weightError} at ${energy}`);
    }
    assert.ok(report.outputError.relative > 0 && Number.isFinite(report.outputError.relative));
  });
}

test('a method that fits no layer is refused, with the reason, and leaves no file', async () => {
  await assert.rejects(compress('svd', { kind: 'rank', rank: 5000 }), { code: 'nothing-to-do' });
  const source = scratchSample();
  const output = path.join(path.dirname(source), 'small.onnx');
  const request = {
    path: source,
    output,
    target: { kind: 'rank', rank: 400 },
    method: 'tr',
    overwrite: false,
  } as const;
  await assert.rejects(session.compress(request), {
    code: 'nothing-to-do',
    message: /save nothing|no layer/,
  });
  assert.ok(!existsSync(output));
  assert.deepEqual(readdirSync(path.dirname(source)).length, 1);
});

test('a budget is met by every method that can say beforehand what it costs', async () => {
  for (const method of ['channel', 'input-channel', 'spatial', 'tucker2', 'tt', 'auto'] as const) {
    const source = scratchSample();
    const output = path.join(path.dirname(source), 'small.onnx');
    const target = { kind: 'macs', share: 0.7 } as const;
    const report = await session.compress({ path: source, output, target, method, overwrite: false });
    assert.ok(report.compressed.macs! <= 0.7 * report.original.macs!, method);
  }
});
