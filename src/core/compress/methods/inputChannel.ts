import { fold, tensor, unfold } from '../../tensor/tensor';
import { transpose } from '../../tensor/transpose';
import { truncatedSvd } from '../../tensor/truncatedSvd';
import { point, spanning } from '../conv/chain';
import { convCandidate } from '../conv/convCandidate';
import { kernelUnfolding } from '../conv/kernelUnfolding';
import type { ConvForm } from '../layer';
import { type Candidate, product } from '../method';
import { byTails } from '../prediction';
import { spectrumSeries } from '../unfolding';

/**
 * A 1 × 1 convolution to r channels at the input's resolution, then a convolution with the kernel of the original:
 * W unfolded as in × (out · kernel), r · (C + S · k²) parameters. The mirror image of `channel` (Zhang et al. 2015,
 * §3.1, applied to the input side); with a stride its first factor costs more than its parameters suggest.
 */
export function inputChannel(form: ConvForm): Candidate {
  const { groupChannels, kernel } = form;
  const out = form.outChannels / form.groups;
  const fullRanks = [Math.min(groupChannels, out * product(kernel))];
  return convCandidate(form, {
    method: 'input-channel',
    rankNames: ['rank'],
    fullRanks,
    ...byTails([spectrumSeries(kernelUnfolding(form, ['in']))], fullRanks),
    steps: ([rank = 0]) => [point(form, groupChannels, rank), spanning(form, rank, out)],
    decompose(linalg, kernelTensor, [rank = 0], onProgress) {
      const { left, right } = truncatedSvd(linalg, unfold(kernelTensor, [1]), rank, onProgress);
      return [
        tensor([rank, groupChannels, ...kernel.map(() => 1)], transpose(left).data),
        fold(right, [1], [out, rank, ...kernel]),
      ];
    },
  });
}
