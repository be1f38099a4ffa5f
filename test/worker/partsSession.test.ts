import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import type { CompressRequest, Progress } from '../../src/worker/engine';
import { createCheckedSession } from '../support/checkedSession';
import { npyFile } from '../support/npyFile';
import { encodeModel, seededArray } from '../support/onnxModel';
import { residualNet } from '../support/residualNet';
import { sameFigures } from '../support/sameFigures';
import { scratchFolder, scratchSample, writeInto } from '../support/scratch';
import { verifyRequest } from '../support/verifyRequest';

/** Compressing what the runtime has no room for: measured in parts, the figures are those of the whole. */

const folder = path.resolve('dist');
const threadScript = path.join(folder, 'factorThread.js');
const whole = createCheckedSession({ folder, threadScript });
after(() => whole.close());

const inParts = (part: number, nativeRuntime: boolean) =>
  createCheckedSession({
    folder,
    threadScript,
    nativeRuntime,
    limits: { parts: { whole: 0, part, largest: 10 * part } },
  });

const ENGINE = /^ONNX Runtime .*, in parts \((\d+), (\d+)\), times are sums of theirs$/;

/** With how many parts the two models were run. */
function partsIn(engine: string): readonly number[] {
  const found = ENGINE.exec(engine);
  assert.ok(found, engine);
  return [Number(found[1]), Number(found[2])];
}

const request = (input: string, more: Partial<CompressRequest> = {}): CompressRequest => ({
  path: input,
  output: path.join(path.dirname(input), 'small.onnx'),
  target: { kind: 'parameters', share: 0.5 },
  method: 'auto',
  overwrite: false,
  allowLarger: false,
  allowSlower: true,
  allowInaccurate: true,
  ...more,
});

describe('compressing a model in parts', () => {
  for (const native of [true, false]) {
    it(`reports the error of the whole model, ${native ? 'native' : 'in WebAssembly'}`, async () => {
      const session = inParts(2.6e6, native);
      try {
        const asked = request(scratchSample());
        const report = await session.compress(asked);
        const [before = 0, behind = 0] = partsIn(report.engine);
        assert.ok(before >= 3 && before <= 5 && behind >= 2 && behind < before, report.engine);
        assert.ok(report.outputError.relative > 0.001);
        assert.ok(report.original.ms! > 0 && report.compressed.ms! > 0);
        const fresh = await whole.verify(verifyRequest(asked));
        assert.ok(!ENGINE.test(fresh.engine));
        sameFigures(fresh, report);
      } finally {
        await session.close();
      }
    });
  }

  it('calibrates in parts too, to the same result', async () => {
    const compressed = async (session: typeof whole) => {
      const home = scratchFolder();
      const model = writeInto(home, 'model.onnx', encodeModel(residualNet()));
      const pictures = npyFile('<f4', [40, 3, 12, 12], seededArray(40 * 3 * 144, 3));
      const calibration = { path: writeInto(home, 'data.npy', pictures) };
      return session.compress(request(model, { calibration }));
    };
    const session = inParts(45_000, true);
    try {
      const [parted, expected] = [await compressed(session), await compressed(whole)];
      assert.ok(partsIn(parted.engine)[0]! >= 3);
      const ranks = ({ layers }: typeof parted) =>
        layers.map(({ name, method, ranks }) => [name, method, ranks]);
      assert.deepEqual(ranks(parted), ranks(expected));
      const [one, other] = [parted.outputError.relative, expected.outputError.relative];
      assert.ok(Math.abs(one - other) < 1e-3 * other, `${one} and ${other}`);
    } finally {
      await session.close();
    }
  });

  it('is cancelled while it runs, and leaves no file', async () => {
    const session = inParts(2.6e6, true);
    const abort = new AbortController();
    const enough = new DOMException('Enough.', 'AbortError');
    const asked = request(scratchSample());
    const onProgress = ({ phase, done }: Progress) => {
      if (phase === 'verify' && done > 0.8) abort.abort(enough);
    };
    try {
      await assert.rejects(session.compress(asked, { signal: abort.signal, onProgress }), enough);
      assert.deepEqual(readdirSync(path.dirname(asked.path)), [path.basename(asked.path)]);
      await session.compress(asked);
    } finally {
      await session.close();
    }
  });

  it('says before it does anything else that a layer is too large', async () => {
    const session = createCheckedSession({
      folder,
      threadScript,
      limits: { parts: { whole: 1000, part: 1000, largest: 1000 } },
    });
    const phases: string[] = [];
    const onProgress = ({ phase }: Progress) => phases.push(phase);
    try {
      const asked = request(scratchSample());
      await assert.rejects(session.compress(asked, { onProgress }), { code: 'too-large' });
      assert.deepEqual(phases, []);
    } finally {
      await session.close();
    }
  });
});
