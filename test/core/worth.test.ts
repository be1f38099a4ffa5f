import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Target } from '../../src/core/compress/plan';
import type { ModelFigures } from '../../src/core/compress/report';
import { isDamaged, missesGoal, savedShare, worthError } from '../../src/core/compress/worth';

const figures = (parameters: number, macs: number | null): ModelFigures => ({
  file: 'm.onnx',
  bytes: 4 * parameters,
  parameters,
  macs,
  ms: null,
});

const half: Target = { kind: 'parameters', share: 0.5 };

describe('what a result is worth', () => {
  test('the larger saving counts; MACs that nobody knows, and growth, save nothing', () => {
    const before = figures(1000, 500);
    const saved = (one: ModelFigures, other: ModelFigures) => savedShare(one, other, half);
    assert.equal(saved(before, figures(900, 100)), 0.8);
    assert.equal(saved(before, figures(250, 400)), 0.75);
    assert.equal(saved(figures(1000, null), figures(750, 1)), 0.25);
    assert.equal(saved(before, figures(1200, 600)), 0);
  });

  test('time counts where it is the goal', () => {
    const [before, after] = [4, 1].map((ms) => ({ ...figures(1000, 500), ms })) as [
      ModelFigures,
      ModelFigures,
    ];
    assert.equal(savedShare(before, after, half), 0);
    assert.equal(savedShare(before, after, { kind: 'time', share: 0.5 }), 0.75);
    assert.equal(savedShare(before, { ...after, ms: null }, { kind: 'ms', ms: 2 }), 0);
  });

  test('a fifth for each halving, three quarters at the most, nothing for nothing', () => {
    assert.ok(worthError(0) === 0);
    for (const [saved, worth] of [
      [0.5, 0.2],
      [0.75, 0.4],
      [0.875, 0.6],
      [0.99, 0.75],
      [1, 0.75],
    ] as const)
      assert.ok(Math.abs(worthError(saved) - worth) < 1e-12, `${saved}`);
  });

  test('what is off by more is damaged, and so is what is off by no number', () => {
    const damaged = (relative: number, left: number) =>
      isDamaged({
        original: figures(1000, 1000),
        compressed: figures(left, left),
        target: half,
        outputError: { relative, cosine: 1, max: 1 },
      });
    assert.deepEqual([damaged(0.199, 500), damaged(0.201, 500)], [false, true]);
    // The measured cases that the bound was chosen by: a VGG at 3× and 5×, an MLP at 20×; at 40×, and a text recogniser.
    assert.deepEqual([damaged(0.204, 186), damaged(0.581, 94), damaged(0.651, 47)], [false, false, false]);
    assert.deepEqual([damaged(0.986, 22), damaged(0.241, 981), damaged(0.446, 500)], [true, true, true]);
    assert.equal(damaged(Number.NaN, 500), true);
  });

  test('a goal of error or accuracy is missed by what was measured, any other never', () => {
    const misses = (target: Target, relative: number, after?: number) =>
      missesGoal({
        target,
        outputError: { relative, cosine: 1, max: 1 },
        ...(after === undefined ? {} : { accuracy: { before: 0.9, after, samples: 1000, labels: 'l.npy' } }),
      });
    const error: Target = { kind: 'error', error: 0.05 };
    assert.deepEqual([misses(error, 0.05), misses(error, 0.051)], [false, true]);
    const point: Target = { kind: 'accuracy', points: 1 };
    assert.deepEqual([misses(point, 0.5, 0.89), misses(point, 0.5, 0.889)], [false, true]);
    // 0.9 − 0.893 is no number: a goal of just that is met all the same.
    assert.equal(misses({ kind: 'accuracy', points: 0.7 }, 0, 0.893), false);
    assert.deepEqual([misses(point, 0.5), misses(half, 0.99, 0)], [false, false]);
  });
});
