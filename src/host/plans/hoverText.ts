import { l10n } from 'vscode';
import { type LayerPlan, printTarget, type Target } from '../../core/compress/plan';
import type {
  Advice,
  Amounts,
  LayerReview,
  PlanSetting,
  SettingDetail,
} from '../../core/compress/planReview';
import { formatCount, formatError, formatMacs, formatPercent, formatRanks } from '../../core/format';
import { engineText } from '../engineText';
import { methodName } from '../layerText';
import { markdown, markdownTable } from '../markdown';
import type { PictureTheme } from './pictureColours';
import type { PictureCurve, PictureMark, SpectrumPicture } from './spectrumPicture';

/** A layer's entry as a hover explains it. */
export interface ExplainedEntry {
  readonly goal: Target;
  readonly entry: LayerPlan;
  readonly review: LayerReview;
  /** Of what is planned, or else of what could be; undefined where there is nothing to explain. */
  readonly detail?: SettingDetail;
}

/** The layer, and what becomes of it: "fc1 svd, rank 64 (two thin matrices)". */
export function headingText(layer: string, entry: LayerPlan | undefined): string {
  const name = `**${markdown(layer)}**`;
  if (!entry) return name;
  if (entry.kind === 'dense')
    return l10n.t('{0} stays as it is. {1}', name, markdown(engineText(entry.reason)));
  return `${name} ${settingName(entry)} (${methodName(entry.method)})`;
}

function settingName({ method, ranks }: Pick<PlanSetting, 'method' | 'ranks'>): string {
  return ranks.length === 1
    ? l10n.t('{0}, rank {1}', method, formatRanks(ranks))
    : l10n.t('{0}, ranks {1}', method, formatRanks(ranks));
}

/** Whether a setting is what the plan says. */
function isPlanned({ planned }: LayerReview, { method, ranks }: PlanSetting): boolean {
  return planned?.method === method && String(planned.ranks) === String(ranks);
}

/** The suggested setting, where it is of the method that is explained. */
function suggestionOf({ advice }: LayerReview, { setting }: SettingDetail): PlanSetting | undefined {
  return advice?.kind === 'factor' && advice.setting.method === setting.method ? advice.setting : undefined;
}

/** The picture of a setting; undefined for methods whose ranks cut no unfolding. */
export function pictureOf(
  { review, detail }: ExplainedEntry,
  theme: PictureTheme,
): SpectrumPicture | undefined {
  if (!detail || detail.curves.length === 0) return undefined;
  const { planned } = review;
  const suggested = suggestionOf(review, detail);
  const isSingle = detail.curves.length === 1;
  const curves = detail.curves.map(({ rankName, fullRank, points, evbmf }, i): PictureCurve => {
    const marks: PictureMark[] = [];
    const mark = (kind: PictureMark['kind'], rank: number, label: string) =>
      marks.push({ kind, rank, label });
    const withError = (label: string, { error, certainty }: PlanSetting) =>
      isSingle && error !== null ? `${label} (${formatError(error, certainty)})` : label;
    if (planned && planned.method === detail.setting.method) {
      const rank = planned.ranks[i]!;
      mark('planned', rank, withError(l10n.t('planned {0}', rank), planned));
    }
    if (suggested) {
      const rank = suggested.ranks[i]!;
      mark('suggested', rank, withError(l10n.t('suggested {0}', rank), suggested));
    }
    if (detail.breakEven) mark('breakEven', detail.breakEven, l10n.t('break-even {0}', detail.breakEven));
    if (evbmf !== null) mark('evbmf', evbmf, l10n.t('EVBMF {0}', evbmf));
    const rankTitle = isSingle ? l10n.t('rank') : l10n.t('“{0}”', rankName);
    return { rankTitle, fullRank, points, marks };
  });
  return { curves, errorTitle: l10n.t('error'), description: descriptionOf(curves, detail), theme };
}

