import { l10n } from 'vscode';
import type { Analysis, LayerInfo, SpectrumSummary } from '../core/compress/analysis';
import type { MethodId } from '../core/compress/method';
import type { LayerPlan } from '../core/compress/plan';
import {
  formatChange,
  formatCount,
  formatMacs,
  formatMacsOf,
  formatPercent,
  formatRanks,
  formatShape,
  formatShare,
} from '../core/format';
import { paramCount, parameterCount } from './counts';
import { engineText } from './engineText';
import { markdown } from './markdown';
import { macsText } from './modelText';
import type { Order } from './rows';

/**
 * The description of a layer row, the most important first, because a side bar of 300 pixels shows some twenty
 * characters of it: what the plan makes of the layer, its share of the model, what would be gained, then the amounts:
 * "→ spatial 24 · 26 % · −7 % at rank 214 · 590 k params · 5.3 M MACs". Sorted by MACs, share and gain are those of MACs.
 */
export function layerDescription(
  layer: LayerInfo,
  analysis: Analysis,
  order: Order,
  planned?: LayerPlan,
): string {
  const byMacs = order === 'macs';
  const amounts = [paramCount(layer.parameters), macsText(layer)];
  if (byMacs) amounts.reverse();
  const before = byMacs ? layer.macs : layer.parameters;
  const total = byMacs ? analysis.macs : analysis.parameters.stored;
  const share = before === null || !total ? [] : [formatShare(before / total)];
  const { suggestion } = layer;
  const after = byMacs ? suggestion?.macs : suggestion?.parameters;
  const gain = before === null || typeof after !== 'number' ? undefined : formatChange(before, after, 2);
  if (planned) {
    const text = plannedText(planned);
    // What the plan has from the suggestion is not said twice.
    const isTaken = isSuggested(planned, layer);
    share.unshift(isTaken && gain !== undefined ? `${text} (${gain})` : text);
    if (isTaken) return [...share, ...amounts].join(' · ');
  }
  if (layer.status === 'skipped') return [...share, engineText(layer.reason ?? ''), ...amounts].join(' · ');
  if (!suggestion) {
    return [...share, ...(layer.noSuggestion ? [l10n.t('no gain')] : []), ...amounts].join(' · ');
  }
  const ranks = formatRanks(suggestion.ranks);
  const offer = gain === undefined ? l10n.t('rank {0}', ranks) : l10n.t('{0} at rank {1}', gain, ranks);
  return [...share, offer, ...amounts].join(' · ');
}

/** What the plan makes of a layer, short: "→ spatial 24". */
function plannedText(planned: LayerPlan): string {
  return planned.kind === 'dense'
    ? l10n.t('→ dense')
    : l10n.t('→ {0} {1}', planned.method, formatRanks(planned.ranks));
}

/** Whether the plan says of a layer what the suggestion does. */
export function isSuggested(planned: LayerPlan | undefined, { suggestion }: LayerInfo): boolean {
  if (!suggestion || planned?.kind !== 'factor') return false;
  return planned.method === suggestion.method && formatRanks(planned.ranks) === formatRanks(suggestion.ranks);
}

/** The same as a screen reader should say it, without the name. */
export function layerLabel(layer: LayerInfo, analysis: Analysis, planned?: LayerPlan): string {
  const share = analysis.parameters.stored ? layer.parameters / analysis.parameters.stored : 0;
  const parts = [
    layer.op,
    l10n.t('{0}, {1} of the model', parameterCount(layer.parameters), formatPercent(share)),
    macsText(layer),
  ];
  if (planned?.kind === 'dense') parts.push(l10n.t('in the plan: stays as it is'));
  if (planned?.kind === 'factor') {
    const { method, ranks } = planned;
    parts.push(l10n.t('in the plan: {0}, rank {1}', methodName(method), formatRanks(ranks)));
  }
  if (layer.status === 'skipped')
    parts.push(l10n.t('can not be factored: {0}', engineText(layer.reason ?? '')));
  if (layer.noSuggestion) parts.push(engineText(layer.noSuggestion));
  if (layer.suggestion) {
    const { ranks, parameters, method } = layer.suggestion;
    const saving = formatChange(layer.parameters, parameters);
    parts.push(
      l10n.t('suggested: {0}, rank {1}, {2} parameters', methodName(method), formatRanks(ranks), saving),
    );
  }
  return parts.join(', ');
}

