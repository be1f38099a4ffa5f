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
 *
 * @param first the axis that the first factor acts on; with 1 it is 1 × kw, and the second kh × 1
 */
export function spatial(form: ConvForm, first: 0 | 1 = 0): Candidate {
  const { groupChannels, kernel } = form;
  const second = 1 - first;
  const out = form.outChannels / form.groups;
  const [one = 1, other = 1] = [kernel[first], kernel[second]];
  const along = (axis: number) => kernel.map((extent, i) => (i === axis ? extent : 1));
  const fullRanks = [Math.min(groupChannels * one, out * other)];
  return convCandidate(form, {
    method: 'spatial',
    rankNames: ['rank'],
    fullRanks,
    ...byTails([spectrumSeries(kernelUnfolding(form, ['in', first]))], fullRanks),
    steps: ([rank = 0]) => [
      spanning(form, groupChannels, rank, { axis: first }),
      spanning(form, rank, out, { axis: second }),
    ],
    decompose(linalg, kernelTensor, [rank = 0], onProgress) {
      const { left, right } = truncatedSvd(linalg, unfold(kernelTensor, [1, 2 + first]), rank, onProgress);
      return [
        tensor(
          [rank, groupChannels, ...along(first)],
          permuteAxes(left.data, [groupChannels, one, rank], [2, 0, 1]),
        ),
        tensor([out, rank, ...along(second)], permuteAxes(right.data, [rank, out, other], [1, 0, 2])),
      ];
    },
  });
}
