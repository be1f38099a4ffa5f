import { l10n } from 'vscode';
import { plural } from '../core/counted';
import { formatCount, formatNumber } from '../core/format';

/** "1 layer", "12 layers" */
export const layerCount = (count: number) =>
  plural(count, l10n.t('1 layer'), l10n.t('{0} layers', formatNumber(count)));

/** "3 of 12 layers" */
export const layersOf = (part: number, all: number) =>
  plural(
    all,
    l10n.t('{0} of 1 layer', formatNumber(part)),
    l10n.t('{0} of {1} layers', formatNumber(part), formatNumber(all)),
  );

/** "1 sample", "1,024 samples" */
export const sampleCount = (count: number) =>
  plural(count, l10n.t('1 sample'), l10n.t('{0} samples', formatNumber(count)));

/** "18.4 k parameters" */
export const parameterCount = (count: number) =>
  plural(count, l10n.t('1 parameter'), l10n.t('{0} parameters', formatCount(count)));

/** "18.4 k params": in a side bar every character counts. */
export const paramCount = (count: number) =>
  plural(count, l10n.t('1 param'), l10n.t('{0} params', formatCount(count)));
