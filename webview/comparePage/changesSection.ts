import {
  type BothSides,
  isChanged,
  type LayerChange,
  type ModelComparison,
} from '../../src/core/compress/compare/modelComparison';
import {
  formatChange,
  formatCount,
  formatMacs,
  formatPercent,
  formatRanks,
  formatShape,
} from '../../src/core/format';
import { shortNames } from '../../src/core/shortNames';
import { element } from '../element';
import { fill, fillCount, fillPart } from '../fill';
import { filterBox } from '../filterBox';
import { type Column, type TableState, virtualTable } from '../table/virtualTable';
import type { CompareTexts } from './compareTexts';

interface Row {
  readonly layer: LayerChange;
  readonly shortName: string;
}

interface Options {
  readonly filter: string;
  readonly changedOnly: boolean;
  readonly table: TableState | undefined;
  onFilter(text: string): void;
  onChangedOnly(isOnly: boolean): void;
  onTable(state: TableState): void;
}

/** The layers of both models: a table to be sorted and filtered. */
export function changesSection(
  { layers }: ModelComparison,
  texts: CompareTexts,
  options: Options,
): HTMLElement {
  const names = shortNames(layers);
  const rows = layers.map((layer, i): Row => ({ layer, shortName: names[i]! }));
  const table = virtualTable<Row>({
    label: texts.layers,
    minWidth: 960,
    columns: columns(texts),
    rowClass: ({ layer }) => (isChanged(layer) ? '' : 'muted'),
    onState: options.onTable,
    state: options.table,
  });
  let { filter, changedOnly } = options;
  const show = () => {
    const shown = rows.filter(
      ({ layer }) => (!changedOnly || isChanged(layer)) && matches(filter, layer.name, layer.op),
    );
    table.show(shown);
    return shown.length === rows.length ? '' : fillPart(texts.filtered, shown.length, rows.length);
  };
  const line = filterBox({
    label: texts.filter,
    value: filter,
    onFilter(text) {
      filter = text;
      options.onFilter(text);
      return show();
    },
  });
  const box = element('input', {
    type: 'checkbox',
    onchange: () => {
      changedOnly = (box as HTMLInputElement).checked;
      options.onChangedOnly(changedOnly);
      line.querySelector('[role="status"]')!.textContent = show();
    },
  });
  (box as HTMLInputElement).checked = changedOnly;
  line.insertBefore(
    element('label', { class: 'check' }, box, ` ${texts.changedOnly}`),
    line.querySelector('[role="status"]'),
  );
  return element(
    'section',
    { 'aria-label': texts.layers },
    element('h2', {}, texts.layers),
    line,
    table.element,
  );
}

function columns(texts: CompareTexts): readonly Column<Row>[] {
  const change = (pick: (layer: LayerChange) => BothSides, format: (value: number | null) => string) => ({
    numeric: true,
    text: ({ layer }: Row) => both(pick(layer), format),
    hover: ({ layer }: Row) => {
      const { before, after } = pick(layer);
      const text = both(pick(layer), format);
      return before === null || after === null || before === after
        ? text
        : `${text} (${formatChange(before, after)})`;
    },
    /** By what is saved, or added. */
    sortBy: ({ layer }: Row) => {
      const { before, after } = pick(layer);
      return before === null && after === null ? null : Math.abs((after ?? 0) - (before ?? 0));
    },
  });
  const shapes = ({ layer }: Row) =>
    [layer.shapes.before, layer.shapes.after]
      .map((side) => side.map(formatShape).join(' · '))
      .filter((text, i, all) => text !== '' && (i === 0 || text !== all[0]))
      .join(' → ');
  const name = ({ layer }: Row) => {
    const sides = [...new Set([layer.layers.before.join(' · '), layer.layers.after.join(' · ')])];
    const text = sides.filter(Boolean).join(' → ');
    return layer.matchedBy === 'shape' ? `${text} (${texts.matchedByShape})` : text;
  };
  return [
    {
      id: 'name',
      title: texts.layer,
      width: 'minmax(150px, 2fr)',
      text: ({ shortName }) => shortName,
      hover: name,
    },
    { id: 'op', title: texts.operator, width: '88px', text: ({ layer }) => layer.op },
    {
      id: 'what',
      title: texts.what,
      width: 'minmax(200px, 1fr)',
      text: ({ layer }) => whatText(layer, texts),
    },
    {
      id: 'parameters',
      title: texts.parameters,
      width: '132px',
      ...change(
        (layer) => layer.parameters,
        (n) => (n === null ? '–' : formatCount(n)),
      ),
    },
    {
      id: 'macs',
      title: texts.macs,
      width: '136px',
      ...change(
        (layer) => layer.macs,
        (n) => (n === null ? '–' : formatMacs(n)),
      ),
    },
    {
      id: 'error',
      title: texts.weightError,
      width: '116px',
      numeric: true,
      text: ({ layer }) =>
        layer.weightError === null || layer.kind === 'same'
          ? isUnrecognised(layer)
            ? texts.unknown
            : '–'
          : formatPercent(layer.weightError),
      hover: ({ layer }) =>
        isUnrecognised(layer)
          ? texts.noWeightError
          : layer.weightError === null
            ? ''
            : formatPercent(layer.weightError),
      sortBy: ({ layer: { weightError } }) => weightError,
    },
    { id: 'weight', title: texts.weight, width: 'minmax(150px, 2fr)', text: shapes },
  ];
}

/** Whether nobody knows what weight its factors stand for. */
function isUnrecognised({ kind, method, weightError }: LayerChange): boolean {
  return (kind === 'factored' || kind === 'merged') && method === null && weightError === null;
}

/** "factored: svd, rank 112" */
function whatText({ kind, method, ranks, layers }: LayerChange, texts: CompareTexts): string {
  if (kind !== 'factored' && kind !== 'merged') return texts.kinds[kind];
  const how =
    method && ranks
      ? fill(texts.method, method, formatRanks(ranks))
      : fillCount(texts.layerCount, Math.max(layers.before.length, layers.after.length));
  return `${texts.kinds[kind]}: ${how}`;
}

function both({ before, after }: BothSides, format: (value: number | null) => string): string {
  return before === after ? format(before) : `${format(before)} → ${format(after)}`;
}

function matches(filter: string, ...fields: readonly string[]): boolean {
  const wanted = filter.trim().toLowerCase();
  return wanted === '' || fields.some((field) => field.toLowerCase().includes(wanted));
}
