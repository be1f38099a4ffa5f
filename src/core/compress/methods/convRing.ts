import type { Numbers } from '../../tensor/matrix';
import { permuteAxes } from '../../tensor/permute';
import { type Tensor, tensor } from '../../tensor/tensor';
import { tensorRing } from '../../tensor/tensorRing';
import { tensorTrain } from '../../tensor/tensorTrain';
import { type ChainStep, chainCost, denseCost, point, spanning } from '../conv/chain';
import { convCandidate } from '../conv/convCandidate';
import { kernelUnfolding } from '../conv/kernelUnfolding';
import type { ConvForm } from '../layer';
import { type Candidate, product, type Ranks } from '../method';
import { byTails, byTrial, trainFit } from '../prediction';
import { RING_RANKS, trialSeries } from '../trial';
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
    steps: (ranks) => chain(form, [1, ...fit.down(ranks)]),
    decompose: (linalg, whole, ranks, onProgress) =>
      factorsOf(
        [1, ...fit.down(ranks)],
        tensorTrain(linalg, inRingOrder(whole), fit.down(ranks), { onProgress }).cores,
      ),
  });
}

/**
 * A tensor ring of a convolution's kernel over (in, kh, kw, out) (Wang et al. 2018, §3.2): like the train, but with a
 * bond r₀ that goes around. Its r₀ slices stand in the batch while they meet the two spatial factors, which they
 * share: r₀r₁C + r₁r₂kh + r₂r₃kw + r₃r₀S parameters. Without other wishes all ranks are the same, as in that paper.
 */
export function tr(form: ConvForm): Candidate {
  const { groupChannels: channels, outChannels: out, kernel } = form;
  const parameters = (ranks: Ranks) => chainCost(form, chain(form, ranks)).parameters;
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
    ...byTrial(series, settings, parameters, (rank) => [uniform(rank)]),
    steps: (ranks) => chain(form, ranks),
    decompose: (linalg, whole, ranks, onProgress) =>
      factorsOf(ranks, tensorRing(linalg, inRingOrder(whole), ranks, { onProgress }).cores),
  });
}

function chain(form: ConvForm, [r0 = 1, r1 = 0, r2 = 0, r3 = 0]: Ranks): readonly ChainStep[] {
  const out = form.outChannels / form.groups;
  const between = [spanning(form, r1, r2, { axis: 0 }), spanning(form, r2, r3, { axis: 1 })];
  return [
    point(form, form.groupChannels, r0 * r1),
    ...(r0 > 1 ? [{ kind: 'split', parts: r0 } as const, ...between, { kind: 'join' } as const] : between),
    point(form, r0 * r3, out),
  ];
}

/** `[out, in, kh, kw]` as `[in, kh, kw, out]`. */
function inRingOrder<T extends Numbers>({ dims, data }: Tensor<T>): Tensor<T> {
  const order = [1, 2, 3, 0];
  return tensor(
    order.map((axis) => dims[axis]!),
    permuteAxes(data, dims, order),
  );
}

/** Cores `[rᵢ, n, rᵢ₊₁]` of (in, kh, kw, out) as the weights of the chain. */
function factorsOf<T extends Numbers>(
  [r0 = 1, r1 = 0, r2 = 0, r3 = 0]: Ranks,
  cores: readonly Tensor<T>[],
): readonly Tensor<T>[] {
  const [first, vertical, horizontal, last] = cores as readonly [Tensor<T>, Tensor<T>, Tensor<T>, Tensor<T>];
  const permuted = ({ dims, data }: Tensor<T>, order: readonly number[]) => permuteAxes(data, dims, order);
  return [
    tensor([r0 * r1, first.dims[1]!, 1, 1], permuted(first, [0, 2, 1])),
    tensor([r2, r1, vertical.dims[1]!, 1], permuted(vertical, [2, 0, 1])),
    tensor([r3, r2, 1, horizontal.dims[1]!], permuted(horizontal, [2, 0, 1])),
    tensor([last.dims[1]!, r0 * r3, 1, 1], permuted(last, [1, 2, 0])),
  ];
}
