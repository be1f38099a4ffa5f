import { tensorTrain } from '../../tensor/tensorTrain';
import type { MatMulForm } from '../layer';
import { type Candidate, product } from '../method';
import { byTails, trainFit } from '../prediction';
import { spectrumSeries } from '../unfolding';
import { cut, matrixRing, pairSizes, type RingModes } from './matrixRing';

/**
 * A matrix as a tensor train over pairs of modes (mᵢ, nᵢ) (Novikov et al. 2015, §3–4): Σ rᵢ₋₁ mᵢ nᵢ rᵢ parameters. In
 * the graph its cores are plain matrices between which the activations are reshaped and transposed.
 */
export function ttMatrix(form: MatMulForm, modes: RingModes): Candidate {
  const cuts = modes.m.slice(1).map((_, i) => cut(form, modes, i + 1));
  const sizes = pairSizes(modes);
  const fit = trainFit(sizes);
  const fullRanks = cuts.map((_, i) => Math.min(product(sizes.slice(0, i + 1)), product(sizes.slice(i + 1))));
  return matrixRing(form, modes, 'tt', {
    rankNames: fullRanks.map((_, i) => `r${i + 1}`),
    fullRanks,
    ...byTails(cuts.map(spectrumSeries), fullRanks, fit),
    bonds: (ranks) => [1, ...fit.down(ranks)],
    decompose: (linalg, x, ranks, onProgress) =>
      tensorTrain(linalg, x, fit.down(ranks), { onProgress }).cores,
  });
}
