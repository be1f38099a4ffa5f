import { clipTrainRanks } from '../tensor/tensorTrain';
import type { Prediction, Ranks, Series } from './method';
import { rankOfTail, type Spectrum, tailsOf } from './spectrum';

/**
 * The error of a method whose ranks each cut one unfolding: at most the sum of the tails, and for a single unfolding
 * exactly its tail (Eckart & Young 1936; De Lathauwer et al. 2000, property 10; Oseledets 2011, theorem 2.2).
 *
 * @param fit brings ranks down, or up, to what they allow each other; without it all ranks go together
 */
export function byTails(series: readonly Series[], fullRanks: Ranks, fit?: RankFit): Prediction {
  const error = (known: readonly Spectrum[], ranks: Ranks) =>
    ranks.reduce((sum, rank, i) => {
      const tails = tailsOf(known[i]!);
      return sum + tails[Math.min(rank, tails.length - 1)]!;
    }, 0);
  return {
    series,
    limits: fullRanks,
    error,
    // A rank that cuts nothing adds nothing.
    certainty: (ranks) => (ranks.filter((rank, i) => rank < fullRanks[i]!).length > 1 ? 'bound' : 'exact'),
    within(known, budget, price) {
      const allowed = stretched(budget, known);
      const ranks = shareOut(known, allowed, price);
      if (!ranks || !fit) return ranks;
      const down = fit.down(ranks);
      return error(known, down) <= allowed ? down : fit.up(ranks);
    },
    ofRank(rank) {
      const ranks = fullRanks.map((full) => Math.min(rank, full));
      return [fit ? fit.down(ranks) : ranks];
    },
  };
}

/**
 * The sum of n tails reaches n ‖W‖², though no error exceeds ‖W‖². Up to half of ‖W‖² a budget is kept to strictly;
 * beyond, where little is left of a weight anyway, it is stretched so that the lowest ranks come into reach.
 */
function stretched(budget: number, known: readonly Spectrum[]): number {
  const half = known[0]!.total / 2;
  return budget <= half ? budget : half + (budget - half) * (2 * known.length - 1);
}

/** For ranks that bound each other: the largest fitting ones that are no larger, and the smallest that are no smaller. */
export interface RankFit {
  down(ranks: Ranks): Ranks;
  up(ranks: Ranks): Ranks;
}

/** The ranks of a tensor train over modes of these sizes: each is at most its neighbour's times the mode between. */
export function trainFit(sizes: readonly number[]): RankFit {
  return {
    down: (ranks) => clipTrainRanks(sizes, ranks),
    up(ranks) {
      const up = [...ranks];
      for (let k = up.length - 2; k >= 0; k--)
        up[k] = Math.max(up[k]!, Math.ceil(up[k + 1]! / sizes[k + 1]!));
      for (let k = 1; k < up.length; k++) up[k] = Math.max(up[k]!, Math.ceil(up[k - 1]! / sizes[k]!));
      return up;
    },
  };
}

/** The ranks of the least price for which the tails add up to at most `budget`. */
function shareOut(
  known: readonly Spectrum[],
  budget: number,
  price: (ranks: Ranks) => number,
): Ranks | undefined {
  const equal = known.map((spectrum) => rankOfTail(spectrum, budget / known.length));
  if (equal.some((rank) => rank === undefined)) return undefined;
  let ranks = equal as Ranks;
  if (ranks.length === 1) return ranks;
  const tails = known.map(tailsOf);
  // Two ranks at a time trade what the others leave. A few rounds settle it.
  for (let round = 0; round < (ranks.length === 2 ? 1 : 3); round++) {
    for (let i = 0; i + 1 < ranks.length; i++) {
      const others = ranks.reduce(
        (sum, rank, k) => (k === i || k === i + 1 ? sum : sum + tails[k]![rank]!),
        0,
      );
      ranks = trade(known, i, budget - others, ranks, price);
    }
  }
  return ranks;
}

/** Of all ranks i and i + 1 within the budget the cheapest pair: first at a coarse step, then around the best. */
function trade(
  known: readonly Spectrum[],
  i: number,
  budget: number,
  ranks: Ranks,
  price: (ranks: Ranks) => number,
): Ranks {
  const tails = tailsOf(known[i]!);
  const least = rankOfTail(known[i]!, budget);
  if (least === undefined) return ranks;
  let best = ranks;
  let bestPrice = price(ranks);
  const attempt = (rank: number) => {
    if (rank < least || rank >= tails.length) return;
    const other = rankOfTail(known[i + 1]!, budget - tails[rank]!);
    if (other === undefined) return;
    const next = ranks.map((old, k) => (k === i ? rank : k === i + 1 ? other : old));
    const cost = price(next);
    if (cost >= bestPrice) return;
    best = next;
    bestPrice = cost;
  };
  for (
    let step = Math.max(1, (tails.length - least) >> 5), from = least, to = tails.length - 1;
    ;
    step >>= 1
  ) {
    for (let rank = from; rank <= to; rank += step) attempt(rank);
    if (step === 1) return best;
    from = best[i]! - step;
    to = best[i]! + step;
  }
}

/**
 * The error of a method that has to be tried: a few settings, from the cheapest on, are fitted and their errors
 * kept; between them the error is interpolated over the price on logarithmic scales. One series, in which step k
 * leads from setting k − 1 to setting k.
 */
export function byTrial(
  series: Series,
  settings: readonly Ranks[],
  size: (ranks: Ranks) => number,
  limits: Ranks,
  ofRank: Prediction['ofRank'],
): Prediction {
  const sizes = settings.map(size);
  return {
    series: [series],
    limits,
    ofRank,
    certainty: (ranks) => (settings.some((tried) => String(tried) === String(ranks)) ? 'exact' : 'estimate'),
    error([spectrum], ranks) {
      const tails = tailsOf(spectrum!);
      const at = size(ranks);
      const above = sizes.findIndex((s) => s >= at);
      if (at === sizes[above]) return tails[above + 1]!;
      if (above < 0) return tails[settings.length]!;
      if (above === 0) return tails[0]! + (tails[1]! - tails[0]!) * (at / sizes[0]!);
      const share = Math.log(at / sizes[above - 1]!) / Math.log(sizes[above]! / sizes[above - 1]!);
      return tails[above]! * (tails[above + 1]! / tails[above]! || 0) ** share;
    },
    within([spectrum], budget, price) {
      const tails = tailsOf(spectrum!);
      const fitting = settings.filter((_, i) => tails[i + 1]! <= budget);
      return fitting.reduce<Ranks | undefined>(
        (best, ranks) => (best === undefined || price(ranks) < price(best) ? ranks : best),
        undefined,
      );
    },
  };
}
