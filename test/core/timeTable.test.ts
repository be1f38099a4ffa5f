import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { candidatesOf } from '../../src/core/compress/candidates';
import {
  type LayerTimes,
  settingsToTime,
  type TimeTable,
  timeMeasure,
} from '../../src/core/compress/latency/timeTable';
import { type LayerOptions, makePlan } from '../../src/core/compress/makePlan';
import { type Candidate, type Ranks, saves } from '../../src/core/compress/method';
import { isTimed, parseTarget, printTarget } from '../../src/core/compress/plan';
import { convForm, matmulForm } from '../support/forms';

const model: readonly LayerOptions[] = [
  { ...convForm(128, 128, [3, 3]), calls: [{ batch: 1, inputSize: [14, 14], outputSize: [14, 14] }] },
  { ...convForm(256, 128, [3, 3]), calls: [{ batch: 1, inputSize: [7, 7], outputSize: [7, 7] }] },
  { ...matmulForm(512, 512), vectors: 1 },
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
const totals = {
  parameters: model.reduce((sum, { layer }) => sum + layer.parameters, 0),
  macs: model.reduce((sum, { choices }) => sum + choices[0]!.candidate.dense.macs!, 0),
};

/** Milliseconds in proportion to MACs, `overhead` on top of each setting. */
function tableOf(overhead: (layer: string) => number, rest = 1): TimeTable {
  const layers = model.map((option): [string, LayerTimes] => {
    const ms = (macs: number | null) => macs! / 1e7;
    const { name } = option.layer;
    return [
      name,
      {
        dense: ms(option.choices[0]!.candidate.dense.macs),
        settings: settingsToTime(option).map(({ candidate, ranks }) => ({
          method: candidate.method,
          ranks,
          ms: ms(candidate.cost(ranks).macs) + overhead(name),
        })),
      },
    ];
  });
  return { layers: new Map(layers), modelMs: layers.reduce((sum, [, { dense }]) => sum + dense, rest) };
}

const planned = (found: ReturnType<typeof makePlan>) => {
  assert.ok('plan' in found, JSON.stringify(found));
  return found;
};

describe('a table of times', () => {
  it('is asked for a few settings of each method, which save, in whole blocks', () => {
    for (const option of model) {
      const settings = settingsToTime(option);
      for (const { candidate, ranks } of settings) assert.ok(saves(candidate, ranks));
      for (const { candidate } of option.choices) {
        const own = settings.filter((each) => each.candidate === candidate);
        assert.ok(own.length >= 2 && own.length <= 6, `${candidate.method}: ${own.length}`);
      }
    }
  });

  it('gives what was measured where it was, something between its neighbours elsewhere, nothing that is not faster', () => {
    const table = tableOf(() => 0);
    const measure = timeMeasure(table);
    for (const { layer, choices } of model) {
      const { dense, settings } = table.layers.get(layer.name)!;
      assert.equal(measure(layer, choices[0]!.candidate.dense, undefined), dense);
      const at = (candidate: Candidate, ranks: Ranks) =>
        measure(layer, candidate.cost(ranks), { choice: { candidate, known: [] }, ranks });
      for (const { candidate } of choices) {
        const own = settings.filter(({ method }) => method === candidate.method);
        for (const { ranks, ms } of own) assert.equal(at(candidate, ranks), ms < 0.97 * dense ? ms : null);
        if (candidate.rankNames.length > 1) continue;
        for (const [i, { ranks, ms }] of own.slice(1).entries()) {
          const before = own[i]!;
          const middle = Math.round((before.ranks[0]! + ranks[0]!) / 32) * 16;
          if (middle <= before.ranks[0]! || middle >= ranks[0]!) continue;
          const found = at(candidate, [middle]);
          if (found !== null)
            assert.ok(found > 0.9 * before.ms && found < 1.1 * ms, `${candidate.method} ${middle}`);
        }
      }
    }
    assert.equal(
      measure({ ...model[0]!.layer, name: 'other' }, model[0]!.choices[0]!.candidate.dense, undefined),
      null,
    );
  });

  it('is kept to by a plan for milliseconds or a share of the time', () => {
    const table = tableOf(() => 0.01);
    const measure = timeMeasure(table);
    for (const share of [0.8, 0.5, 0.3]) {
      const plan = planned(makePlan(model, totals, { kind: 'time', share }, { times: table }));
      const sum = plan.plan.layers.reduce((all, each, i) => {
        const { layer, choices } = model[i]!;
        if (each.kind === 'dense') return all + table.layers.get(layer.name)!.dense;
        const choice = choices.find(({ candidate }) => candidate.method === each.method)!;
        return all + measure(layer, choice.candidate.cost(each.ranks), { choice, ranks: each.ranks })!;
      }, 1);
      assert.ok(sum <= share * table.modelMs * (1 + 1e-9), `${sum} of ${share * table.modelMs}`);
      assert.ok(plan.plan.layers.some(({ kind }) => kind === 'factor'));
      const same = planned(
        makePlan(model, totals, { kind: 'ms', ms: share * table.modelMs }, { times: table }),
      );
      assert.deepEqual(same.plan.layers, plan.plan.layers);
    }
  });

  it('leaves a layer as it is, with what was measured, where nothing is faster', () => {
    const slow = 'layer 0';
    const { dense } = tableOf(() => 0).layers.get(slow)!;
    const table = tableOf((name) => (name === slow ? dense : 0));
    const plan = planned(makePlan(model, totals, { kind: 'time', share: 0.9 }, { times: table }));
    const [first, ...others] = plan.plan.layers;
    assert.ok(first?.kind === 'dense', JSON.stringify(first));
    assert.match(first.reason, /^Factored it was measured 1\.\d\d× slower on this machine\.$/);
    assert.ok(others.some(({ kind }) => kind === 'factor'));
  });

  it('is missed: there is no plan without it, nor for less than the least time', () => {
    for (const goal of ['time=0.5', 'ms=1']) {
      const none = makePlan(model, totals, parseTarget(goal)!);
      assert.ok('refusal' in none && /was not measured/.test(none.refusal));
    }
    const none = makePlan(model, totals, { kind: 'ms', ms: 0.5 }, { times: tableOf(() => 0) });
    assert.ok('refusal' in none);
    assert.match(
      none.refusal,
      /^0\.5 ms can't be reached: with the lowest ranks in every layer .* ms of .* ms remain\.$/,
    );
  });
});

describe('a goal of time', () => {
  it('is read as it is printed', () => {
    for (const text of ['time=0.5', 'ms=1.5', 'ms=20']) {
      const target = parseTarget(text)!;
      assert.equal(printTarget(target), text);
      assert.ok(isTimed(target));
    }
    for (const text of ['time=1', 'time=0', 'ms=0', 'ms=', 'time=2'])
      assert.equal(parseTarget(text), undefined);
    assert.ok(!isTimed(parseTarget('macs=0.5')!));
  });
});
