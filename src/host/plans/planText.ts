import { l10n } from 'vscode';
import { printTarget, type Target } from '../../core/compress/plan';
import type { PlanCalibration } from '../../core/compress/planFile';
import type { Amounts, LayerReview, PlanReview, PlanSetting } from '../../core/compress/planReview';
import {
  formatChange,
  formatCount,
  formatError,
  formatMacs,
  formatPercent,
  formatRanks,
} from '../../core/format';
import { layerCount, layersOf, parameterCount } from '../counts';
import { engineText } from '../engineText';
import { macsText } from '../modelText';
import type { EntryState } from './entryStates';

/**
 * What an entry comes to, for a line above it: "18.5 k → 6.14 k parameters · 3.61 M → 1.2 M MACs · error 24.1 %", or
 * "320 parameters · 226 k MACs · stays dense". In a plan that was made on data the error is called that of the weight.
 */
export function entryText(state: EntryState, isMeasured: boolean, isOnData: boolean): string {
  switch (state.kind) {
    case 'refused':
      return `$(error) ${withoutIcons(engineText(state.message))}`;
    case 'pending':
      return state.review ? l10n.t('{0} · …', amountsText(state.review.dense)) : '…';
    case 'reviewed': {
      const { dense, planned, advice } = state.review;
      if (planned)
        return `${changeText(dense, planned.cost)} · ${isOnData ? weightErrorText({ ...planned, weightError: planned.error, isMeasured }) : errorText(planned, isMeasured)}`;
      const text = l10n.t('{0} · stays dense', amountsText(dense));
      if (advice?.kind !== 'factor') return text;
      const { method, ranks } = advice.setting;
      return l10n.t('{0} · suggested: {1}, rank {2}', text, method, formatRanks(ranks));
    }
  }
}

/** The totals of a plan, as short as is clear: what it saves, what it loses, and how many layers it factors. */
export function totalsText(review: PlanReview, isOnData: boolean): string {
  const { before, after, layers } = review;
  const factored = layers.filter(({ planned }) => planned).length;
  const params = l10n.t(
    '{0} → {1} params ({2})',
    formatCount(before.parameters),
    formatCount(after.parameters),
    formatChange(before.parameters, after.parameters, 2),
  );
  const macs =
    before.macs === null || after.macs === null
      ? l10n.t('MACs unknown')
      : l10n.t(
          '{0} → {1} MACs ({2})',
          formatMacs(before.macs),
          formatMacs(after.macs),
          formatChange(before.macs, after.macs, 2),
        );
  const layersText = layersOf(factored, layers.length);
  const basis = isOnData ? [l10n.t('made on calibration data')] : [];
  return [params, macs, weightErrorText(review), layersText, ...basis].join(' · ');
}

/** That errors which are shown of a plan that was made on data are not those it goes by, as a sentence. */
export function basisText({ file }: PlanCalibration): string {
  return l10n.t(
    'Errors shown here are those of the weights. The plan was made on {0}, by the errors of what layers and model give; these are measured when it is carried out.',
    file,
  );
}

/** "4 of 8 layers factored". */
export function factoredText(layers: readonly LayerReview[]): string {
  const factored = layers.filter(({ planned }) => planned).length;
  return l10n.t('{0} factored', layersOf(factored, layers.length));
}

export function weightErrorText({
  weightError: error,
  certainty,
  isMeasured,
}: Pick<PlanReview, 'weightError' | 'certainty' | 'isMeasured'>): string {
  if (error !== null) return l10n.t('weight error {0}', formatError(error, certainty));
  return isMeasured ? l10n.t('weight error unknown') : l10n.t('weight error …');
}

/** The error of a layer; an ellipsis while it is being measured. */
function errorText({ error, certainty }: PlanSetting, isMeasured: boolean): string {
  if (error !== null) return l10n.t('error {0}', formatError(error, certainty));
  return isMeasured ? l10n.t('error unknown') : l10n.t('error …');
}

function amountsText({ parameters, macs }: Amounts): string {
  return `${parameterCount(parameters)} · ${macsText({ macs, macsFormula: null })}`;
}

function changeText(before: Amounts, after: Amounts): string {
  const parameters = l10n.t(
    '{0} → {1} parameters',
    formatCount(before.parameters),
    formatCount(after.parameters),
  );
  const macs =
    before.macs === null || after.macs === null
      ? l10n.t('MACs unknown')
      : l10n.t('{0} → {1} MACs', formatMacs(before.macs), formatMacs(after.macs));
  return `${parameters} · ${macs}`;
}

/** Whether a plan meets its goal, and if not, by how much it misses it, as a sentence. */
export function goalText(goal: Target, { before, after, remarks }: PlanReview): string {
  const name = printTarget(goal);
  switch (goal.kind) {
    case 'rank':
    case 'ratio':
    case 'evbmf':
    case 'bytes':
    case 'time':
    case 'ms':
    case 'error':
    case 'accuracy':
      return l10n.t('Goal {0}.', name);
    case 'energy': {
      const below = remarks.filter(({ code }) => code === 'below-goal').length;
      if (below === 0) return l10n.t('Goal {0}: met by every factored layer.', name);
      return l10n.t('Goal {0}: missed by {1}.', name, layerCount(below));
    }
    default: {
      const [all, left] = [before[goal.kind], after[goal.kind]];
      if (all === null || left === null) return l10n.t('Goal {0}: it can’t be told whether it is met.', name);
      const share = formatPercent(left / all);
      if (!remarks.some(({ code }) => code === 'misses-goal'))
        return l10n.t('Goal {0}: met, {1} are left.', name, share);
      const excess = formatCount(left - goal.share * all);
      return goal.kind === 'macs'
        ? l10n.t('Goal {0}: missed, {1} are left, {2} MACs too many.', name, share, excess)
        : l10n.t('Goal {0}: missed, {1} are left, {2} parameters too many.', name, share, excess);
    }
  }
}

/** A text that is shown literally where "$(" shows an icon: names in models can hold anything. */
export function withoutIcons(text: string): string {
  return text.replaceAll('$(', '\\$(');
}
