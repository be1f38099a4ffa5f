import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakEvenRank, type Candidate, type Ranks, saves } from '../../src/core/compress/method';
import { cutsOf, fitted } from '../../src/core/compress/ranks/cuts';
import { alignRank, alignRanks, blockOf } from '../../src/core/compress/ranks/rankMultiple';
import { allCandidates } from './rankCases';

test('the block leaves eight steps: 16, 8 or 4 where the layer is narrow, and 1 where it is narrower', () => {
  for (let most = 1; most <= 200; most++)
    assert.equal(blockOf(most), most >= 128 ? 16 : most >= 64 ? 8 : most >= 32 ? 4 : 1);
  for (let most = 1; most <= 64; most++) {
    assert.equal(blockOf(most, 8), most >= 64 ? 8 : most >= 32 ? 4 : 1);
    assert.equal(blockOf(most, 4), most >= 32 ? 4 : 1);
    assert.equal(blockOf(most, 1), 1);
  }
});

test('an aligned rank is the nearest multiple from one block to the most there is, by trying them all', () => {
  for (const multiple of [1, 4, 8, 16])
    for (let most = multiple; most <= 70; most++)
      for (let rank = 1; rank <= most; rank++) {
        let nearest = multiple;
        for (let m = multiple; m <= most; m += multiple)
          if (Math.abs(m - rank) <= Math.abs(nearest - rank)) nearest = m;
        assert.equal(alignRank(rank, { multiple, most }), nearest, `${rank} of ${most} by ${multiple}`);
      }
});

test('a rank stays where not one block fits, but goes no higher than allowed', () => {
  assert.equal(alignRank(3, { multiple: 16, most: 5 }), 3);
  assert.equal(alignRank(9, { multiple: 16, most: 5 }), 5);
});

/** All combinations of multiples that the method can have and that save something. */
function* multiples(candidate: Candidate, ranks: Ranks, largest: number): Generator<Ranks> {
  const breakEven = breakEvenRank(candidate);
  const options = ranks.map((_, i) => {
    const most = breakEven ?? candidate.fullRanks[i]!;
    const block = blockOf(most, largest);
    return Array.from({ length: Math.floor(most / block) }, (_, k) => (k + 1) * block);
  });
  function* from(i: number, before: Ranks): Generator<Ranks> {
    if (i === options.length) yield before;
    else for (const rank of options[i]!) yield* from(i + 1, [...before, rank]);
  }
  for (const aligned of from(0, []))
    if (saves(candidate, aligned) && (!cutsOf(candidate) || `${fitted(candidate, aligned)}` === `${aligned}`))
      yield aligned;
}

const distance = (a: Ranks, b: Ranks) => a.reduce((sum, x, i) => sum + Math.abs(x / b[i]! - 1), 0);

for (const { name, candidate } of allCandidates()) {
  test(`${name}: aligned ranks are multiples, and save if the ranks did`, () => {
    let count = 0;
    const { fullRanks } = candidate;
    // All ranks of a single one; a coarse net of several.
    const step = fullRanks.length === 1 ? 1 : 7;
    for (let level = 1; level <= Math.max(...fullRanks); level += step) {
      for (const wanted of candidate.ofRank(level)) {
        for (const largest of [16, 8, 1]) {
          const aligned = alignRanks(candidate, wanted, largest);
          if (!saves(candidate, wanted) || largest === 1) {
            assert.deepEqual(aligned, wanted);
            continue;
          }
          assert.ok(saves(candidate, aligned), `${wanted} → ${aligned}`);
          if (String(aligned) === String(wanted)) continue;
          count++;
          const breakEven = breakEvenRank(candidate);
          for (const [i, rank] of aligned.entries()) {
            const most = breakEven ?? fullRanks[i]!;
            assert.ok(
              rank >= 1 && rank <= most && rank % blockOf(most, largest) === 0,
              `${wanted} → ${aligned}`,
            );
          }
        }
      }
    }
    if (/groups|blocks|atoms|r0/.test(candidate.rankNames[0]!)) assert.equal(count, 0);
  });

  // One or two ranks: all combinations can be tried.
  if (candidate.fullRanks.length <= 2 && /^(rank|in)$/.test(candidate.rankNames[0]!)) {
    test(`${name}: no multiples that save something are nearer, by trying them all`, () => {
      for (let level = 1; level <= Math.max(...candidate.fullRanks); level += 5) {
        const [wanted] = candidate.ofRank(level);
        if (!saves(candidate, wanted!)) continue;
        const aligned = alignRanks(candidate, wanted!);
        const most = breakEvenRank(candidate);
        if (most !== undefined)
          assert.deepEqual(aligned, [alignRank(wanted![0]!, { multiple: blockOf(most), most })]);
        // One block up or down, or the least there is.
        const isNear = (other: Ranks) =>
          other.every((rank, i) => {
            const block = blockOf(breakEvenRank(candidate) ?? candidate.fullRanks[i]!);
            return Math.abs(rank - wanted![i]!) < block || rank === block;
          });
        const near = [...multiples(candidate, wanted!, 16)].filter(isNear);
        if (near.length === 0) {
          assert.deepEqual(aligned, wanted);
          continue;
        }
        assert.ok(
          near.some((other) => String(other) === String(aligned)),
          `${wanted}: ${aligned} of ${near.join(' or ')}`,
        );
        for (const other of near)
          assert.ok(
            distance(aligned, wanted!) <= distance(other, wanted!) + 1e-12,
            `${wanted}: ${aligned}, ${other}`,
          );
      }
    });
  }
}
