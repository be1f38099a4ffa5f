import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DEFAULT_SENSITIVITY,
  SENSITIVITIES,
  type Sensitivity,
} from '../../src/core/compress/budget/sensitivity';
import type { FormedLayer } from '../../src/core/compress/layer';

const layer: FormedLayer = {
  name: 'one',
  parameters: 1,
  form: { kind: 'none', reason: 'No form is needed.' },
};
const lossOf = (rule: Sensitivity, error: number, energy = 1, position = 0) =>
  rule({ layer, energy, position })(error, error);

test('every rule is 0 at 0, rises, and stays finite when nothing of a weight is left', () => {
  for (const [name, rule] of Object.entries(SENSITIVITIES)) {
    assert.equal(lossOf(rule, 0), 0, name);
    for (let error = 0; error < 1; error += 0.01)
      assert.ok(lossOf(rule, error + 0.01) > lossOf(rule, error), `${name} at ${error}`);
    assert.ok(Number.isFinite(lossOf(rule, 1)), name);
  }
});

test('small errors count as they are, scaled by energy or position where the rule says so', () => {
  const { uniform, energy, kept, early } = SENSITIVITIES;
  assert.equal(lossOf(uniform, 0.25, 7, 0.3), 0.25);
  assert.equal(lossOf(energy, 0.25, 8, 0.3), 2);
  for (const [position, weight] of [
    [0, 2],
    [0.5, 1.5],
    [1, 1],
  ] as const) {
    assert.ok(Math.abs(lossOf(kept, 1e-6, 7, position) / 1e-6 - 1) < 1e-5);
    assert.ok(Math.abs(lossOf(early, 1e-6, 7, position) / 1e-6 - weight) < 1e-5);
  }
});

test('the least sum of `kept` is the largest product of shares that layers keep', () => {
  const errors = [0.1, 0.4, 0.75];
  const sum = errors.reduce((all, error) => all + lossOf(SENSITIVITIES.kept, error), 0);
  assert.ok(Math.abs(Math.exp(-sum) - 0.9 * 0.6 * 0.25) < 1e-15);
});

test('the default is one of the rules', () => {
  assert.ok(DEFAULT_SENSITIVITY in SENSITIVITIES);
});
