import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chainCost, denseSteps, point, spanning } from '../../src/core/compress/conv/chain';
import { chainWork } from '../../src/core/compress/conv/chainWork';
import { convForm } from '../support/forms';

describe('the work of a chain of convolutions', () => {
  it('is its multiply-adds where every tile is full', () => {
    // 144 positions are 24 tiles, 64 channels four blocks.
    const form = convForm(64, 128, [1, 1], { size: 12 });
    assert.equal(chainWork(form, denseSteps(form)), chainCost(form, denseSteps(form)).macs);
    const steps = [point(form, 64, 64), point(form, 64, 128)];
    assert.equal(chainWork(form, steps), chainCost(form, steps).macs);
  });

  it('counts a part of a block of channels as a whole one, and a lone block as if it waited', () => {
    const form = convForm(64, 64, [1, 1], { size: 6 });
    const work = (out: number) => chainWork(form, [point(form, 64, out)])! / (64 * 36 * 16);
    assert.equal(work(64), 4);
    assert.equal(work(49), 4);
    assert.equal(work(48), 3);
    // One block at 6 positions: 6 vectors in the time of 8.
    assert.equal(work(16), 8 / 6);
    assert.equal(work(80), 4 + 8 / 6);
  });

  it('finds a kernel that is high cheaper than one that is wide on narrow images', () => {
    const form = convForm(64, 64, [3, 3], { size: 3 });
    const [high, wide] = [0, 1].map((axis) => chainWork(form, [spanning(form, 64, 64, { axis })])!);
    // A row of 3 positions at once, 12 vectors; one by one, 3 times 4 vectors in the time of 8.
    assert.equal(high, 3 * 64 * 16 * 3 * 12);
    assert.equal(wide, 3 * 64 * 16 * 3 * 24);
  });

  it('grows with the rank, in steps', () => {
    const form = convForm(32, 128, [3, 3], { size: 7 });
    let last = 0;
    for (let rank = 1; rank <= 96; rank++) {
      const work = chainWork(form, [spanning(form, 32, rank, { axis: 0 })])!;
      assert.ok(work >= last && work >= chainCost(form, [spanning(form, 32, rank, { axis: 0 })]).macs!);
      last = work;
    }
  });

  it('is unknown where sizes are', () => {
    const form = convForm(8, 8, [3, 3]);
    const unknown = { ...form, calls: form.calls.map((call) => ({ ...call, outputSize: null })) };
    assert.equal(chainWork(unknown, denseSteps(unknown)), null);
  });
});
