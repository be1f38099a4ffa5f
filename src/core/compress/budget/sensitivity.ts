import type { FormedLayer } from '../layer';

/** A weight as far as its share in the error of the model is judged. */
export interface Weighed {
  readonly layer: FormedLayer;
  /** ‖W‖². */
  readonly energy: number;
  /** Among all layers of the model, from 0 for the first to 1 for the last. */
  readonly position: number;
}

/**
 * What an error of a weight costs the model: from ‖W − Ŵ‖² / ‖W‖², between 0 and 1, to a loss that is summed over
 * layers. It is 0 at 0 and rises.
 */
export type Sensitivity = (weight: Weighed) => (error: number) => number;

/** Rules that need no data. */
export const SENSITIVITIES = {
  uniform: () => (error) => error,
  energy:
    ({ energy }) =>
    (error) =>
      error * energy,
  ratio: () => (error) => error / Math.max(1e-9, 1 - error),
} as const satisfies Readonly<Record<string, Sensitivity>>;
