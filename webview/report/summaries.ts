import type { TradeOff } from '../../src/core/compress/budget/tradeOff';
import { factoredCount, type Overview } from '../../src/core/compress/overview';
import { formatError, formatPercent, formatRanks, formatShare } from '../../src/core/format';
import { type PlanPoint, pointWithin } from '../charts/tradeOffChart';
import { fill, fillCount, fillPart } from '../fill';
import type { LayerDetail } from '../messages';
import type { LegendEntry } from './rankLegend';
import type { ReportTexts } from './reportTexts';

/** What layers are compared by. */
export type LayerMeasure = 'parameters' | 'macs' | 'ms';

export const MEASURE_TEXTS = { parameters: 'parameters', macs: 'macs', ms: 'time' } as const satisfies Record<
  LayerMeasure,
  keyof ReportTexts
>;

/** Sentences that say what the bars show: where most of it is, and how much is factored. */
export function chartSummary(
  { layers, basis, ...overview }: Overview,
  names: readonly string[],
  measure: LayerMeasure,
  texts: ReportTexts,
): string {
  const values = layers.map(({ before }) => before[measure] ?? 0);
  const total = values.reduce((sum, each) => sum + each, 0);
  const largest = values.reduce((found, value, i) => (value > values[found]! ? i : found), 0);
  const said: string[] = [];
  if (total > 0) {
    const share = formatShare(values[largest]! / total);
    const count = fillCount(texts.layerCount, layers.length);
    said.push(fill(texts.chartSummary, count, texts[MEASURE_TEXTS[measure]], names[largest]!, share));
  }
  if (basis !== 'none') {
    const factored = factoredCount({ layers, basis, ...overview });
    said.push(fill(texts.chartFactored, fillPart(texts.filtered, factored, layers.length)));
  }
  return said.join(' ');
}

/** Sentences that say what the curve of a layer shows. */
export function spectrumSummary(
  { detail: { setting } }: LayerDetail,
  texts: ReportTexts,
  marks: readonly LegendEntry[],
): string {
  const said: string[] = [];
  if (setting.error !== null) {
    const what = `${setting.method} ${formatRanks(setting.ranks)}`;
    said.push(fill(texts.spectrumSummary, what, formatError(setting.error, setting.certainty)));
  }
  if (marks.length > 0) said.push(`${marks.map(({ text }) => text).join('; ')}.`);
  return said.join(' ');
}

/** Sentences that say what the trade-off shows, and where the plan stands in it. */
export function tradeOffSummary(of: TradeOff, plan: PlanPoint | null, texts: ReportTexts): string {
  const half = pointWithin(of, 0.5);
  const [cheapest] = of.points;
  if (!half || !cheapest) return '';
  const unit = texts[MEASURE_TEXTS[of.unit]];
  const share = (cost: number) => formatShare(cost / of.before);
  const said = [
    fill(
      texts.tradeOffSummary,
      unit,
      share(half.cost),
      formatPercent(half.weightError),
      share(cheapest.cost),
      formatPercent(cheapest.weightError),
    ),
  ];
  if (plan) said.push(fill(texts.tradeOffPlan, formatShare(plan.share), formatPercent(plan.error)));
  return said.join(' ');
}
