import type { Analysis, LayerInfo } from '../../src/core/compress/analysis';
import { plural } from '../../src/core/counted';
import { formatCount, formatMacs, formatMacsOf, formatShape, formatShare } from '../../src/core/format';
import { shortNames } from '../../src/core/shortNames';
import { element } from '../element';
import { fill, fillPart } from '../fill';
import { filterBox } from '../filterBox';
import { type TableState, virtualTable } from '../table/virtualTable';
import type { ModelTexts } from './modelTexts';

interface Row {
  readonly layer: LayerInfo;
  readonly shortName: string;
}

interface Options {
  readonly filter: string;
  readonly table: TableState | undefined;
  onFilter(text: string): void;
  onTable(state: TableState): void;
  onLayer(name: string): void;
}

/** The layers of a model: a table to be sorted and filtered. */
export function layersSection(analysis: Analysis, texts: ModelTexts, options: Options): HTMLElement {
  const { layers, parameters } = analysis;
  const head = element('h2', {}, texts.layers);
  if (layers.length === 0) {
    return element(
      'section',
      { 'aria-label': texts.layers },
      head,
      element('p', { class: 'note' }, texts.noLayers),
    );
  }
  const names = shortNames(layers);
  const rows = layers.map((layer, i): Row => ({ layer, shortName: names[i]! }));
  const state = ({ layer }: Row) => layer.reason ?? texts.canBeFactored;
  const macs = ({ layer }: Row) => {
    const text = formatMacsOf(layer);
    return text === formatMacs(null) ? texts.unknown : text;
  };
  const share = ({ layer }: Row) => layer.parameters / (parameters.stored || 1);
  const table = virtualTable<Row>({
    label: texts.layers,
    minWidth: 900,
    columns: [
      {
        id: 'name',
        title: texts.layer,
        width: 'minmax(150px, 2fr)',
        text: ({ shortName }) => shortName,
        hover: ({ layer }) => layer.name,
      },
      { id: 'op', title: texts.operator, width: '104px', text: ({ layer }) => layer.op },
      {
        id: 'weight',
        title: texts.weight,
        width: 'minmax(120px, 1fr)',
        text: ({ layer }) => formatShape(layer.weightShape),
        hover: ({ layer }) => layer.weight,
      },
      {
        id: 'parameters',
        title: texts.parameters,
        width: '108px',
        numeric: true,
        text: ({ layer }) => formatCount(layer.parameters),
        sortBy: ({ layer }) => layer.parameters,
      },
      {
        id: 'share',
        title: texts.share,
        width: '80px',
        numeric: true,
        text: (row) => formatShare(share(row)),
        sortBy: share,
      },
      {
        id: 'macs',
        title: texts.macs,
        width: '96px',
        numeric: true,
        text: macs,
        sortBy: ({ layer }) => layer.macs,
      },
      {
        id: 'output',
        title: texts.output,
        width: 'minmax(110px, 1fr)',
        text: ({ layer }) => (layer.outputShape === null ? texts.unknown : formatShape(layer.outputShape)),
      },
      { id: 'state', title: texts.state, width: 'minmax(120px, 3fr)', text: state },
    ],
    rowClass: ({ layer }) => (layer.status === 'skipped' ? 'muted' : ''),
    onOpen: ({ layer }) => options.onLayer(layer.name),
    onState: options.onTable,
    state: options.table,
  });
  const factorable = layers.filter(({ status }) => status === 'compressible').length;
  const box = filterBox({
    label: texts.filter,
    value: options.filter,
    onFilter(text) {
      options.onFilter(text);
      const shown = rows.filter(({ layer }) => matches(text, layer.name, layer.op, layer.weight));
      table.show(shown);
      return shown.length === rows.length ? '' : fillPart(texts.filtered, shown.length, rows.length);
    },
  });
  return element(
    'section',
    { 'aria-label': texts.layers },
    head,
    element(
      'p',
      { class: 'note' },
      fill(plural(layers.length, ...texts.layersSummary), layers.length, factorable),
    ),
    box,
    table.element,
  );
}

function matches(filter: string, ...fields: readonly string[]): boolean {
  const wanted = filter.trim().toLowerCase();
  return wanted === '' || fields.some((field) => field.toLowerCase().includes(wanted));
}
