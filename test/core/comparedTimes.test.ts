import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  comparedTimes,
  LEAST_DIFFERENCE_MS,
  median,
  SLOWER_BY,
} from '../../src/core/compress/latency/comparedTimes';
import { seededNumbers } from '../support/onnxModel';

/** Pairs of times on a machine that is now and then several times slower, for both of a pair alike and for one alone. */
function pairs(seed: number, count: number, ratio: number): [number[], number[]] {
  const next = seededNumbers(seed);
  const burst = () => (next() > 0.6 ? 1 + 4 * Math.abs(next()) : 1);
  const first: number[] = [];
  const second: number[] = [];
  for (let k = 0; k < count; k++) {
    const both = burst();
    first.push(10 * both * burst() * (1 + 0.05 * next()));
    second.push(10 * ratio * both * burst() * (1 + 0.05 * next()));
  }
  return [first, second];
}

describe('times taken in turn', () => {
  it('of equally fast things are not told apart, however noisy the machine is', () => {
    for (let seed = 1; seed <= 500; seed++)
      for (const count of [5, 12, 50]) assert.equal(comparedTimes(...pairs(seed, count, 1)).isSlower, false);
  });

  it('show what is half as slow again', () => {
    for (let seed = 1; seed <= 100; seed++)
      assert.equal(comparedTimes(...pairs(seed, 200, 1.5)).isSlower, true, `seed ${seed}`);
  });

  it('never call the faster one slower', () => {
    for (let seed = 1; seed <= 100; seed++)
      assert.equal(comparedTimes(...pairs(seed, 50, 0.7)).isSlower, false);
  });

  it('do not count small differences, by share or by time', () => {
    const times = (ms: number, factor: number): [number[], number[]] => [
      Array<number>(50).fill(ms),
      Array<number>(50).fill(ms * factor),
    ];
    assert.equal(comparedTimes(...times(100, SLOWER_BY - 0.01)).isSlower, false);
    assert.equal(comparedTimes(...times(100, SLOWER_BY + 0.01)).isSlower, true);
    // Twice as slow, but by less than what a call varies by.
    assert.equal(comparedTimes(...times(0.9 * LEAST_DIFFERENCE_MS, 2)).isSlower, false);
    assert.equal(comparedTimes(...times(1.1 * LEAST_DIFFERENCE_MS, 2)).isSlower, true);
  });

  it('need ten pairs to say anything', () => {
    const times = (count: number) =>
      comparedTimes(Array<number>(count).fill(1), Array<number>(count).fill(2)).isSlower;
    // (1/2)^n < 1/1000
    assert.deepEqual([0, 1, 5, 9, 10, 12].map(times), [false, false, false, false, true, true]);
  });

  it('have medians', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.ok(Number.isNaN(median([])));
    const { firstMs, secondMs } = comparedTimes([1, 5, 3], [2, 2, 9]);
    assert.deepEqual([firstMs, secondMs], [3, 2]);
  });
});
