import { counted } from '../../counted';
import { zerosLike } from '../../tensor/matrix';
import { permuteAxes } from '../../tensor/permute';
import { tensor } from '../../tensor/tensor';
import { truncatedSvd } from '../../tensor/truncatedSvd';
import { point, spanning } from '../conv/chain';
import { convCandidate } from '../conv/convCandidate';
import type { ConvForm } from '../layer';
import { type Candidate, product, type Ranks } from '../method';
import { rankOfTail, tailsOf } from '../spectrum';
import { matricesOf, spectrumSeries, type Unfolding } from '../unfolding';

/** Numbers of filter groups on offer. */
const GROUPS = [2, 4, 8, 16, 32];

/** The numbers of filter groups into which the channels of a convolution can be divided. */
export function filterGroups({ groupChannels }: ConvForm): readonly number[] {
  return GROUPS.filter((count) => groupChannels % count === 0 && groupChannels > count);
}

/**
 * Filter groups (Peng et al. 2018, §3): the input channels in G groups, each convolved to r channels of its own, then
 * a 1 × 1 convolution that mixes them: r · C · k² + G · r · S parameters. Each block out × (C/G · kernel) of the weight
 * takes its best approximation of rank r, which is the best for the whole: the error is the sum of the tails.
 */
export function group(form: ConvForm): Candidate {
  const { groupChannels, kernel, outChannels: out } = form;
  const counts = filterGroups(form);
  const unfolding = (count: number): Unfolding => ({
    dims: form.isTransposed
      ? [count, groupChannels / count, out, ...kernel]
      : [out, count, groupChannels / count, ...kernel],
    permutation: form.isTransposed
      ? [0, 2, 1, ...kernel.map((_, i) => 3 + i)]
      : [1, 0, 2, ...kernel.map((_, i) => 3 + i)],
    batchAxes: 1,
    rowAxes: 1,
  });
  const fullRank = (count: number) => Math.min(out, (groupChannels / count) * product(kernel));
  const most = counts[0]!;
  return convCandidate(form, {
    method: 'group',
    rankNames: ['groups', 'rank'],
    fullRanks: [most, fullRank(most)],
    limits: [groupChannels, Math.min(out, groupChannels * product(kernel))],
    takes: ([count = 0, rank = 0]) => {
      if (!counts.includes(count))
        return `The channels are divided into ${counts.join(', ')} groups here, not ${count}.`;
      return rank > fullRank(count)
        ? `In ${counted(count, 'group')} the rank is at most ${fullRank(count)}, not ${rank}.`
        : undefined;
    },
    series: counts.map((count) => spectrumSeries(unfolding(count))),
    error(known, [count = 0, rank = 0]) {
      const tails = tailsOf(known[counts.indexOf(count)]!);
      return tails[Math.min(rank, tails.length - 1)]!;
    },
    certainty: () => 'exact',
    within(known, budget, price) {
      let best: Ranks | undefined;
      for (const [i, count] of counts.entries()) {
        const rank = rankOfTail(known[i]!, budget);
        if (rank !== undefined && (!best || price([count, rank]) < price(best))) best = [count, rank];
      }
      return best;
    },
    ofRank: (rank) => counts.map((count) => [count, Math.min(rank, fullRank(count))]),
    steps: ([count = 1, rank = 0]) => [
      spanning(form, groupChannels, count * rank, { groups: count }),
      point(form, count * rank, out),
    ],
    decompose(linalg, { data }, [count = 1, rank = 0], onProgress) {
      const inside = groupChannels / count;
      const blocks = matricesOf(data, {
        ...unfolding(count),
        dims: [out, count, inside, ...kernel],
        permutation: [1, 0, 2, ...kernel.map((_, i) => 3 + i)],
      });
      const factors = blocks.map((block, i) =>
        truncatedSvd(linalg, block, rank, (done) => onProgress((i + done) / count)),
      );
      const first = zerosLike(data, count * rank * inside * product(kernel));
      const mixing = zerosLike(data, count * out * rank);
      factors.forEach(({ left, right }, i) => {
        first.set(right.data, i * right.data.length);
        mixing.set(left.data, i * left.data.length);
      });
      return [
        tensor([count * rank, inside, ...kernel], first),
        tensor(
          [out, count * rank, ...kernel.map(() => 1)],
          permuteAxes(mixing, [count, out, rank], [1, 0, 2]),
        ),
      ];
    },
  });
}
