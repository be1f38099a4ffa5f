import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { createCheckedSession } from '../support/checkedSession';
import { npyFile } from '../support/npyFile';
import { encodeModel, floatTensor, type ModelSpec, seededArray } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

/** A wish to cancel, whenever it comes. */

const folder = path.resolve('dist');
const COUNT = 32;

const conv = (name: string, x: string, y: string) => ({
  op: 'Conv',
  name,
  inputs: [x, `${name}.w`],
  outputs: [y],
  attributes: { pads: [1, 1, 1, 1] },
});

const MODEL: ModelSpec = {
  nodes: [
    conv('c1', 'x', 'a'),
    { op: 'Relu', name: 'r1', inputs: ['a'], outputs: ['b'] },
    conv('c2', 'b', 'c'),
    { op: 'Relu', name: 'r2', inputs: ['c'], outputs: ['d'] },
    conv('c3', 'd', 'y'),
  ],
  inputs: { x: ['N', 3, 8, 8] },
  outputs: { y: null },
  initializers: [
    floatTensor('c1.w', [16, 3, 3, 3], seededArray(16 * 27, 1)),
    floatTensor('c2.w', [16, 16, 3, 3], seededArray(16 * 144, 2)),
    floatTensor('c3.w', [16, 16, 3, 3], seededArray(16 * 144, 3)),
  ],
};

describe('cancelling a calibrated compression', () => {
  it('ends with an AbortError and without a file at every step, and leaves an engine that works', async () => {
    const session = createCheckedSession({ folder, threadScript: path.join(folder, 'factorThread.js') });
    after(() => session.close());
    const home = scratchFolder();
    const model = writeInto(home, 'model.onnx', encodeModel(MODEL));
    const values = seededArray(COUNT * 192, 5);
    const data = writeInto(home, 'data.npy', npyFile('<f4', [COUNT, 3, 8, 8], values));
    const request = {
      path: model,
      output: path.join(home, 'small.onnx'),
      target: { kind: 'macs', share: 0.4 },
      method: 'auto',
      multiple: 1,
      overwrite: true,
      calibration: { path: data },
      // Random weights bear little.
      allowInaccurate: true,
    } as const;
    const before = readdirSync(home).sort();

    const phases = new Set<string>();
    await session.compress(request, { onProgress: ({ phase }) => phases.add(phase) });
    assert.deepEqual([...phases], ['read', 'measure', 'try', 'fit', 'write', 'verify']);
    assert.deepEqual(readdirSync(home).sort(), [...before, 'small.onnx']);

    const output = { ...request, output: path.join(home, 'other.onnx') };
    const files = readdirSync(home).sort();
    await assert.rejects(session.compress(output, { signal: AbortSignal.abort() }), { name: 'AbortError' });
    for (let from = 0; from < 1; from += 0.05) {
      const controller = new AbortController();
      const call = {
        signal: controller.signal,
        onProgress: ({ done }: { done: number }) => {
          if (done >= from) controller.abort();
        },
      };
      await assert.rejects(session.compress(output, call), { name: 'AbortError' }, `from ${from}`);
      assert.deepEqual(readdirSync(home).sort(), files, `from ${from}`);
    }
    const report = await session.compress(output);
    assert.ok(report.compressed.parameters < report.original.parameters);
    assert.deepEqual(readdirSync(home).sort(), [...files, 'other.onnx'].sort());
  });
});
