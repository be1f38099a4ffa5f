import { tensor } from '../../tensor/tensor';
import { transpose } from '../../tensor/transpose';
import { tucker2 as decompose } from '../../tensor/tucker2';
import { point, spanning } from '../conv/chain';
import { convCandidate } from '../conv/convCandidate';
import { kernelUnfolding } from '../conv/kernelUnfolding';
import type { ConvForm } from '../layer';
import { type Candidate, product } from '../method';
import { byTails } from '../prediction';
import { spectrumSeries } from '../unfolding';

/**
 * A 1 × 1 convolution to r₁ channels, one with the kernel of the original from r₁ to r₂, and a 1 × 1 convolution
 * back (Kim et al. 2016, §3.1): C · r₁ + r₁ · r₂ · k² + r₂ · S parameters. The first works at the input's resolution.
 * The predicted error is the bound of the truncated HOSVD; the fit (HOOI) is never above it.
 */
export function tucker2(form: ConvForm): Candidate {
  const { groupChannels, kernel } = form;
  const out = form.outChannels / form.groups;
  const spatial = product(kernel);
  const ones = kernel.map(() => 1);
  const fullRanks = [Math.min(groupChannels, out * spatial), Math.min(out, groupChannels * spatial)];
  const series = (['in', 'out'] as const).map((axis) => spectrumSeries(kernelUnfolding(form, [axis])));
  return convCandidate(form, {
    method: 'tucker2',
    rankNames: ['in', 'out'],
    fullRanks,
    ...byTails(series, fullRanks),
    steps: ([r1 = 0, r2 = 0]) => [
      point(form, groupChannels, r1),
      spanning(form, r1, r2),
      point(form, r2, out),
    ],
    decompose(linalg, kernelTensor, [r1 = 0, r2 = 0], onProgress) {
      const { factors, core } = decompose(linalg, kernelTensor, [0, 1], [r2, r1], { onProgress });
      const [left, right] = factors;
      return [
        tensor([r1, groupChannels, ...ones], transpose(right).data),
        core,
        tensor([out, r2, ...ones], left.data),
      ];
    },
  });
}
