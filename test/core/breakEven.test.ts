import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf } from '../../src/core/compress/candidates';
import { breakEvenRank, type Candidate, type MethodId } from '../../src/core/compress/method';
import { allCandidates, convForm } from './rankCases';

for (const { name, candidate } of allCandidates()) {
  const { dense, fullRanks } = candidate;
  if (fullRanks.length > 1) {
    test(`${name}: no single rank, no break-even rank`, () =>
      assert.equal(breakEvenRank(candidate), undefined));
    continue;
  }
  test(`${name}: the break-even rank is the last that saves, by trying them all`, () => {
    let last = 0;
    for (let rank = 1; rank <= fullRanks[0]!; rank++) {
      const { parameters, macs } = candidate.cost([rank]);
      // Looking up costs no MACs, so none can be saved there.
      if (parameters < dense.parameters && (dense.macs === 0 || macs! < dense.macs!)) last = rank;
    }
    assert.equal(breakEvenRank(candidate), last);
  });
}

test('the break-even ranks of strided convolutions, from parameters and MACs written out', () => {
  for (const [S, C, kh, kw, stride] of [
    [48, 40, 3, 3, 1],
    [48, 40, 3, 3, 2],
    [64, 24, 5, 5, 2],
    [16, 64, 3, 5, 4],
    [30, 30, 3, 3, 3],
  ] as const) {
    const size = 24;
    const form = convForm(S, C, [kh, kw], { size, stride });
    // Positions in height and width, before and after.
    const [H, W] = [size, 1.5 * size];
    const [h, w] = [H / stride, W / stride];
    const expected: Partial<Record<MethodId, readonly (readonly [elements: number, positions: number])[]>> = {
      channel: [
        [C * kh * kw, h * w],
        [S, h * w],
      ],
      'input-channel': [
        [C, H * W],
        [S * kh * kw, h * w],
      ],
      // The first factor has the vertical stride only.
      spatial: [
        [C * kh, h * W],
        [S * kw, h * w],
      ],
      cp3: [
        [C, H * W],
        [kh * kw, h * w],
        [S, h * w],
      ],
      cp: [
        [C, H * W],
        [kh, h * W],
        [kw, h * w],
        [S, h * w],
      ],
    };
    for (const [method, factors] of Object.entries(expected)) {
      const dense = S * C * kh * kw;
      const parameters = factors.reduce((sum, [elements]) => sum + elements, 0);
      const macs = factors.reduce((sum, [elements, positions]) => sum + elements * positions, 0);
      const candidate = candidateOf(form, method as MethodId) as Candidate;
      let last = 0;
      for (let r = 1; r <= candidate.fullRanks[0]!; r++)
        if (r * parameters < dense && r * macs < dense * h * w) last = r;
      assert.equal(breakEvenRank(candidate), last, `${method} ${S} ${C} ${kh} ${kw} ${stride}`);
    }
  }
});
