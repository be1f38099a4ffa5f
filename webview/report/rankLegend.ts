import { formatRanks } from '../../src/core/format';
import type { RankMark } from '../charts/spectrumChart';
import { fill } from '../fill';
import type { LayerDetail } from '../messages';
import type { ReportTexts } from './reportTexts';

/** A mark of the curves of a layer, in words. */
export interface LegendEntry {
  readonly kind: RankMark['kind'];
  readonly text: string;
}

/** What the marks on the curves of a layer mean. */
export function rankLegend(
  { detail: { setting, breakEven, curves }, chosen, suggested }: LayerDetail,
  texts: ReportTexts,
  /** "planned: {0}", or that it is written. */
  chosenText: string,
): readonly LegendEntry[] {
  const entries: LegendEntry[] = [];
  const add = (kind: RankMark['kind'], text: string, ranks: readonly number[]) =>
    entries.push({ kind, text: fill(text, formatRanks(ranks)) });
  if (chosen?.method === setting.method) add('planned', chosenText, chosen.ranks);
  if (suggested?.method === setting.method) add('suggested', texts.markSuggested, suggested.ranks);
  if (breakEven !== undefined) add('breakEven', texts.markBreakEven, [breakEven]);
  const evbmf = curves.flatMap((curve) => curve.evbmf ?? []);
  if (evbmf.length > 0 && evbmf.length === curves.length) add('evbmf', texts.markEvbmf, evbmf);
  return entries;
}
