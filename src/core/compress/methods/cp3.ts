import { spanning } from '../conv/chain';
import type { ConvForm } from '../layer';
import type { Candidate } from '../method';
import { polyadic } from './polyadic';

/**
 * CP decomposition with the kernel as one mode: 1 × 1, a depthwise convolution with the kernel of the original, and
 * 1 × 1 (Astrid & Lee 2017, §3): r · (C + k² + S) parameters.
 */
export function cp3(form: ConvForm): Candidate {
  return polyadic(form, 'cp3', [form.kernel], (rank) => [spanning(form, rank, rank, { groups: rank })]);
}
