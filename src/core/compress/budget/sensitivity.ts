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

/** How a rule that needs no data weighs a layer. */
export type SensitivityName = 'uniform' | 'energy' | 'kept' | 'early';

/**
 * Rules that need no data. On the Fashion-MNIST nets (10,000 test images, weights only, methods of `auto`, every rank
 * allowed) they leave these percentages of right answers, VGG at 2 / 3 / 5× fewer MACs, VGG at 2 / 3 / 5× fewer
 * parameters, MLP at 20 / 40× fewer parameters; one energy threshold for all layers (`makePlan`) for comparison:
 *
 *     uniform    91.6 / 90.3 / 81.2   92.1 / 92.1 / 92.0   87.5 / 47.9
 *     energy     91.0 / 41.2 / 10.4   92.1 / 92.1 / 91.3   34.5 / 15.2
 *     kept       91.6 / 91.1 / 89.1   92.1 / 92.1 / 92.0   86.4 / 47.9
 *     early      91.7 / 91.1 / 89.3   92.1 / 92.1 / 92.0   87.5 / 47.9
 *     threshold  38.9 / 19.0 / 22.2   26.1 / 34.2 / 26.6   36.3 / 15.2
 *
 * Differences below 0.3 points are noise, and the rules, `early` last of some fifteen, were compared on these very
 * images and nets.
 */
export const SENSITIVITIES: Readonly<Record<SensitivityName, Sensitivity>> = {
  /** The squared relative error: each layer's counts the same. */
  uniform: () => (error) => error,
  /** The squared error, ‖W − Ŵ‖². */
  energy: (weight) => (error) => error * weight.energy,
  /**
   * The logarithm of what is left of ‖W‖²: the least sum is the largest product of the layers' shares. Zhang et al.
   * 2015 choose ranks by such a product, of PCA energies of outputs.
   */
  kept: () => kept,
  /** As `kept`, and up to twice as much for layers further in front: their errors go through all the others. */
  early: ({ position }) => {
    const weight = 2 - position;
    return (error) => weight * kept(error);
  },
};

/** What to take where nothing was measured: the best of the table. */
export const DEFAULT_SENSITIVITY: SensitivityName = 'early';

/** Finite where nothing is left. */
function kept(error: number): number {
  return -Math.log(Math.max(1e-12, 1 - error)) || 0;
}
