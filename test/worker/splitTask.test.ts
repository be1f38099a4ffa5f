import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { candidatesOf } from '../../src/core/compress/candidates';
import type { FormedLayer, MatMulForm } from '../../src/core/compress/layer';
import { Element } from '../../src/core/onnx/elements';
import { createPool } from '../../src/worker/pool';
import { runTask, type WeightFile } from '../../src/worker/runTask';
import { runSplit } from '../../src/worker/splitTask';
import { matmulForm } from '../support/forms';
import { seededArray } from '../support/onnxModel';
import { scratchFolder } from '../support/scratch';

const pool = createPool(path.resolve('dist/factorThread.js'), 3);
after(() => pool.close());

/** A matrix in a file, 4 G multiply-adds for its Gram matrix. */
function bigLayer(inner: number, outer: number): { file: WeightFile<FormedLayer>; layer: FormedLayer } {
  const weight = seededArray(inner * outer, 7);
  const file = path.join(scratchFolder(), 'w.bin');
  writeFileSync(file, new Uint8Array(weight.buffer));
  const form = matmulForm(inner, outer);
  const dims = [inner, outer];
  return {
    layer: { name: 'big', parameters: inner * outer, form },
    file: {
      path: file,
      version: '1',
      weightOf: () => ({
        weight: { kind: 'file', path: file, offset: 0, length: weight.byteLength },
        recipe: { storedType: Element.float, storedDims: dims, isFill: false, steps: [] },
        type: Element.float,
      }),
    },
  };
}

for (const [inner, outer] of [
  [700, 9001],
  [9001, 700],
] as const) {
  test(`${inner} × ${outer}: a Gram matrix in three parts gives the same factors and singular values`, async () => {
    const { file, layer } = bigLayer(inner, outer);
    const [candidate] = candidatesOf(layer, 'svd').candidates;
    const unfolding = candidate!.series[0]!.unfolding;
    const { form } = layer;
    assert.ok(form.kind !== 'none');
    const measure = { kind: 'measure', form, method: 'svd', series: 0 } as const;
    const seen: number[] = [];
    const split = await runSplit(pool, file, layer, measure, unfolding, 1, {
      onProgress: (done) => seen.push(done),
    });
    const whole = await runTask(pool, file, layer, measure);
    assert.equal(split.energies.length, 700);
    for (const [k, energy] of whole.energies.entries()) {
      assert.ok(Math.abs(split.energies[k]! - energy) < 1e-9 * whole.energies[0]!, `value ${k}`);
    }
    assert.ok(
      seen.length > 0 && seen.every((done, i) => done <= 1 && (i === 0 || done >= seen[i - 1]!)),
      `${seen}`,
    );

    const factor = { kind: 'factor', form, method: 'svd', ranks: [40] } as const;
    const [a, b] = [
      await runSplit(pool, file, layer, factor, unfolding, 1, {}),
      await runTask(pool, file, layer, factor),
    ];
    assert.ok(Math.abs(a.weightError - b.weightError) < 1e-9);
    const tail = whole.energies.subarray(40).reduce((sum, e) => sum + e, 0);
    assert.ok(Math.abs(a.weightError - Math.sqrt(tail / whole.total)) < 1e-6);
  });
}

test('a task is not split when others keep the pool busy, nor a small one', async () => {
  const { file, layer } = bigLayer(64, 96);
  const [candidate] = candidatesOf(layer, 'svd').candidates;
  const { form } = layer;
  assert.ok(form.kind !== 'none');
  const kinds: string[] = [];
  const watched = {
    ...pool,
    run: (...args: Parameters<typeof pool.run>) => {
      kinds.push(args[0].task.kind);
      return pool.run(...args);
    },
  };
  const task = { kind: 'measure', form, method: 'svd', series: 0 } as const;
  await runSplit(watched, file, layer, task, candidate!.series[0]!.unfolding, 1, {});
  const large = bigLayer(700, 9001);
  const [other] = candidatesOf(large.layer, 'svd').candidates;
  const largeTask = { ...task, form: large.layer.form as MatMulForm };
  await runSplit(watched, large.file, large.layer, largeTask, other!.series[0]!.unfolding, 0.1, {});
  assert.deepEqual(kinds, ['measure', 'measure']);
});
