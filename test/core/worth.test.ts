import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Target } from '../../src/core/compress/plan';
import { remarksOf } from '../../src/core/compress/remarksOf';
import type { ModelFigures } from '../../src/core/compress/report';
import { damageOf, type Judged, missesGoal, savedShare, worthError } from '../../src/core/compress/worth';

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

  const judged = (relative: number, left: number, more: Partial<Judged> = {}): Judged => ({
    original: figures(1000, 1000),
    compressed: figures(left, left),
    target: half,
    outputError: { relative, cosine: 1, max: 1 },
    ...more,
  });
  const damaged = (...of: Parameters<typeof judged>) => damageOf(judged(...of)) !== undefined;

  test('what is off by more is damaged, and so is what is off by no number', () => {
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

  test('answers of many steps are held to a hundredth, on samples held back and on those that were fitted to', () => {
    const steps = (relative: number) =>
      ({
        outputError: { relative, cosine: 1, max: 1 },
        decisions: { kept: 96, count: 96, samples: 8, shape: 'steps' },
      }) as const;
    const { decisions } = steps(0);
    assert.deepEqual(
      [damaged(0.0099, 500, { decisions }), damaged(0.0101, 500, { decisions })],
      [false, true],
    );
    assert.equal(damaged(0.0099, 980, { decisions }), true, 'little saved is worth less');
    const onFitted = steps(0.05);
    assert.deepEqual(damageOf(judged(0.001, 500, { decisions, onFitted })), {
      kind: 'outputs',
      saved: 0.5,
      changed: 0.05,
      most: 0.01,
    });
    for (const shape of ['one', 'map'] as const)
      assert.equal(damaged(0.1, 500, { decisions: { ...decisions, shape } }), false, shape);
  });

  test('on data more decisions may not change than a saving is worth, beyond what chance makes of few', () => {
    const calibration = { source: 'x.npy', fit: 896, heldBack: 128, sha256: '' };
    const changed = (count: number, others: number, more: Partial<Judged> = { calibration }) =>
      damageOf(
        judged(0.01, 500, {
          decisions: { kept: count - others, count, samples: count, shape: 'one' },
          ...more,
        }),
      )?.kind;
    assert.deepEqual([changed(10_000, 500), changed(10_000, 600)], [undefined, 'decisions']);
    assert.deepEqual([changed(1, 1), changed(8, 2), changed(8, 3)], [undefined, undefined, 'decisions']);
    assert.equal(changed(10_000, 600, {}), undefined, 'random numbers show nothing');
    // An MLP at a fortieth of its parameters, as it was measured.
    const mlp = judged(0.32, 25, {
      calibration,
      decisions: { kept: 1823, count: 2000, samples: 2000, shape: 'one' },
    });
    assert.equal(damageOf(mlp), undefined);
  });

  test('without data the scores behind the probabilities of a choice count as well', () => {
    const sure = (scoreError: number, more: Partial<Judged> = {}) =>
      damageOf(
        judged(0.006, 500, {
          decisions: { kept: 1, count: 1, samples: 1, shape: 'one', scoreError },
          ...more,
        }),
      );
    assert.equal(sure(0.19), undefined);
    assert.deepEqual(sure(0.54), { kind: 'scores', saved: 0.5, changed: 0.54, most: 0.2 });
    assert.equal(
      sure(0.54, { calibration: { source: 'x.npy', fit: 7, heldBack: 1, sha256: '' } }),
      undefined,
    );
  });

  test('whoever chose it is told of the damage, and of what no figure counts', () => {
    const messages = (of: Judged) => remarksOf(of).map(({ code, message }) => `${code}: ${message}`);
    assert.deepEqual(messages(judged(0.1, 500)), []);
    assert.deepEqual(messages(judged(0.3, 500)), [
      'damaged: The outputs change by 30 % to save 50 %, which is worth 20 % at most.',
    ]);
    const outputError = { relative: 0.1, cosine: 1, max: 1, notFinite: 12 };
    const onFitted = { outputError: { relative: 0.15, cosine: 1, max: 1 } };
    assert.deepEqual(messages(judged(0.1, 500, { outputError, onFitted })), [
      'fitted-worse: On the samples that it was fitted to the output error is larger: 15 %.',
      'not-finite: The original computes NaN or infinity for 12 values of its outputs, which no comparison counts.',
    ]);
  });
});
