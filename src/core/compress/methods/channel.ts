import type { ConvForm } from '../layer';
import { type Candidate, candidate, identityPermutation, product } from '../method';
import { convCost, convPair, outputPositions } from './convPair';

/**
 * A convolution to r channels with the kernel of the original, then a 1 × 1 convolution (Zhang et al. 2015, §3.1):
 * W unfolded as out × (in · kernel), r · (C · k² + S) parameters. For 1 × 1 kernels this is the plain `svd` of the
 * matrix (Denton et al. 2014, §3.2). With g groups each group is factored by itself, r channels per group.
 */
export function channel(form: ConvForm): Candidate {
  const { groups, groupChannels, kernel, outChannels } = form;
  const groupOut = outChannels / groups;
  const dims = [groupOut, groupChannels, ...kernel];
  const order = identityPermutation(dims.length);
  const ones = kernel.map(() => 1);
  const positions = outputPositions(form);
  return candidate({
    method: kernel.every((k) => k === 1) ? 'svd' : 'channel',
    unfolding: { groups, dims, permutation: order, rowAxes: 1 },
    dense: convCost(outChannels * groupChannels * product(kernel), positions),
    perRank: convCost(groups * groupChannels * product(kernel) + outChannels, positions),
    folds: (rank) => [
      {
        side: 'right',
        dims: [rank, groupChannels, ...kernel],
        permutation: order,
        shape: [groups * rank, groupChannels, ...kernel],
      },
      {
        side: 'left',
        dims: [groupOut, rank, ...ones],
        permutation: order,
        shape: [outChannels, rank, ...ones],
      },
    ],
    nodes: (node, weights, fresh) =>
      convPair(node, weights, fresh, groups, kernel, ones, (geometry) => [geometry, undefined]),
  });
}
