import type { ConvForm } from '../layer';
import { type Candidate, candidate, identityPermutation, product } from '../method';
import { convPair, geometryOf, macsAt, outputPositions, workPositions } from './convPair';

/**
 * A convolution to r channels with the kernel of the original, then a 1 × 1 convolution (Zhang et al. 2015, §3.1):
 * W unfolded as out × (in · kernel), r · (C · k² + S) parameters. For 1 × 1 kernels this is the plain `svd` of the
 * matrix (Denton et al. 2014, §3.2). With g groups each group is factored by itself, r channels per group.
 * Transposed convolutions likewise; their first factor works at the input's resolution, the 1 × 1 at the output's.
 */
export function channel(form: ConvForm): Candidate {
  const { groups, groupChannels, kernel, outChannels, isTransposed } = form;
  const ones = kernel.map(() => 1);
  const weights = outChannels * groupChannels * product(kernel);
  const first = groups * groupChannels * product(kernel);
  const work = workPositions(form);
  const output = outputPositions(form);
  const factors = isTransposed ? transposedFactors(form) : plainFactors(form);
  return candidate({
    method: kernel.every((k) => k === 1) ? 'svd' : 'channel',
    unfolding: { groups, ...factors.unfolding },
    dense: { parameters: weights, macs: macsAt(weights, work) },
    perRank: {
      parameters: first + outChannels,
      macs: work === null || output === null ? null : first * work + outChannels * output,
    },
    folds: (rank) => [
      factors.kernelFold(rank),
      { ...factors.pointFold(rank), shape: [outChannels, rank, ...ones] },
    ],
    nodes: (node, names, fresh) =>
      convPair(node, names, fresh, groups, [
        { isTransposed, kernel, geometry: geometryOf(node, kernel.length) },
        { isTransposed: false, kernel: ones },
      ]),
  });
}

/** W[out, in, k…]: rows are output channels, so the right factor is the k × k filter bank as it stands. */
function plainFactors({ groups, groupChannels, kernel, outChannels }: ConvForm) {
  const groupOut = outChannels / groups;
  const dims = [groupOut, groupChannels, ...kernel];
  const order = identityPermutation(dims.length);
  return {
    unfolding: { dims, permutation: order, rowAxes: 1 },
    kernelFold: (rank: number) => ({
      side: 'right' as const,
      dims: [rank, groupChannels, ...kernel],
      permutation: order,
      shape: [groups * rank, groupChannels, ...kernel],
    }),
    pointFold: (rank: number) => ({ side: 'left' as const, dims: [groupOut, rank], permutation: [0, 1] }),
  };
}

/** W[in, out, k…]: columns are output channels, rows (in, k…). */
function transposedFactors({ groups, groupChannels, kernel, outChannels }: ConvForm) {
  const groupOut = outChannels / groups;
  const spatialAxes = kernel.map((_, i) => i + 2);
  const last = kernel.length + 1;
  return {
    unfolding: {
      dims: [groupChannels, groupOut, ...kernel],
      permutation: [0, ...spatialAxes, 1],
      rowAxes: last,
    },
    kernelFold: (rank: number) => ({
      side: 'left' as const,
      dims: [groupChannels, ...kernel, rank],
      permutation: [0, last, ...spatialAxes.map((axis) => axis - 1)],
      shape: [groups * groupChannels, rank, ...kernel],
    }),
    pointFold: (rank: number) => ({ side: 'right' as const, dims: [rank, groupOut], permutation: [1, 0] }),
  };
}
