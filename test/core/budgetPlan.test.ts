import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bytesMeasure,
  type CostMeasure,
  macsMeasure,
  parametersMeasure,
} from '../../src/core/compress/budget/measure';
import { type Ladder, ladder } from '../../src/core/compress/budget/options';
import {
  type BudgetPlan,
  planBudget,
  prepareBudget,
  type Unreachable,
} from '../../src/core/compress/budget/planBudget';
import { SENSITIVITIES } from '../../src/core/compress/budget/sensitivity';
import { candidatesOf } from '../../src/core/compress/candidates';
import type { Form, FormedLayer } from '../../src/core/compress/layer';
import { type LayerOptions, makePlan } from '../../src/core/compress/makePlan';
import { breakEvenRank, type MethodChoice, saves } from '../../src/core/compress/method';
import { blockOf } from '../../src/core/compress/ranks/rankMultiple';

/** A convolution of images of this size; a matrix where kernel and image are 1. */
function conv(name: string, out: number, channels: number, k = 1, size: number | null = 1): FormedLayer {
  const sizes = size === null ? null : [size, size];
  const form: Form = {
    kind: 'conv',
    isTransposed: false,
    outChannels: out,
    groupChannels: channels,
    groups: 1,
    kernel: [k, k],
    calls: [{ batch: 1, inputSize: sizes, outputSize: sizes }],
  };
  return { name, parameters: out * channels * k * k, form };
}

/** Options with a spectrum that decays by `ratio` from one value to the next; ‖W‖² is `total`. */
function options(layer: FormedLayer, ratio: number, total = 1, choice: MethodChoice = 'auto'): LayerOptions {
  const choices = candidatesOf(layer, choice).candidates.map((candidate) => {
    const known = candidate.fullRanks.map((full) => {
      const scale = (total * (1 - ratio)) / (1 - ratio ** full);
      return { energies: Float64Array.from({ length: full }, (_, i) => scale * ratio ** i), total };
    });
    return { candidate, known };
  });
  return { layer, choices };
}

const settings = { measure: parametersMeasure, block: 1, sensitivity: SENSITIVITIES.uniform };

const odd: FormedLayer = { name: 'odd', parameters: 7, form: { kind: 'none', reason: 'It is odd.' } };
const model = [
  options(conv('one', 32, 16, 3, 16), 0.7, 3),
  options(conv('two', 64, 32, 3, 8), 0.9, 5),
  { layer: odd, choices: [] },
  options(conv('fc', 100, 512), 0.95, 2),
] as const satisfies readonly LayerOptions[];
const sum = (of: 'parameters' | 'macs') =>
  model.reduce((all, { choices: [first] }) => all + (first ? first.candidate.dense[of]! : 0), 0);
const totals = { parameters: sum('parameters') + 500, macs: sum('macs') };

const found = (plan: BudgetPlan | Unreachable): BudgetPlan => {
  assert.ok('picks' in plan, JSON.stringify(plan));
  return plan;
};

const laddered = (option: LayerOptions, changed: Partial<typeof settings> = {}): Ladder =>
  ladder(option, 0, { ...settings, ...changed })!;

test('a ladder climbs: each setting saves, costs more than the one before and loses less', () => {
  for (const option of model) {
    for (const block of [1, 8, 16]) {
      const rungs = ladder(option, 0, { ...settings, block })?.rungs;
      assert.equal(rungs === undefined, option.choices.length === 0);
      for (const [i, { cost, loss, pick }] of (rungs ?? []).entries()) {
        if (pick) {
          assert.ok(saves(pick.choice.candidate, pick.ranks));
          const { candidate } = pick.choice;
          const most = breakEvenRank(candidate);
          for (const [k, rank] of pick.ranks.entries())
            assert.equal(
              rank % blockOf(most ?? candidate.fullRanks[k]!, block),
              0,
              `${candidate.method} ${rank}`,
            );
          assert.equal(cost, pick.choice.candidate.cost(pick.ranks).parameters);
        }
        if (i > 0) assert.ok(cost > rungs![i - 1]!.cost && loss < rungs![i - 1]!.loss);
      }
      const top = rungs?.at(-1);
      assert.ok(!top || (top.loss === 0 && top.pick === undefined));
    }
  }
});

test('every aligned rank of every method with one rank is on the ladder or beaten', () => {
  for (const option of model) {
    for (const { candidate, known } of option.choices) {
      if (candidate.rankNames.length > 1) continue;
      const { rungs } = laddered(option, { block: 8 });
      const step = blockOf(breakEvenRank(candidate)!, 8);
      for (let rank = step; saves(candidate, [rank]); rank += step) {
        const { parameters } = candidate.cost([rank]);
        const error = candidate.error(known, [rank]) / known[0]!.total;
        const isThere = rungs.some((rung) => rung.cost <= parameters && rung.error <= error + 1e-15);
        assert.ok(isThere, `${candidate.method} ${rank}`);
      }
    }
  }
});

test('a method with two ranks has settings over the whole range of errors', () => {
  const { rungs } = laddered(options(conv('c', 64, 64, 3, 8), 0.8, 1, 'tucker2'));
  assert.ok(rungs.length > 15, `${rungs.length} settings`);
  assert.ok(rungs[0]!.error > 0.5 && rungs.at(-2)!.error < 1e-4);
});

