import { permuteAxes } from '../../tensor/permute';
import { tensor, unfold } from '../../tensor/tensor';
import { truncatedSvd } from '../../tensor/truncatedSvd';
import { spanning } from '../conv/chain';
import { convCandidate } from '../conv/convCandidate';
import { kernelUnfolding } from '../conv/kernelUnfolding';
import type { ConvForm } from '../layer';
import type { Candidate } from '../method';
import { byTails } from '../prediction';
import { spectrumSeries } from '../unfolding';

/**
 * A kh × 1 convolution to r channels, then a 1 × kw convolution (Jaderberg et al. 2014, §2.2; closed form of
 * Tai et al. 2015, Theorem 1): W unfolded as (in · kh) × (out · kw), r · (C · kh + S · kw) parameters. What lies
 * between the factors is as high as the output and as wide as the input, so with a stride their MACs differ from
 * what the parameters suggest. Transposed convolutions separate in the same way. For kernels with two axes.
 */
export function spatial(form: ConvForm): Candidate {
  const { groupChannels } = form;
  const [kh = 1, kw = 1] = form.kernel;
  const out = form.outChannels / form.groups;
  const fullRanks = [Math.min(groupChannels * kh, out * kw)];
  return convCandidate(form, {
    method: 'spatial',
    rankNames: ['rank'],
    fullRanks,
    ...byTails([spectrumSeries(kernelUnfolding(form, ['in', 0]))], fullRanks),
    steps: ([rank = 0]) => [
      spanning(form, groupChannels, rank, { axis: 0 }),
      spanning(form, rank, out, { axis: 1 }),
    ],
    decompose(linalg, kernel, [rank = 0], onProgress) {
      const { left, right } = truncatedSvd(linalg, unfold(kernel, [1, 2]), rank, onProgress);
      return [
        tensor([rank, groupChannels, kh, 1], permuteAxes(left.data, [groupChannels, kh, rank], [2, 0, 1])),
        tensor([out, rank, 1, kw], permuteAxes(right.data, [rank, out, kw], [1, 0, 2])),
      ];
    },
  });
}
