import { tensorRing } from '../../tensor/tensorRing';
import { chainCost, denseCost } from '../conv/chain';
import { convCandidate } from '../conv/convCandidate';
import { inRingOrder, ringChain, ringFactors } from '../conv/ringChain';
import type { ConvForm } from '../layer';
import { type Candidate, product, type Ranks } from '../method';
import { byTrial } from '../prediction';
import { RING_RANKS, refuseTrain, trialSeries } from '../trial';

/**
 * A tensor ring of a convolution's kernel over (in, kh, kw, out) (Wang et al. 2018, §3.2): like the train, but with a
 * bond r₀ that goes around. Its r₀ slices stand in the batch while they meet the two spatial factors, which they
 * share: r₀r₁C + r₁r₂kh + r₂r₃kw + r₃r₀S parameters. Without other wishes all ranks are the same, as in that paper.
 */
export function tr(form: ConvForm): Candidate {
  const { groupChannels: channels, outChannels: out, kernel } = form;
  const parameters = (ranks: Ranks) => chainCost(form, ringChain(form, ranks)).parameters;
  const uniform = (rank: number): Ranks => [rank, rank, rank, rank];
  const settings = RING_RANKS.map(uniform).filter((ranks) => parameters(ranks) < denseCost(form).parameters);
  const size = channels * out * product(kernel);
  const work = settings.reduce((sum, [rank = 0]) => sum + 60 * size * rank * rank, 0);
  const series = trialSeries(
    form,
    'tr',
    settings,
    work,
    (linalg, whole, ranks, onProgress) => tensorRing(linalg, inRingOrder(whole), ranks, { onProgress }).error,
  );
  return convCandidate(form, {
    method: 'tr',
    rankNames: ['r0', 'r1', 'r2', 'r3'],
    fullRanks: uniform(Math.max(1, ...settings.map(([rank = 1]) => rank))),
    ...byTrial(series, settings, parameters, uniform(Number.POSITIVE_INFINITY), (rank) => [uniform(rank)]),
    takes: refuseTrain,
    steps: (ranks) => ringChain(form, ranks),
    decompose: (linalg, whole, ranks, onProgress) =>
      ringFactors(ranks, tensorRing(linalg, inRingOrder(whole), ranks, { onProgress }).cores),
  });
}
