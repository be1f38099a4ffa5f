import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Option, type Solution, solveBudget, solveLoss } from '../../src/core/compress/budget/knapsack';

/** A reproducible source of numbers in [0, 1) (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Groups = readonly (readonly Option[])[];

/** The least loss within a budget, by trying every combination; undefined when none fits. */
function bruteForce(groups: Groups, budget: number): number | undefined {
  let best: number | undefined;
  const walk = (g: number, cost: number, loss: number) => {
    if (g === groups.length) {
      if (cost <= budget * (1 + 1e-12) && (best === undefined || loss < best)) best = loss;
      return;
    }
    for (const option of groups[g]!) walk(g + 1, cost + option.cost, loss + option.loss);
  };
  walk(0, 0, 0);
  return best;
}

const swapped = (groups: Groups): Groups =>
  groups.map((group) => group.map(({ cost, loss }) => ({ cost: loss, loss: cost })));

function assertConsistent(groups: Groups, solution: Solution): void {
  assert.equal(solution.choice.length, groups.length);
  const chosen = groups.map((group, g) => group[solution.choice[g]!]!);
  assert.equal(
    solution.cost,
    chosen.reduce((sum, { cost }) => sum + cost, 0),
  );
  assert.equal(
    solution.loss,
    chosen.reduce((sum, { loss }) => sum + loss, 0),
  );
}

const close = (a: number, b: number, what: string) =>
  assert.ok(Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b)), `${what}: ${a} instead of ${b}`);

/** How costs and losses of random instances are drawn. */
const KINDS: Readonly<Record<string, (random: () => number) => Option>> = {
  'large integers': (random) => ({ cost: Math.floor(random() * 1e9), loss: random() }),
  'real numbers': (random) => ({ cost: random() * 7, loss: random() ** 4 }),
  'small integers with ties and zeros': (random) => ({
    cost: Math.floor(random() * 5),
    loss: Math.floor(random() * 4),
  }),
  'tenths, which rounding hits': (random) => ({
    cost: Math.floor(random() * 10) / 10,
    loss: Math.floor(random() * 10) / 10,
  }),
  'a line, where every hull is tight': (random) => {
    const cost = Math.floor(random() * 1000);
    return { cost, loss: 1000 - cost };
  },
};

for (const [kind, draw] of Object.entries(KINDS)) {
  test(`equals brute force: ${kind}`, () => {
    let infeasible = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const random = randomOf(seed);
      const groups = Array.from({ length: 1 + Math.floor(random() * 5) }, () =>
        Array.from({ length: 1 + Math.floor(random() * 6) }, () => draw(random)),
      );
      const ends = groups.map((group) => group.map(({ cost }) => cost));
      const low = ends.reduce((sum, costs) => sum + Math.min(...costs), 0);
      const high = ends.reduce((sum, costs) => sum + Math.max(...costs), 0);
      const exact = [low, high][Math.floor(random() * 8)];
      const budget = exact ?? low + (high - low) * (random() * 1.2 - 0.1);
      const what = `${kind}, seed ${seed}`;
      const expected = bruteForce(groups, budget);
      const solution = solveBudget(groups, budget);
      assert.equal(solution === undefined, expected === undefined, what);
      if (!solution || expected === undefined) infeasible++;
      else {
        assertConsistent(groups, solution);
        assert.ok(solution.cost <= budget * (1 + 1e-12), what);
        close(solution.loss, expected, what);
        assert.equal(solution.gap, 0, what);
        const dual = solveLoss(groups, solution.loss);
        assert.ok(dual, what);
        assertConsistent(groups, dual);
        assert.ok(dual.loss <= solution.loss * (1 + 1e-12), what);
        close(dual.cost, bruteForce(swapped(groups), solution.loss)!, `${what}, dual`);
      }
    }
    assert.ok(infeasible > 0 && infeasible < 200, `${infeasible} infeasible`);
  });
}

