import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { createKept } from '../../src/worker/calibrate/kept';
import type { Progress } from '../../src/worker/engine';
import { createCheckedSession } from '../support/checkedSession';
import { npyFile } from '../support/npyFile';
import { encodeModel, floatTensor, seededArray } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

/** What was measured on calibration data, kept for the next call. */

const folder = path.resolve('dist');
const session = createCheckedSession({ folder, threadScript: path.join(folder, 'factorThread.js') });
after(() => session.close());

describe('what is kept', () => {
  const one = (value: number, bytes: number) => ({ value, bytes });
  const bytesOf = ({ bytes }: { bytes: number }) => bytes;

  it('is made once, up to so many bytes, those asked for last', async () => {
    const kept = createKept(10);
    let made = 0;
    const get = async (key: string, bytes = 4) => {
      const { value } = await kept.get(key, async () => one(++made, bytes), bytesOf);
      return value;
    };
    assert.deepEqual([await get('a'), await get('b'), await get('a')], [1, 2, 1]);
    // Room for two: the one that was asked for longest ago goes.
    assert.deepEqual([await get('c'), await get('a'), await get('b')], [3, 1, 4]);
    assert.deepEqual([await get('huge', 11), await get('huge', 11)], [5, 6]);
    assert.equal(await get('b'), 4);
  });

  it('holds nothing that failed', async () => {
    const kept = createKept(10);
    await assert.rejects(
      kept.get(
        'a',
        () => Promise.reject(new Error('no')),
        () => 1,
      ),
      /no/,
    );
    assert.deepEqual(await kept.get('a', async () => one(1, 1), bytesOf), one(1, 1));
  });
});

describe('planning on calibration data again', () => {
  const model = (seed: number) =>
    encodeModel({
      nodes: [
        { op: 'Gemm', name: 'f1', inputs: ['x', 'w1'], outputs: ['a'] },
        { op: 'Tanh', name: 't', inputs: ['a'], outputs: ['b'] },
        { op: 'Gemm', name: 'f2', inputs: ['b', 'w2'], outputs: ['y'] },
      ],
      inputs: { x: ['N', 32] },
      outputs: { y: null },
      initializers: [
        floatTensor('w1', [32, 40], seededArray(32 * 40, seed)),
        floatTensor('w2', [40, 24], seededArray(40 * 24, 2)),
      ],
    });
  const data = (seed: number) => npyFile('<f4', [64, 32], seededArray(64 * 32, seed));

  it('measures only what has changed, and plans the same', async () => {
    const home = scratchFolder();
    const files = { path: writeInto(home, 'm.onnx', model(1)), data: writeInto(home, 'd.npy', data(3)) };
    const plan = async (share: number) => {
      let measured = 0;
      const onProgress = ({ phase }: Progress) => {
        if (phase === 'measure') measured++;
      };
      const { plan: made } = await session.plan(
        {
          path: files.path,
          target: { kind: 'parameters', share },
          method: 'auto',
          multiple: 1,
          calibration: { path: files.data },
        },
        { onProgress },
      );
      return { layers: made.layers, isMeasured: measured > 0 };
    };
    const first = await plan(0.5);
    assert.ok(first.isMeasured);
    const again = await plan(0.5);
    assert.deepEqual(again, { layers: first.layers, isMeasured: false });
    const other = await plan(0.3);
    assert.ok(!other.isMeasured);
    assert.notDeepEqual(other.layers, first.layers);
    // The same names with other content are others.
    writeFileSync(files.data, data(4));
    assert.ok((await plan(0.5)).isMeasured);
    writeFileSync(files.path, model(5));
    assert.ok((await plan(0.5)).isMeasured);
  });
});
