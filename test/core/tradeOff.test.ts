import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parametersMeasure } from '../../src/core/compress/budget/measure';
import { planBudget, prepareBudget } from '../../src/core/compress/budget/planBudget';
import { DEFAULT_SENSITIVITY, SENSITIVITIES } from '../../src/core/compress/budget/sensitivity';
import { tradeOff } from '../../src/core/compress/budget/tradeOff';
import { candidatesOf } from '../../src/core/compress/candidates';
import type { Form, FormedLayer } from '../../src/core/compress/layer';
import type { LayerOptions } from '../../src/core/compress/makePlan';
import { convForm, matmulForm } from '../support/forms';

function options(name: string, form: Form, ratio: number): LayerOptions {
  const layer: FormedLayer = { name, parameters: 0, elementBytes: 4, form };
  const choices = candidatesOf(layer, 'auto').candidates.map((candidate) => ({
    candidate,
    // All unfoldings of a weight have the same norm.
    known: candidate.fullRanks.map((full) => {
      const scale = (1 - ratio) / (1 - ratio ** full);
      return { energies: Float64Array.from({ length: full }, (_, k) => scale * ratio ** k), total: 1 };
    }),
  }));
  return { layer: { ...layer, parameters: choices[0]!.candidate.dense.parameters }, choices };
}

const odd: FormedLayer = { name: 'odd', parameters: 70, form: { kind: 'none', reason: 'It is odd.' } };
const model: readonly LayerOptions[] = [
  options('one', convForm(64, 32, [3, 3]), 0.9),
  options('two', convForm(128, 64, [3, 3]), 0.95),
  { layer: odd, choices: [], reason: 'It is odd.' },
  options('three', matmulForm(512, 100), 0.97),
];
const totals = {
  parameters:
    70 + model.reduce((sum, { choices: [first] }) => sum + (first?.candidate.dense.parameters ?? 0), 0),
  macs: model.reduce((sum, { choices: [first] }) => sum + (first?.candidate.dense.macs ?? 0), 0),
};

describe('the trade-off of a model', () => {
  for (const unit of ['parameters', 'macs'] as const) {
    it(`leads from the lowest ranks to the model as it is, in ${unit}`, () => {
      const found = tradeOff(model, totals, { unit })!;
      assert.equal(found.before, totals[unit]);
      assert.ok(found.points.length > 20 && found.points.length <= 30, String(found.points.length));
      for (const [i, point] of found.points.entries()) {
        assert.ok(
          Math.abs(point.cost - point[unit]!) <= 1e-6 * point.cost,
          'the cost is what the model comes to',
        );
        const last = found.points[i - 1];
        if (last) assert.ok(point.cost > last.cost);
      }
      const end = found.points.at(-1)!;
      assert.deepEqual(
        [end.parameters, end.macs, end.weightError, end.factored],
        [totals.parameters, totals.macs, 0, 0],
      );
      assert.ok(found.points[0]!.weightError > 0.5 && found.points[0]!.factored === 3);
    });
  }

  it('is made of the plans that the budget solver finds for these costs', () => {
    const unit = 'parameters';
    const found = tradeOff(model, totals, { unit, multiple: 8 })!;
    const sensitivity = SENSITIVITIES[DEFAULT_SENSITIVITY];
    const prepared = prepareBudget(model, totals, totals.parameters, {
      measure: parametersMeasure,
      sensitivity,
      block: 8,
    });
    for (const point of found.points) {
      const solved = planBudget(prepared, { kind: 'cost', most: point.cost });
      assert.ok('picks' in solved);
      // Solved exactly, no plan of this cost loses less: what the hulls give is such a plan.
      assert.equal(solved.cost, point.cost);
      const discarded = solved.picks.reduce((sum, pick) => {
        if (!pick) return sum;
        const { candidate, known } = pick.choice;
        return sum + Math.min(1, candidate.error(known, pick.ranks));
      }, 0);
      // All three weights have the norm 1.
      assert.ok(Math.abs(Math.sqrt(discarded / 3) - point.weightError) < 1e-9);
      assert.equal(solved.picks.filter((pick) => pick).length, point.factored);
    }
  });

  it('says nothing where the cost is not known', () => {
    assert.equal(tradeOff(model, { ...totals, macs: null }, { unit: 'macs' }), undefined);
  });

  it('is one point where nothing can be cut', () => {
    const only = [{ layer: odd, choices: [], reason: 'It is odd.' }];
    const { points } = tradeOff(only, { parameters: 70, macs: 5 }, { unit: 'parameters' })!;
    assert.deepEqual(points, [{ cost: 70, parameters: 70, macs: 5, weightError: 0, factored: 0 }]);
  });
});
