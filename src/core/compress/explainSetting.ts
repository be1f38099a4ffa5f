import { parametersMeasure } from './budget/measure';
import { ladder } from './budget/options';
import { SENSITIVITIES } from './budget/sensitivity';
import type { FormedLayer } from './layer';
import { breakEvenRank, type Candidate, type Ranks } from './method';
import type { ErrorCurve, SettingDetail } from './planReview';
import { cutsOf } from './ranks/cuts';
import { evbmfRank } from './ranks/evbmf';
import { LARGEST_BLOCK } from './ranks/rankMultiple';
import { settingOf } from './reviewPlan';
import { type Spectrum, tailsOf } from './spectrum';
import { unfoldedSize } from './unfolding';

/** Points of a curve, and rows of a table, at the most: more can't be told apart. */
const MOST_POINTS = 200;
const MOST_ROWS = 8;

/** One setting of a layer, with the curves of its error and what other ranks of the method would give. */
export function explainSetting(
  { layer, macs }: { readonly layer: FormedLayer; readonly macs: number | null },
  candidate: Candidate,
  known: readonly Spectrum[],
  ranks: Ranks,
): SettingDetail {
  const breakEven = breakEvenRank(candidate);
  return {
    layer: layer.name,
    dense: { parameters: layer.parameters, macs },
    setting: settingOf(layer, candidate, ranks, known),
    ...(breakEven === undefined ? {} : { breakEven }),
    curves: curvesOf(candidate, known, ranks),
    table: tableOf(layer, candidate, known, ranks).map((each) => settingOf(layer, candidate, each, known)),
  };
}

function curvesOf(candidate: Candidate, known: readonly Spectrum[], ranks: Ranks): readonly ErrorCurve[] {
  const cuts = cutsOf(candidate) ?? [];
  return cuts.map((unfolding, i) => {
    const tails = tailsOf(known[i]!);
    const { rows, cols } = unfoldedSize(unfolding);
    const found = evbmfRank(known[i]!, rows, cols);
    const fullRank = tails.length - 1;
    const points = spread(fullRank + 1, MOST_POINTS).map((rank) => ({
      rank,
      error: tails[0] === 0 ? 0 : Math.sqrt(tails[rank]! / tails[0]!),
    }));
    return {
      rankName: candidate.rankNames[i]!,
      fullRank,
      points,
      rank: ranks[i]!,
      evbmf: found.kind === 'none' ? null : found.rank,
    };
  });
}

/** Ranks of the method that are worth taking, from the smallest on, those in question among them. */
function tableOf(layer: FormedLayer, candidate: Candidate, known: readonly Spectrum[], ranks: Ranks) {
  const choice = { candidate, known };
  const settings = {
    measure: parametersMeasure,
    sensitivity: SENSITIVITIES.uniform,
    block: LARGEST_BLOCK,
  };
  const rungs = ladder({ layer, choices: [choice] }, 0, settings)?.rungs ?? [];
  const worthwhile = rungs.flatMap(({ pick }) => (pick ? [pick.ranks] : []));
  const rows = spread(worthwhile.length, MOST_ROWS).map((at) => worthwhile[at]!);
  if (!rows.some((each) => String(each) === String(ranks))) rows.push(ranks);
  const price = (each: Ranks) => candidate.cost(each).parameters;
  return rows.sort((a, b) => price(a) - price(b));
}

/** At most `most` of the indices 0 … count − 1, the first and the last among them, evenly. */
function spread(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / (most - 1)));
}
