import { tensor, unfold } from '../../tensor/tensor';
import { truncatedSvd } from '../../tensor/truncatedSvd';
import { point, spanning } from '../conv/chain';
import { convCandidate } from '../conv/convCandidate';
import { kernelUnfolding } from '../conv/kernelUnfolding';
import type { ConvForm } from '../layer';
import { type Candidate, product } from '../method';
import { byTails } from '../prediction';
import { spectrumSeries } from '../unfolding';

/**
 * A convolution to r channels with the kernel of the original, then a 1 × 1 convolution (Zhang et al. 2015, §3.1):
 * W unfolded as out × (in · kernel), r · (C · k² + S) parameters. For 1 × 1 kernels this is the plain `svd` of the
 * matrix (Denton et al. 2014, §3.2). With g groups each group is factored by itself, r channels per group.
 * Transposed convolutions likewise; their first factor works at the input's resolution, the 1 × 1 at the output's.
 */
export function channel(form: ConvForm): Candidate {
  const { groupChannels, kernel } = form;
  const out = form.outChannels / form.groups;
  const fullRanks = [Math.min(out, groupChannels * product(kernel))];
  return convCandidate(form, {
    method: kernel.every((k) => k === 1) ? 'svd' : 'channel',
    rankNames: ['rank'],
    fullRanks,
    ...byTails([spectrumSeries(kernelUnfolding(form, ['out']))], fullRanks),
    steps: ([rank = 0]) => [spanning(form, groupChannels, rank), point(form, rank, out)],
    decompose(linalg, kernelTensor, [rank = 0], onProgress) {
      const { left, right } = truncatedSvd(linalg, unfold(kernelTensor, [0]), rank, onProgress);
      return [
        tensor([rank, groupChannels, ...kernel], right.data),
        tensor([out, rank, ...kernel.map(() => 1)], left.data),
      ];
    },
  });
}