/** Everything about a layer, for a hover. */
export function layerTooltip(layer: LayerInfo, analysis: Analysis, planned?: LayerPlan): string {
  const { stored } = analysis.parameters;
  const share = (part: number | null, total: number | null) =>
    part === null || !total ? '' : l10n.t(' ({0} of the model)', formatPercent(part / total));
  const lines = [
    l10n.t('Weight: {0}, {1}', markdown(layer.weight), formatShape(layer.weightShape)),
    l10n.t('Output: {0}', markdown(engineText(formatShape(layer.outputShape)))),
    l10n.t('Parameters: {0}', formatCount(layer.parameters)) + share(layer.parameters, stored),
    l10n.t('MACs: {0}', markdown(engineText(formatMacsOf(layer)))) + share(layer.macs, analysis.macs),
  ];
  if (layer.macs !== null) lines.push(l10n.t('FLOPs: {0}', formatCount(2 * layer.macs)));
  if (layer.intensity !== null) lines.push(l10n.t('MACs per byte moved: {0}', formatCount(layer.intensity)));
  const sections = [`**${markdown(layer.name)}** ${markdown(layer.op)}`, lines.join('  \n')];
  if (planned) sections.push(plannedSection(planned));
  if (layer.status === 'skipped')
    sections.push(l10n.t('Can’t be factored. {0}', markdown(engineText(layer.reason ?? ''))));
  if (layer.noSuggestion)
    sections.push(l10n.t('Stays as it is. {0}', markdown(engineText(layer.noSuggestion))));
  if (layer.suggestion) sections.push(suggestionText(layer));
  if (layer.spectrum) sections.push(spectrumText(layer.spectrum));
  return sections.join('\n\n');
}

function plannedSection(planned: LayerPlan): string {
  if (planned.kind === 'dense')
    return l10n.t('**In the plan:** stays as it is. {0}', markdown(engineText(planned.reason)));
  const { method, ranks } = planned;
  return l10n.t('**In the plan:** {0}, rank {1} ({2})', method, formatRanks(ranks), methodName(method));
}

function suggestionText(layer: LayerInfo): string {
  const { method, ranks, parameters, macs, energy } = layer.suggestion!;
  const heading = l10n.t('**Suggested: rank {0}** ({1})', formatRanks(ranks), methodName(method));
  const lines = [
    l10n.t('Parameters: {0} ({1})', formatCount(parameters), formatChange(layer.parameters, parameters)),
  ];
  if (macs !== null && layer.macs !== null) {
    lines.push(l10n.t('MACs: {0} ({1})', formatMacs(macs), formatChange(layer.macs, macs)));
  }
  const share = formatPercent(energy);
  lines.push(
    ranks.length === 1
      ? l10n.t('Keeps {0} of the weight’s energy (the sum of its squared singular values).', share)
      : l10n.t('Keeps at least {0} of the weight’s energy (the sum of its squared singular values).', share),
  );
  return [heading, ...lines].join('  \n');
}

/** What a method does, in a few words. */
export function methodName(method: MethodId): string {
  switch (method) {
    case 'svd':
      return l10n.t('two thin matrices');
    case 'channel':
      return l10n.t('fewer channels between two convolutions');
    case 'input-channel':
      return l10n.t('fewer channels in front of the convolution');
    case 'spatial':
      return l10n.t('a vertical and a horizontal convolution');
    case 'tucker2':
      return l10n.t('fewer channels in front of and behind the convolution');
    case 'cp':
    case 'cp3':
      return l10n.t('channel by channel between two 1 × 1 convolutions');
    case 'tt':
      return l10n.t('a train of small tensors');
    case 'tr':
      return l10n.t('a ring of small tensors');
    case 'btd':
      return l10n.t('blocks side by side between two 1 × 1 convolutions');
    case 'group':
      return l10n.t('filter groups and a 1 × 1 convolution');
    case 'dcf':
      return l10n.t('fixed spatial patterns and a 1 × 1 convolution');
  }
}

/** The spectrum in words: which ranks keep how much, and up to which anything is saved. */
function spectrumText({ fullRank, breakEven, keeping }: SpectrumSummary): string {
  const shares = keeping.map(({ energy }) => formatPercent(energy)).join(' · ');
  const ranks = keeping.map(({ rank }) => rank).join(' · ');
  const lines = [
    l10n.t('Spectrum: {0} of the energy take rank {1}, of {2}', shares, ranks, fullRank),
    breakEven > 0 ? l10n.t('Saves up to rank {0}', breakEven) : l10n.t('No rank saves anything'),
  ];
  return lines.join('  \n');
}
