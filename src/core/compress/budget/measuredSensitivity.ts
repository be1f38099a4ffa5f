import { DEFAULT_SENSITIVITY, SENSITIVITIES, type Sensitivity, type SensitivityName } from './sensitivity';

/** What a cut of one layer alone did to the outputs of the model. */
export interface Probe {
  /** The layer's own squared relative error, between 0 and 1. */
  readonly error: number;
  /** How far the outputs moved; 0 or more, in one unit for all layers. */
  readonly damage: number;
}

/** The name that plans give to a sensitivity that was measured on calibration data. */
export const MEASURED = 'measured';

/** By what a plan says the errors of its layers were weighed: a rule, or what was measured. */
export type PlanSensitivity = SensitivityName | typeof MEASURED;

/** Smaller damages are the rounding of the outputs. */
const LEAST_DAMAGE = 1e-9;

/**
 * What an error of a layer does to the outputs, from a few probes: straight lines between them on logarithmic scales,
 * in proportion to the error in front of the first and behind the last. It rises throughout: a probe that did less
 * than one at a smaller error counts as that one.
 */
export function damageCurve(probes: readonly Probe[]): (error: number) => number {
  const points: { readonly error: number; readonly damage: number }[] = [];
  let most = LEAST_DAMAGE;
  for (const { error, damage } of [...probes].sort((a, b) => a.error - b.error)) {
    if (!(error > 0) || !Number.isFinite(damage) || error === points.at(-1)?.error) continue;
    most = Math.max(most, damage);
    points.push({ error, damage: most });
  }
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return (error) => error;
  return (error) => {
    if (!(error > 0)) return 0;
    if (error <= first.error) return first.damage * (error / first.error);
    if (error >= last.error) return last.damage * (error / last.error);
    const to = points.findIndex((point) => point.error >= error);
    const [a, b] = [points[to - 1]!, points[to]!];
    const share = Math.log(error / a.error) / Math.log(b.error / a.error);
    // A level stretch would make errors of different size cost the same.
    return a.damage * (b.damage / a.damage) ** share * (1 + 1e-6 * share);
  };
}

/** The error at which a curve has this damage; at most 1. */
export function errorOf(curve: (error: number) => number, damage: number): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (curve(middle) < damage) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * The rule of measured curves, by the names of the layers. A layer without probes is taken as the mean of the others; where
 * nothing was measured the rule is the one that needs no data.
 */
export function measuredSensitivity(probes: ReadonlyMap<string, readonly Probe[]>): Sensitivity {
  const curves = new Map([...probes].map(([name, own]) => [name, damageCurve(own)]));
  if (curves.size === 0) return SENSITIVITIES[DEFAULT_SENSITIVITY];
  const mean = (error: number) => {
    let sum = 0;
    for (const curve of curves.values()) sum += curve(error);
    return sum / curves.size;
  };
  return ({ layer }) => curves.get(layer.name) ?? mean;
}
