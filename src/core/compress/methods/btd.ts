import { blockTerm } from '../../tensor/blockTerm';
import { tensor } from '../../tensor/tensor';
import { transpose } from '../../tensor/transpose';
import { chainCost, point, spanning } from '../conv/chain';
import { convCandidate } from '../conv/convCandidate';
import type { ConvForm } from '../layer';
import { type Candidate, product, type Ranks } from '../method';
import { byTrial } from '../prediction';
import { trialSeries } from '../trial';

/** Numbers of blocks, and shares of the channels that all blocks keep together, that are tried. */
const BLOCKS = [2, 4];
const SHARES = [1 / 4, 3 / 8, 1 / 2, 3 / 4];

/**
 * Block terms (Wang & Cheng 2016, §3): G Tucker-2 decompositions side by side, which is a 1 × 1 convolution to
 * G · r₁ channels, one in G groups with the kernel of the original to G · r₂, and a 1 × 1 convolution back:
 * G · (C · r₁ + r₁ · r₂ · k² + r₂ · S) parameters.
 */
export function btd(form: ConvForm): Candidate {
  const { groupChannels, outChannels: out, kernel } = form;
  const ones = kernel.map(() => 1);
  const steps = ([blocks = 1, r1 = 0, r2 = 0]: Ranks) => [
    point(form, groupChannels, blocks * r1),
    spanning(form, blocks * r1, blocks * r2, { groups: blocks }),
    point(form, blocks * r2, out),
  ];
  const parameters = (ranks: Ranks) => chainCost(form, steps(ranks)).parameters;
  const share = (channels: number, part: number) => Math.max(1, Math.round(channels * part));
  const settings = BLOCKS.flatMap((blocks) =>
    SHARES.map((part): Ranks => [blocks, share(groupChannels, part / blocks), share(out, part / blocks)]),
  ).sort((a, b) => parameters(a) - parameters(b));
  const work = settings.reduce(
    (sum, [blocks = 1, r1 = 0, r2 = 0]) =>
      sum + 60 * groupChannels * out * product(kernel) * blocks * (r1 + r2),
    0,
  );
  const series = trialSeries(
    form,
    'btd',
    settings,
    work,
    (linalg, whole, [blocks = 1, r1 = 0, r2 = 0], onProgress) =>
      blockTerm(linalg, whole, blocks, [r2, r1], { onProgress }).error,
  );
  return convCandidate(form, {
    method: 'btd',
    rankNames: ['blocks', 'in', 'out'],
    fullRanks: [BLOCKS[0]!, groupChannels, out],
    ...byTrial(series, settings, parameters, [groupChannels, groupChannels, out], (rank) => [
      [BLOCKS[0]!, Math.min(rank, groupChannels), Math.min(rank, out)],
    ]),
    steps,
    decompose(linalg, whole, [blocks = 1, r1 = 0, r2 = 0], onProgress) {
      const { left, right, cores } = blockTerm(linalg, whole, blocks, [r2, r1], { onProgress });
      return [
        tensor([blocks * r1, groupChannels, ...ones], transpose(right).data),
        tensor([blocks * r2, r1, ...kernel], cores.data),
        tensor([out, blocks * r2, ...ones], left.data),
      ];
    },
  });
}
