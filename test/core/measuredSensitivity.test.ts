import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  damageCurve,
  errorOf,
  measuredSensitivity,
} from '../../src/core/compress/budget/measuredSensitivity';
import { DEFAULT_SENSITIVITY, SENSITIVITIES } from '../../src/core/compress/budget/sensitivity';

const probes = [
  { error: 0.12, damage: 0.02 },
  { error: 0.005, damage: 0.001 },
  // Less than at a smaller error: noise.
  { error: 0.03, damage: 0.0005 },
  { error: 0.7, damage: 0.5 },
];
const layer = (name: string) => ({
  layer: { name, parameters: 1, form: { kind: 'none', reason: '' } } as const,
  energy: 1,
  position: 0.5,
});

test('a curve is 0 at 0, rises, and goes through what was measured', () => {
  const curve = damageCurve(probes);
  assert.equal(curve(0), 0);
  for (const { error, damage } of [probes[1]!, probes[0]!, probes[3]!])
    assert.ok(Math.abs(curve(error) / damage - 1) < 1e-5, `${error}`);
  assert.ok(Math.abs(curve(0.03) / 0.001 - 1) < 1e-5);
  let before = 0;
  for (let error = 1e-5; error <= 1; error *= 1.02) {
    assert.ok(curve(error) > before, `${error}`);
    before = curve(error);
  }
  // A power of the error between two probes, in proportion to it outside of them.
  assert.ok(Math.abs(curve(Math.sqrt(0.03 * 0.12)) / Math.sqrt(0.001 * 0.02) - 1) < 1e-5);
  assert.ok(Math.abs(curve(0.0025) / 0.0005 - 1) < 1e-9);
  assert.ok(Math.abs(curve(1) / (0.5 / 0.7) - 1) < 1e-5);
});

test('probes that say nothing are left out', () => {
  const curve = damageCurve([
    { error: 0, damage: 3 },
    { error: 0.1, damage: Number.NaN },
    { error: 0.2, damage: 0.4 },
    { error: 0.2, damage: 0.4 },
  ]);
  assert.ok(Math.abs(curve(0.1) - 0.2) < 1e-12);
  assert.equal(damageCurve([])(0.3), 0.3);
});

test('layers have their own curves, others the mean; without any the rule is the usual one', () => {
  const sensitivity = measuredSensitivity(
    new Map([
      ['a', [{ error: 0.1, damage: 1 }]],
      ['b', [{ error: 0.1, damage: 3 }]],
    ]),
  );
  assert.ok(Math.abs(sensitivity(layer('a'))(0.05, 0) - 0.5) < 1e-12);
  assert.ok(Math.abs(sensitivity(layer('b'))(0.05, 0) - 1.5) < 1e-12);
  assert.ok(Math.abs(sensitivity(layer('c'))(0.05, 0) - 1) < 1e-12);
  assert.equal(measuredSensitivity(new Map()), SENSITIVITIES[DEFAULT_SENSITIVITY]);
});

test('the error that belongs to a damage is found again, up to all there is', () => {
  const curve = damageCurve(probes);
  for (const error of [1e-4, 0.005, 0.02, 0.3, 0.9])
    assert.ok(Math.abs(errorOf(curve, curve(error)) / error - 1) < 1e-6, `${error}`);
  assert.equal(errorOf(curve, 1e9), 1);
  assert.ok(errorOf(curve, 0) < 1e-12);
});
