import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AlignedBudget, planAligned } from '../../src/core/compress/budget/alignedBudget';
import { parametersMeasure } from '../../src/core/compress/budget/measure';
import { type BudgetGoal, planBudget, prepareBudget } from '../../src/core/compress/budget/planBudget';
import { SENSITIVITIES } from '../../src/core/compress/budget/sensitivity';
import { candidatesOf } from '../../src/core/compress/candidates';
import type { LayerOptions } from '../../src/core/compress/makePlan';
import { breakEvenRank } from '../../src/core/compress/method';
import { blockOf } from '../../src/core/compress/ranks/rankMultiple';
import { convForm, matmulForm } from '../support/forms';

/** Layers whose squared singular values fall as a power of the index. */
const model: readonly LayerOptions[] = [
  convForm(128, 128, [3, 3]),
  convForm(256, 128, [3, 3]),
  matmulForm(512, 512),
  matmulForm(512, 384),
].map((form, i) => {
  const { candidates } = candidatesOf({ form }, 'auto');
  const choices = candidates.map((candidate) => ({
    candidate,
    known: candidate.fullRanks.map((full) => {
      const energies = Float64Array.from({ length: full }, (_, k) => (k + 1) ** -(1 + i / 4));
      return { energies, total: energies.reduce((a, b) => a + b, 0) };
    }),
  }));
  return { layer: { name: `layer ${i}`, parameters: candidates[0]!.dense.parameters, form }, choices };
});
const before = model.reduce((sum, { layer }) => sum + layer.parameters, 0);
const totals = { parameters: before, macs: null };
const settings = { measure: parametersMeasure, sensitivity: SENSITIVITIES.kept };

const aligned = (goal: BudgetGoal, wanted?: number) =>
  planAligned(model, totals, before, settings, goal, wanted);
const withBlock = (goal: BudgetGoal, block: number) =>
  planBudget(prepareBudget(model, totals, before, { ...settings, block }), goal);
const found = (plan: ReturnType<typeof aligned>): AlignedBudget => {
  assert.ok('picks' in plan, JSON.stringify(plan));
  return plan;
};

const GOALS: readonly BudgetGoal[] = [
  ...[0.7, 0.4, 0.2, 0.08, 0.04, 0.02].map((share) => ({ kind: 'cost', most: share * before }) as const),
  ...[0.01, 0.1, 1, 3].map((most) => ({ kind: 'loss', most }) as const),
];

test('the block is the largest that costs no more than a tenth, by trying them all', () => {
  const blocks = new Set<number>();
  for (const goal of GOALS) {
    const plan = found(aligned(goal));
    const minimised = (block: number) => {
      const each = withBlock(goal, block);
      return 'leastCost' in each ? Infinity : goal.kind === 'cost' ? each.loss : each.cost;
    };
    const own = goal.kind === 'cost' ? plan.loss : plan.cost;
    assert.equal(own, minimised(plan.block));
    assert.ok(own <= 1.1 * minimised(1));
    for (let block = 16; block > plan.block; block /= 2) assert.ok(minimised(block) > 1.1 * minimised(1));
    for (const pick of plan.picks) {
      if (!pick) continue;
      const { candidate } = pick.choice;
      for (const [i, rank] of pick.ranks.entries())
        assert.equal(rank % blockOf(breakEvenRank(candidate) ?? candidate.fullRanks[i]!, plan.block), 0);
    }
    blocks.add(plan.block);
  }
  assert.ok(blocks.has(16) && blocks.size > 1, [...blocks].join());
});

test('a block that is asked for is taken, or the largest part of it that reaches the budget', () => {
  for (const goal of GOALS)
    for (const wanted of [16, 8, 1]) {
      const plan = found(aligned(goal, wanted));
      for (let block = wanted; block > plan.block; block /= 2)
        assert.ok('leastCost' in withBlock(goal, block));
      assert.deepEqual(
        plan.loss,
        found({ ...withBlock(goal, plan.block), block: plan.block } as AlignedBudget).loss,
      );
    }
});

test('what no rank reaches is said with the least there is', () => {
  const plan = aligned({ kind: 'cost', most: 1 });
  assert.ok('leastCost' in plan && plan.leastCost > 1);
  assert.deepEqual(plan, withBlock({ kind: 'cost', most: 1 }, 1));
});
