import { tensorTrain } from '../../tensor/tensorTrain';
import { convCandidate } from '../conv/convCandidate';
import { kernelUnfolding } from '../conv/kernelUnfolding';
import { inRingOrder, ringChain, ringFactors } from '../conv/ringChain';
import type { ConvForm } from '../layer';
import type { Candidate } from '../method';
import { byTails, trainFit } from '../prediction';
import { spectrumSeries } from '../unfolding';

/**
 * A tensor train of a convolution's kernel over (in, kh, kw, out): 1 × 1 to r₁ channels, kh × 1 to r₂, 1 × kw to r₃,
 * 1 × 1 (Garipov et al. 2016, §4, with the spatial axes as modes of their own): r₁C + r₁r₂kh + r₂r₃kw + r₃S
 * parameters. For kernels with two axes. Its error is at most that of the three cuts together.
 */
export function tt(form: ConvForm): Candidate {
  const { groupChannels: channels, kernel } = form;
  const [kh = 1, kw = 1] = kernel;
  const out = form.outChannels / form.groups;
  const fullRanks = [
    Math.min(channels, kh * kw * out),
    Math.min(channels * kh, kw * out),
    Math.min(out, channels * kh * kw),
  ];
  const fit = trainFit([channels, kh, kw, out]);
  const cuts = [['in'], ['in', 0], ['out']] as const;
  return convCandidate(form, {
    method: 'tt',
    rankNames: ['r1', 'r2', 'r3'],
    fullRanks,
    ...byTails(
      cuts.map((rows) => spectrumSeries(kernelUnfolding(form, rows))),
      fullRanks,
      fit,
    ),
    steps: (ranks) => ringChain(form, [1, ...fit.down(ranks)]),
    decompose: (linalg, whole, ranks, onProgress) =>
      ringFactors(
        [1, ...fit.down(ranks)],
        tensorTrain(linalg, inRingOrder(whole), fit.down(ranks), { onProgress }).cores,
      ),
  });
}
