import type { ConvForm } from '../layer';
import { type Candidate, candidate } from '../method';
import { alongAxis, convPair, countPositions, geometryOf, macsAt, workPositions } from './convPair';

/**
 * A kh × 1 convolution to r channels, then a 1 × kw convolution (Jaderberg et al. 2014, §2.2; closed form of
 * Tai et al. 2015, Theorem 1): W unfolded as (in · kh) × (out · kw), r · (C · kh + S · kw) parameters. What lies
 * between the factors is as high as the output and as wide as the input, so with a stride their MACs differ from
 * what the parameters suggest. Transposed convolutions separate in the same way.
 */
export function spatial(form: ConvForm): Candidate {
  const { groups, groupChannels, outChannels, isTransposed } = form;
  const [kh = 1, kw = 1] = form.kernel;
  const groupOut = outChannels / groups;
  const first = groups * groupChannels * kh;
  const second = outChannels * kw;
  const weights = outChannels * groupChannels * kh * kw;
  const work = workPositions(form);
  const between = countPositions(form, (input, output) => output[0]! * input[1]!);
  // A plain factor works at its output's positions, a transposed one at its input's.
  const [firstWork, secondWork] = isTransposed ? [work, between] : [between, work];
  return candidate({
    method: 'spatial',
    unfolding: isTransposed
      ? { groups, dims: [groupChannels, groupOut, kh, kw], permutation: [0, 2, 1, 3], rowAxes: 2 }
      : { groups, dims: [groupOut, groupChannels, kh, kw], permutation: [1, 2, 0, 3], rowAxes: 2 },
    dense: { parameters: weights, macs: macsAt(weights, work) },
    perRank: {
      parameters: first + second,
      macs: firstWork === null || secondWork === null ? null : first * firstWork + second * secondWork,
    },
    folds: (rank) =>
      isTransposed
        ? [
            {
              side: 'left',
              dims: [groupChannels, kh, rank],
              permutation: [0, 2, 1],
              shape: [groups * groupChannels, rank, kh, 1],
            },
            {
              side: 'right',
              dims: [rank, groupOut, kw],
              permutation: [0, 1, 2],
              shape: [groups * rank, groupOut, 1, kw],
            },
          ]
        : [
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
    nodes: (node, names, fresh) => {
      const geometry = geometryOf(node, 2);
      return convPair(node, names, fresh, groups, [
        { isTransposed, kernel: [kh, 1], geometry: alongAxis(geometry, 0) },
        { isTransposed, kernel: [1, kw], geometry: alongAxis(geometry, 1) },
      ]);
    },
  });
}