/** The picture in words. */
function descriptionOf(curves: readonly PictureCurve[], { layer, setting }: SettingDetail): string {
  const parts = curves.map(({ rankTitle, fullRank, marks }) => {
    const labels = marks.map(({ label }) => label).join(', ');
    return l10n.t('{0} up to {1}: {2}', rankTitle, fullRank, labels);
  });
  return l10n.t('Error of {0} by {1} against rank. {2}.', layer, setting.method, parts.join('; '));
}

/** What some ranks give, as a Markdown table; the planned and the suggested ones are marked as in the picture. */
export function tableText({ review, detail }: ExplainedEntry): string | undefined {
  if (!detail) return undefined;
  const suggested = suggestionOf(review, detail);
  const rows = [...detail.table];
  if (suggested && !rows.some(({ ranks }) => String(ranks) === String(suggested.ranks))) rows.push(suggested);
  rows.sort((a, b) => a.cost.parameters - b.cost.parameters);
  const head = [detail.setting.method, l10n.t('rank'), l10n.t('parameters'), l10n.t('MACs'), l10n.t('error')];
  const bold = (cells: readonly string[]) => cells.map((cell) => (cell === '' ? '' : `**${cell}**`));
  const amounts = ({ parameters, macs }: Amounts) => [formatCount(parameters), engineText(formatMacs(macs))];
  const body = rows.map((row) => {
    const planned = isPlanned(review, row);
    const isSuggested = suggested && String(suggested.ranks) === String(row.ranks);
    const marks = [
      ...(planned ? [l10n.t('● planned')] : []),
      ...(isSuggested ? [l10n.t('◇ suggested')] : []),
    ].join(' ');
    const error = row.error === null ? '?' : formatError(row.error, row.certainty);
    const cells = [marks, formatRanks(row.ranks), ...amounts(row.cost), error];
    return planned ? bold(cells) : cells;
  });
  const dense = [l10n.t('as it is'), '', ...amounts(detail.dense), formatPercent(0)];
  return markdownTable(head, [dense, ...body]);
}

/** What is to be known besides: up to where ranks save, what stands above the noise, and what the goal asks for. */
export function remarksText({ goal, review, detail }: ExplainedEntry): readonly string[] {
  return [
    ...(detail ? [...breakEvenText(detail), ...evbmfText(detail)] : []),
    ...(review.advice ? [adviceText(goal, review, review.advice)] : []),
  ];
}

function breakEvenText({ breakEven }: SettingDetail): readonly string[] {
  if (breakEven === undefined) return [];
  return [
    breakEven > 0
      ? l10n.t('**Break-even:** saves up to rank {0}.', breakEven)
      : l10n.t('**Break-even:** no rank saves anything.'),
  ];
}

function evbmfText({ curves }: SettingDetail): readonly string[] {
  if (curves.length === 0) return [];
  const found = curves.flatMap(({ evbmf, rankName }) =>
    evbmf === null ? [] : [curves.length === 1 ? String(evbmf) : `${rankName} ${evbmf}`],
  );
  return [
    found.length > 0
      ? l10n.t('**EVBMF:** up to rank {0} stands above the noise.', found.join(', '))
      : l10n.t('**EVBMF:** no rank stands above the noise.'),
  ];
}

function adviceText(goal: Target, review: LayerReview, advice: Advice): string {
  const name = markdown(printTarget(goal));
  if (advice.kind === 'dense') {
    return review.planned
      ? l10n.t('**For {0}:** better stays as it is. {1}', name, markdown(engineText(advice.reason)))
      : l10n.t('**For {0}:** stays as it is. {1}', name, markdown(engineText(advice.reason)));
  }
  const { setting } = advice;
  if (isPlanned(review, setting)) return l10n.t('**For {0}:** this is the suggestion.', name);
  const { parameters, macs } = setting.cost;
  const error = setting.error === null ? '?' : formatError(setting.error, setting.certainty);
  return l10n.t(
    '**For {0}:** {1}: {2} parameters, {3} MACs, error {4}.',
    name,
    settingName(setting),
    formatCount(parameters),
    engineText(formatMacs(macs)),
    error,
  );
}
