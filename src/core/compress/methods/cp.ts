import { spanning } from '../conv/chain';
import type { ConvForm } from '../layer';
import type { Candidate } from '../method';
import { polyadic } from './polyadic';

/**
 * CP decomposition of a convolution into 1 × 1, kh × 1 depthwise, 1 × kw depthwise and 1 × 1 (Lebedev et al. 2015,
 * §3.2): r · (C + kh + kw + S) parameters. For kernels with two axes.
 */
export function cp(form: ConvForm): Candidate {
  const axes = form.kernel.map((extent) => [extent]);
  return polyadic(form, 'cp', axes, (rank) =>
    form.kernel.map((_, axis) => spanning(form, rank, rank, { groups: rank, axis })),
  );
}
