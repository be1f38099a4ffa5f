import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf } from '../../src/core/compress/candidates';
import type { Form } from '../../src/core/compress/layer';
import { type Candidate, type MethodId, type Ranks, saves } from '../../src/core/compress/method';
import { cutsOf, fitted } from '../../src/core/compress/ranks/cuts';
import { evbmfRank } from '../../src/core/compress/ranks/evbmf';
import { evbmfRanks } from '../../src/core/compress/ranks/evbmfRanks';
import { ratioRanks } from '../../src/core/compress/ranks/ratio';
import { unfoldedSize } from '../../src/core/compress/unfolding';
import { allCandidates, convForm, decayingSpectra, matrixForm } from './rankCases';

function fits(form: Form, method: MethodId): Candidate {
  const candidate = candidateOf(form, method);
  assert.ok(typeof candidate !== 'string');
  return candidate;
}

test('which methods cut one unfolding with each rank', () => {
  for (const { name, candidate } of allCandidates()) {
    const isCut = ['svd', 'channel', 'input-channel', 'spatial', 'tucker2', 'tt'].includes(candidate.method);
    const cuts = cutsOf(candidate);
    assert.equal(cuts !== undefined, isCut, name);
    cuts?.forEach((unfolding, i) => {
      const { rows, cols } = unfoldedSize(unfolding);
      assert.equal(Math.min(rows, cols), candidate.fullRanks[i], name);
    });
  }
});

test('ranks that bound each other are raised to the least that can be', () => {
  const tt = fits(convForm(64, 32, [3, 3]), 'tt');
  // r2 ≤ 3 r1 and r3 ≤ 3 r2.
  assert.deepEqual(fitted(tt, [4, 9, 20]), [4, 9, 20]);
  assert.deepEqual(fitted(tt, [2, 4, 30]), [4, 10, 30]);
  assert.deepEqual(fitted(fits(convForm(64, 32, [3, 3]), 'tucker2'), [2, 40]), [2, 40]);
});

for (const { name, candidate } of allCandidates()) {
  const known = decayingSpectra(candidate, 0.9);

  test(`${name}: the ratio's rank is the largest within it, by trying them all`, () => {
    for (const share of [0.1, 0.3, 0.5, 0.75, 1]) {
      const within = (ranks: Ranks) =>
        candidate.cost(ranks).parameters <= share * candidate.dense.parameters && saves(candidate, ranks);
      const largest: Ranks[] = [];
      for (let rank = 1; rank <= Math.max(...candidate.fullRanks); rank++)
        candidate.ofRank(rank).forEach((ranks, i) => {
          if (within(ranks)) largest[i] = ranks;
        });
      const options = largest.filter((ranks) => ranks !== undefined);
      const least = Math.min(...options.map((ranks) => candidate.error(known, ranks)));
      const found = ratioRanks(candidate, known, share);
      if (options.length === 0) assert.equal(found, undefined);
      else {
        assert.ok(
          options.some((ranks) => String(ranks) === String(found)),
          `${found} of ${options.join(' or ')}`,
        );
        assert.equal(candidate.error(known, found!), least);
      }
    }
  });
}

test('without a choice to make, a ratio needs to know nothing of the weight', () => {
  const svd = fits(matrixForm(100, 50), 'svd');
  // Each rank has 150 of 5000 parameters.
  assert.deepEqual(ratioRanks(svd, [], 0.5), [16]);
  assert.equal(ratioRanks(svd, [], 0.02), undefined);
  assert.deepEqual(ratioRanks(fits(convForm(64, 32, [3, 3]), 'tucker2'), [], 0.25), [17, 17]);
});

test('EVBMF suggests a rank for each unfolding of a method', () => {
  const stands = (length: number, rank: number) => {
    const energies = Float64Array.from({ length }, (_, k) => (k < rank ? 100 - k : 1 - k / (2 * length)));
    return { energies, total: energies.reduce((sum, e) => sum + e, 0) };
  };
  const tucker2 = fits(convForm(64, 32, [3, 3]), 'tucker2');
  const known = [stands(32, 5), stands(64, 9)];
  assert.deepEqual(evbmfRanks(tucker2, known), { kind: 'ranks', ranks: [5, 9] });
  assert.deepEqual(evbmfRanks(tucker2, known, { weakening: 0.5 }), { kind: 'ranks', ranks: [19, 37] });
  const single = evbmfRank(known[1]!, 64, 288);
  assert.ok(single.kind === 'rank' && single.rank === 9);
  const tt = fits(convForm(64, 32, [3, 3]), 'tt');
  // r2 ≤ 3 r1 raises r1.
  assert.deepEqual(evbmfRanks(tt, [stands(32, 2), stands(96, 9), stands(64, 9)]), {
    kind: 'ranks',
    ranks: [3, 9, 9],
  });
  const flat = evbmfRanks(tucker2, [stands(32, 5), stands(64, 0)]);
  assert.ok(flat.kind === 'none' && /stands out/.test(flat.reason));
  const cp = fits(convForm(64, 32, [3, 3]), 'cp');
  assert.deepEqual(evbmfRanks(cp, decayingSpectra(cp, 0.9)), {
    kind: 'none',
    reason: "The ranks of cp don't each cut one matrix.",
  });
});