test('nothing to choose, nothing to reach, nonsense', () => {
  assert.deepEqual(solveBudget([], 0), { choice: [], cost: 0, loss: 0, gap: 0 });
  assert.equal(solveBudget([[]], 1), undefined);
  assert.equal(solveBudget([[{ cost: 1, loss: 0 }]], -1), undefined);
  assert.equal(solveLoss([[{ cost: 1, loss: 2 }]], 1), undefined);
  assert.throws(() => solveBudget([[{ cost: Number.NaN, loss: 0 }]], 1), RangeError);
  assert.throws(() => solveBudget([[{ cost: 0, loss: -1 }]], 1), RangeError);
});

test('of equal options the first is taken', () => {
  const option = { cost: 3, loss: 1 };
  assert.deepEqual(solveBudget([[{ cost: 3, loss: 2 }, option, option]], 3)!.choice, [1]);
});

/** Options as a layer has them: the loss falls with the cost, nearly convex. */
function curves(count: number, each: number, seed: number, whole: boolean): Groups {
  const random = randomOf(seed);
  return Array.from({ length: count }, () => {
    const size = 10 ** (4 + 3 * random());
    const decay = 2 + 6 * random();
    return Array.from({ length: each }, () => {
      const share = random();
      const cost = share * size;
      return {
        cost: whole ? Math.round(cost) : cost,
        loss: Math.exp(-decay * share) * (0.9 + 0.2 * random()),
      };
    });
  });
}

/** Lagrangian bound at any multiplier: Σ min (loss + λ cost) − λ · budget, an independent lower bound. */
function bound(groups: Groups, budget: number, multiplier: number): number {
  return groups.reduce(
    (sum, group) => sum + Math.min(...group.map(({ cost, loss }) => loss + multiplier * cost)),
    -multiplier * budget,
  );
}

for (const [count, each] of [
  [54, 200],
  [1000, 50],
] as const) {
  test(`${count} groups of ${each} options are solved within the reported gap`, () => {
    for (const whole of [true, false]) {
      for (const share of [0.2, 0.4, 0.6]) {
        const groups = curves(count, each, count + 10 * share, whole);
        const budget =
          share * groups.reduce((sum, group) => sum + Math.max(...group.map(({ cost }) => cost)), 0);
        const solution = solveBudget(groups, budget)!;
        assertConsistent(groups, solution);
        assert.ok(solution.cost <= budget * (1 + 1e-12));
        let highest = 0;
        for (let power = -10; power <= -3; power += 0.01)
          highest = Math.max(highest, bound(groups, budget, 10 ** power));
        assert.ok(solution.loss >= highest - 1e-9);
        assert.ok(solution.loss - highest <= 1e-3 * highest, `${solution.loss} over ${highest}`);
        assert.ok(solution.gap >= 0 && solution.gap <= 1e-4 * solution.loss, `gap ${solution.gap}`);
      }
    }
  });
}

test('with little work the best so far comes back with a gap that holds', () => {
  let gaps = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const groups = curves(12, 12, seed, seed % 2 === 0);
    const budget = 0.4 * groups.reduce((sum, group) => sum + Math.max(...group.map(({ cost }) => cost)), 0);
    const best = solveBudget(groups, budget)!;
    assert.equal(best.gap, 0);
    const hasty = solveBudget(groups, budget, 20)!;
    assert.ok(hasty.cost <= budget * (1 + 1e-12));
    assert.ok(hasty.loss - hasty.gap <= best.loss * (1 + 1e-9) && hasty.loss >= best.loss * (1 - 1e-9));
    if (hasty.gap > 0) gaps++;
  }
  assert.ok(gaps > 20, `${gaps} were cut short`);
});

test('an instance without any structure ends all the same', () => {
  // Every hull is one straight line up to rounding: neither bounds nor reduced costs exclude anything.
  const random = randomOf(1);
  const groups = Array.from({ length: 54 }, () =>
    Array.from({ length: 200 }, () => {
      const cost = Math.round(1e7 * random());
      return { cost, loss: (1e7 - cost) / 1e7 };
    }),
  );
  const solution = solveBudget(groups, 1e8)!;
  assertConsistent(groups, solution);
  assert.ok(solution.gap > 0 && solution.gap < 1e-6 * solution.loss, `gap ${solution.gap}`);
});
