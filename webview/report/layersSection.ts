import type { Overview, OverviewLayer } from '../../src/core/compress/overview';
import {
  formatChange,
  formatCount,
  formatError,
  formatMacs,
  formatMs,
  formatPercent,
  formatRanks,
} from '../../src/core/format';
import { element } from '../element';
import { fill, fillCount, fillPart } from '../fill';
import { filterBox } from '../filterBox';
import { type Column, type VirtualTable, virtualTable } from '../table/virtualTable';
import type { PageContext } from './pageContext';

/** All layers, as a table. */
export interface LayersSection {
  readonly element: HTMLElement;
  show(overview: Overview, names: readonly string[]): void;
  select(layer: string | null): void;
}

interface Row {
  readonly layer: OverviewLayer;
  readonly shortName: string;
}

/** All layers before and after: to be sorted, filtered and written to a file. A click or Enter selects one. */
export function layersSection({ texts, post, kept, keep }: PageContext): LayersSection {
  const holder = element('div');
  const heading = element('h2', {}, texts.layers);
  const exports = element(
    'div',
    { class: 'exports', role: 'group', 'aria-label': texts.exportAs },
    element('span', { class: 'note', 'aria-hidden': 'true' }, texts.exportAs),
    ...(
      [
        ['md', texts.exportMarkdown],
        ['csv', texts.exportCsv],
        ['json', texts.exportJson],
        ['netron', texts.exportNetron],
      ] as const
    ).map(([format, title]) =>
      element('vscode-link', { href: '#', onclick: (event) => exportAs(event, format) }, title),
    ),
  );
  const exportAs = (event: Event, format: 'md' | 'csv' | 'json' | 'netron') => {
    event.preventDefault();
    post({ kind: 'export', format });
  };
  let table: VirtualTable<Row> | undefined;
  let rows: readonly Row[] = [];
  let shape = '';
  let selected: string | null = null;

  const matching = (text: string) => {
    const wanted = text.trim().toLowerCase();
    if (wanted === '') return rows;
    return rows.filter(({ layer: { name, op, method, note } }) =>
      [name, op, method ?? '', note ?? ''].some((each) => each.toLowerCase().includes(wanted)),
    );
  };
  const filter = (text: string): string => {
    keep({ filter: text });
    const left = matching(text);
    table?.show(left);
    table?.select(({ layer }) => layer.name === selected);
    return left.length === rows.length ? '' : fillPart(texts.filtered, left.length, rows.length);
  };

  function show(overview: Overview, names: readonly string[]): void {
    rows = overview.layers.map((layer, i) => ({ layer, shortName: names[i]! }));
    const columns = columnsOf(overview);
    const next = columns.map(({ id }) => id).join();
    const select = ({ layer }: Row) => post({ kind: 'select', layer: layer.name });
    if (next !== shape) {
      shape = next;
      table = virtualTable<Row>({
        label: texts.layers,
        columns,
        minWidth: overview.basis === 'none' ? 520 : 760,
        rowClass: ({ layer }) => (layer.isFactorable ? '' : 'muted'),
        onOpen: select,
        onClick: select,
        state: kept().table,
        onState: (state) => keep({ table: state }),
      });
      holder.replaceChildren(
        filterBox({ label: texts.filter, value: kept().filter ?? '', onFilter: filter }),
        table.element,
      );
    } else filter(kept().filter ?? '');
    const factored = overview.layers.filter(({ ranks }) => ranks !== null).length;
    heading.textContent =
      overview.basis === 'none'
        ? fillCount(texts.layerCount, rows.length)
        : fill(texts.factored, fillPart(texts.filtered, factored, rows.length));
  }

  function columnsOf({ basis, layers }: Overview): readonly Column<Row>[] {
    const hasAfter = basis !== 'none';
    const text = (value: number | null, format: (v: number) => string) =>
      value === null ? texts.unknown : format(value);
    const changeOf =
      (of: 'parameters' | 'macs' | 'ms', format: (v: number) => string) =>
      ({ layer: { before, after } }: Row) => {
        const isChanged = after !== null && after[of] !== before[of];
        return isChanged
          ? `${text(before[of], format)} → ${text(after[of], format)}`
          : text(before[of], format);
      };
    const hoverOf =
      (of: 'parameters' | 'macs' | 'ms') =>
      ({ layer: { before, after } }: Row) => {
        const [a, b] = [before[of], after?.[of] ?? null];
        return a === null || b === null ? '' : formatChange(a, b);
      };
    const figures = (
      of: 'parameters' | 'macs' | 'ms',
      title: string,
      format: (v: number) => string,
    ): Column<Row> => ({
      id: of,
      title,
      // Times name their unit on both sides.
      width: !hasAfter ? '100px' : of === 'ms' ? '160px' : '136px',
      numeric: true,
      text: changeOf(of, format),
      ...(hasAfter ? { hover: hoverOf(of) } : {}),
      sortBy: ({ layer: { before } }) => before[of],
    });
    const percent = (
      id: string,
      title: string,
      of: (layer: OverviewLayer) => number | null,
    ): Column<Row> => ({
      id,
      title,
      width: '116px',
      numeric: true,
      text: ({ layer }) => (of(layer) === null ? '–' : formatPercent(of(layer)!)),
      sortBy: ({ layer }) => of(layer),
    });
    const columns: Column<Row>[] = [
      {
        id: 'name',
        title: texts.layer,
        width: 'minmax(110px, 1.5fr)',
        text: ({ shortName }) => shortName,
        hover: ({ layer: { name } }) => name,
      },
      { id: 'op', title: texts.operator, width: '84px', text: ({ layer: { op } }) => op },
    ];
    if (hasAfter) {
      columns.push({
        id: 'method',
        title: texts.method,
        width: '128px',
        text: ({ layer: { method, ranks } }) =>
          ranks === null ? texts.methodDense : `${method} ${formatRanks(ranks)}`,
      });
    }
    columns.push(
      figures('parameters', texts.parameters, formatCount),
      figures('macs', texts.macs, formatMacs),
    );
    if (layers.some(({ before }) => before.ms !== null)) columns.push(figures('ms', texts.time, formatMs));
    if (hasAfter) {
      columns.push({
        ...percent('weightError', texts.weightError, ({ weightError }) => weightError),
        text: ({ layer: { weightError, certainty } }) =>
          weightError === null ? '–' : formatError(weightError, certainty),
      });
    }
    if (layers.some(({ outputError }) => outputError !== null)) {
      columns.push(percent('outputError', texts.outputError, ({ outputError }) => outputError));
    }
    columns.push({
      id: 'note',
      title: texts.note,
      width: 'minmax(140px, 3fr)',
      text: ({ layer: { note } }) => note ?? '',
    });
    return columns;
  }

  return {
    element: element(
      'section',
      { class: 'layers', 'aria-label': texts.layers },
      element('div', { class: 'heading' }, heading, exports),
      holder,
    ),
    show,
    select(layer) {
      selected = layer;
      table?.select((row) => row.layer.name === layer);
    },
  };
}
