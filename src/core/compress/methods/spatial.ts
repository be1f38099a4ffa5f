import type { ConvForm } from '../layer';
import { type Candidate, candidate } from '../method';
import { convCost, convPair, outputPositions } from './convPair';

/**
 * A kh × 1 convolution to r channels, then a 1 × kw convolution (Jaderberg et al. 2014, §2.2; closed form of
 * Tai et al. 2015, Theorem 1): W unfolded as (in · kh) × (out · kw), r · (C · kh + S · kw) parameters. The first
 * factor works on rows as wide as the input, so with a stride its MACs weigh more than its parameters.
 */
export function spatial(form: ConvForm): Candidate {
  const { groups, groupChannels, outChannels, batch, inputSize, outputSize } = form;
  const [kh = 1, kw = 1] = form.kernel;
  const groupOut = outChannels / groups;
  const first = groups * groupChannels * kh;
  const second = outChannels * kw;
  const positions = outputPositions(form);
  const tallPositions =
    batch !== null && inputSize && outputSize ? batch * outputSize[0]! * inputSize[1]! : null;
  return candidate({
    method: 'spatial',
    unfolding: { groups, dims: [groupOut, groupChannels, kh, kw], permutation: [1, 2, 0, 3], rowAxes: 2 },
    dense: convCost(outChannels * groupChannels * kh * kw, positions),
    perRank: {
      parameters: first + second,
      macs: tallPositions === null || positions === null ? null : first * tallPositions + second * positions,
    },
    folds: (rank) => [
      {
        side: 'left',
        dims: [groupChannels, kh, rank],
        permutation: [2, 0, 1],
        shape: [groups * rank, groupChannels, kh, 1],
      },
      {
        side: 'right',
        dims: [rank, groupOut, kw],
        permutation: [1, 0, 2],
        shape: [outChannels, rank, 1, kw],
      },
    ],
    // The vertical factor takes the vertical stride, dilation and pads, the horizontal one the horizontal.
    nodes: (node, weights, fresh) =>
      convPair(node, weights, fresh, groups, [kh, 1], [1, kw], ({ strides, dilations, pads, autoPad }) => [
        {
          strides: [strides[0]!, 1],
          dilations: [dilations[0]!, 1],
          pads: [pads[0]!, 0, pads[2]!, 0],
          autoPad,
        },
        {
          strides: [1, strides[1]!],
          dilations: [1, dilations[1]!],
          pads: [0, pads[1]!, 0, pads[3]!],
          autoPad,
        },
      ]),
  });
}