test('a zero weight loses nothing at its cheapest', () => {
  const { rungs } = laddered(options(conv('zero', 64, 64), 0.5, 0));
  assert.equal(rungs.length, 1);
  assert.deepEqual(rungs[0]!.pick!.ranks, [1]);
});

test('a layer without known MACs stays as it is in a budget of MACs', () => {
  const unknown = options(conv('u', 64, 32, 3, null), 0.5);
  const macs = { ...settings, measure: macsMeasure };
  assert.equal(ladder(unknown, 0, macs), undefined);
  const prepared = prepareBudget([unknown, ...model], totals, totals.macs, macs);
  const plan = found(planBudget(prepared, { kind: 'cost', most: totals.macs / 2 }));
  assert.equal(plan.picks[0], undefined);
  assert.ok(plan.cost <= totals.macs / 2);
});

test('equals brute force over all ladders', () => {
  const prepared = prepareBudget(model, totals, totals.parameters, { ...settings, block: 8 });
  const groups = prepared.ladders.flatMap((each) => (each ? [each.rungs] : []));
  const fixed = 500;
  for (const share of [0.9, 0.5, 0.3, 0.15]) {
    const most = share * totals.parameters;
    let least = Infinity;
    for (const a of groups[0]!)
      for (const b of groups[1]!)
        for (const c of groups[2]!)
          if (fixed + a.cost + b.cost + c.cost <= most) least = Math.min(least, a.loss + b.loss + c.loss);
    const plan = found(planBudget(prepared, { kind: 'cost', most }));
    assert.ok(Math.abs(plan.loss - least) < 1e-12 && plan.gap === 0, `${plan.loss} instead of ${least}`);
    assert.equal(plan.cost, plan.after.parameters);
    assert.equal(plan.picks[2], undefined);
    const dual = found(planBudget(prepared, { kind: 'loss', most: plan.loss }));
    assert.ok(dual.cost <= plan.cost && dual.loss <= plan.loss * (1 + 1e-12));
  }
});

test('loses no more than one energy threshold for all layers at the same budget', () => {
  const single = model.map((option) => ({
    ...option,
    choices: option.choices.filter(({ candidate }) => candidate.rankNames.length === 1),
  }));
  for (const kind of ['parameters', 'macs'] as const) {
    const measure = kind === 'macs' ? macsMeasure : parametersMeasure;
    const prepared = prepareBudget(single, totals, totals[kind], { ...settings, measure });
    for (const share of [0.8, 0.5, 0.25]) {
      const planned = makePlan(single, totals, { kind, share });
      assert.ok('plan' in planned);
      let loss = 0;
      for (const [i, each] of planned.plan.layers.entries()) {
        if (each.kind === 'dense') continue;
        const { candidate, known } = single[i]!.choices.find((c) => c.candidate.method === each.method)!;
        loss += candidate.error(known, each.ranks) / known[0]!.total;
      }
      const plan = found(planBudget(prepared, { kind: 'cost', most: share * totals[kind] }));
      assert.ok(plan.after[kind]! <= share * totals[kind]);
      assert.ok(plan.loss <= loss * (1 + 1e-9), `${kind} ${share}: ${plan.loss}, threshold ${loss}`);
    }
  }
});

test('everything fits: all layers stay; nothing fits: the least cost is named, and reachable', () => {
  const prepared = prepareBudget(model, totals, totals.parameters, settings);
  const all = found(planBudget(prepared, { kind: 'cost', most: totals.parameters }));
  const nothing = { picks: model.map(() => undefined), cost: totals.parameters, after: totals };
  assert.deepEqual(all, { ...nothing, loss: 0, time: 0, gap: 0 });
  assert.deepEqual(planBudget(prepared, { kind: 'loss', most: 0 }), all);
  const none = planBudget(prepared, { kind: 'cost', most: 501 });
  assert.ok('leastCost' in none);
  assert.equal(found(planBudget(prepared, { kind: 'cost', most: none.leastCost })).cost, none.leastCost);
});

test('bytes are parameters times the size of an element; milliseconds may follow the method', () => {
  const bytes = { ...settings, measure: bytesMeasure };
  const typed = model.map((o) => ({
    ...o,
    layer: { ...o.layer, elementBytes: o.layer.name === 'fc' ? 2 : 4 },
  }));
  const before = typed.reduce((all, o) => all + (ladder(o, 0, bytes)?.dense ?? 0), 500 * 4);
  assert.equal(ladder(model[0], 0, bytes), undefined);
  const plan = found(
    planBudget(prepareBudget(typed, totals, before, bytes), { kind: 'cost', most: before / 2 }),
  );
  assert.ok(plan.cost <= before / 2 && plan.cost > 0.45 * before);

  const measure: CostMeasure = (_, { macs }, pick) =>
    macs! * (pick?.choice.candidate.method === 'spatial' ? 10 : 1) * 1e-6;
  const timed = prepareBudget(model, totals, totals.macs * 1e-6, { ...settings, measure });
  const { picks } = found(planBudget(timed, { kind: 'cost', most: totals.macs * 0.5e-6 }));
  const methods = picks.map((pick) => pick?.choice.candidate.method);
  assert.ok(methods.some(Boolean) && !methods.includes('spatial'));
});
