import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibratedChoices, scaledChoice } from '../../src/core/compress/calibrated/calibratedChoices';
import type { MeasuredMethod } from '../../src/core/compress/calibrated/measureLayer';
import { candidatesOf } from '../../src/core/compress/candidates';
import { convForm } from '../support/forms';

const form = convForm(12, 8, [3, 3], { calls: [{ batch: 1, inputSize: [9, 9], outputSize: [9, 9] }] });
const { candidates } = candidatesOf({ form }, 'auto');

/** A spectrum that falls by this factor. */
function falling(length: number, factor: number) {
  const energies = Float64Array.from({ length }, (_, k) => factor ** k);
  return { energies, total: 100 };
}

const spatial = (firstAxis: 0 | 1, factor: number): MeasuredMethod => ({
  method: 'spatial',
  firstAxis,
  measured: { spectra: [falling(24, factor)] },
});

test('spatial has the errors of the better order at each rank, where both cost the same', () => {
  const [choice, ...others] = calibratedChoices(form, candidates, [spatial(0, 0.5), spatial(1, 0.9)]);
  assert.deepEqual([choice!.candidate.method, others.length], ['spatial', 0]);
  const { candidate, known } = choice!;
  const own = [0, 1].map((axis) => calibratedChoices(form, candidates, [spatial(0, axis ? 0.9 : 0.5)])[0]!);
  for (const rank of [1, 4, 12, 24]) {
    const errors = own.map((each) => each.candidate.error(each.known, [rank]));
    assert.equal(candidate.error(known, [rank]), Math.min(...errors));
  }
  for (const budget of [99, 97, 93, 91]) {
    const ranks = candidate.within(known, budget, ([rank = 0]) => rank);
    assert.ok(ranks && candidate.error(known, ranks) <= budget);
    assert.ok(ranks[0] === 1 || candidate.error(known, [ranks[0]! - 1]) > budget);
  }
  assert.equal(
    candidate.within(known, 10, ([rank = 0]) => rank),
    undefined,
  );
});

test('the order stays where the other one would cost more', () => {
  const wide = convForm(12, 8, [3, 3], { calls: [{ batch: 1, inputSize: [18, 9], outputSize: [9, 9] }] });
  const [{ known } = { known: [] }] = calibratedChoices(wide, candidates, [spatial(0, 0.5), spatial(1, 0.9)]);
  assert.equal(known.length, 1);
});

test('errors that hurt more count for more, within bounds; ranks follow', () => {
  const [choice] = calibratedChoices(form, candidates, [spatial(0, 0.9)]);
  const { candidate, known } = choice!;
  for (const [factor, scale] of [
    [2, 2],
    [0.5, 0.5],
    [100, 4],
    [0, 0.25],
  ] as const) {
    const scaled = scaledChoice(choice!, factor);
    assert.equal(scaled.known, known);
    assert.ok(Math.abs(scaled.candidate.error(known, [5]) - scale * candidate.error(known, [5])) < 1e-9);
    assert.deepEqual(
      scaled.candidate.within(known, scale * 93, ([rank = 0]) => rank),
      candidate.within(known, 93, ([rank = 0]) => rank),
    );
    assert.deepEqual(scaled.candidate.cost([5]), candidate.cost([5]));
  }
});
