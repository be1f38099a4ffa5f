import type { Analysis, LayerInfo } from '../core/compress/analysis';
import { shortNames } from '../core/shortNames';
import type { Model } from './models';

/** What the rows of the Layers view stand for. */
export type Row = ModelRow | LayerRow | NoticeRow;

export interface ModelRow {
  readonly kind: 'model';
  readonly model: Model;
}

export interface LayerRow {
  readonly kind: 'layer';
  readonly model: Model;
  readonly analysis: Analysis;
  readonly layer: LayerInfo;
  /** Its name, as short as is clear. */
  readonly title: string;
}

/** A sentence about a model in place of, or in front of, its layers. */
export interface NoticeRow {
  readonly kind: 'notice';
  readonly model: Model;
  readonly notice:
    | { readonly kind: 'unreadable' | 'no-suggestions'; readonly message: string }
    | { readonly kind: 'no-layers' }
    /** MACs can't be counted before these have a size. */
    | { readonly kind: 'free-dimensions'; readonly names: readonly string[] };
}

/** The order of the layers of a model: that of its nodes, or the most of something first. */
export type Order = 'position' | 'parameters' | 'macs';

/** The rows below a model. */
export function rowsOf(model: Model, order: Order): readonly Row[] {
  const { state } = model;
  if (state.kind === 'unread') return [];
  const row = (notice: NoticeRow['notice']): NoticeRow => ({ kind: 'notice', model, notice });
  if (state.kind === 'failed') return [row({ kind: 'unreadable', message: state.message })];
  const { analysis, suggestions } = state;
  const rows: Row[] = [];
  if (analysis.freeDims.length > 0) rows.push(row({ kind: 'free-dimensions', names: analysis.freeDims }));
  if (typeof suggestions === 'object') rows.push(row({ kind: 'no-suggestions', ...suggestions }));
  if (analysis.layers.length === 0) rows.push(row({ kind: 'no-layers' }));
  const titles = shortNames(analysis.layers);
  const layers = analysis.layers.map((layer, i) => ({ layer, title: titles[i]! }));
  for (const each of sorted(layers, order)) rows.push({ kind: 'layer', model, analysis, ...each });
  return rows;
}

function sorted<T extends { readonly layer: LayerInfo }>(layers: readonly T[], order: Order): readonly T[] {
  if (order === 'position') return layers;
  // Stable: layers of equal weight stay in the order of the model; those that can't be counted come last.
  return [...layers].sort((a, b) => (b.layer[order] ?? -1) - (a.layer[order] ?? -1));
}
