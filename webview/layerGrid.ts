import type { LayerReport } from '../src/core/compress/report';
import { formatChange, formatCount, formatMacs, formatPercent, formatRanks } from '../src/core/format';
import { shortNames } from '../src/core/shortNames';
import { element } from './element';

interface Column {
  readonly title: string;
  readonly width: string;
  readonly text: (layer: LayerReport, shortName: string) => string;
  /** What a narrow column cuts off; default: the text. */
  readonly hover?: (layer: LayerReport) => string;
  /** Numbers stand right. */
  readonly numeric?: boolean;
}

const COLUMNS: readonly Column[] = [
  {
    title: 'Layer',
    width: 'minmax(100px, 1fr)',
    text: (_, shortName) => shortName,
    hover: ({ name, op }) => `${name} (${op})`,
  },
  {
    title: 'Rank',
    width: '88px',
    numeric: true,
    text: ({ ranks }) => (ranks === null ? '–' : formatRanks(ranks)),
    hover: ({ method, ranks }) => (ranks === null ? method : `${method} ${formatRanks(ranks)}`),
  },
  {
    title: 'Parameters',
    width: '120px',
    numeric: true,
    text: ({ parameters }) => change(parameters, formatCount),
    hover: ({ parameters }) => formatChange(parameters.before, parameters.after),
  },
  {
    title: 'MACs',
    width: '128px',
    numeric: true,
    text: ({ macs }) => change(macs, formatMacs),
    hover: ({ macs: { before, after } }) =>
      before === null || after === null ? 'unknown' : formatChange(before, after),
  },
  {
    title: 'Weight error',
    width: '112px',
    numeric: true,
    text: (l) => (l.weightError === null ? '–' : formatPercent(l.weightError)),
  },
  { title: 'Method', width: '84px', text: (l) => l.method },
  { title: 'Why it stayed', width: 'minmax(190px, 4fr)', text: (l) => l.reason ?? '' },
];

/** Rows that are made at once: a model can have ten thousand layers. */
const PAGE = 200;

/** The layers in the order of the model, as a data grid in a box that scrolls by itself. */
export function layerGrid(layers: readonly LayerReport[]): HTMLElement {
  const grid = element('vscode-data-grid', {
    'generate-header': 'none',
    'grid-template-columns': COLUMNS.map((column) => column.width).join(' '),
    'aria-label': 'Layers before and after',
  });
  grid.append(
    row(
      'sticky-header',
      COLUMNS.map(({ title }) => cell(title)),
    ),
  );
  const box = element('div', { class: 'grid' }, grid);
  const names = shortNames(layers);
  let shown = 0;
  const more = element('vscode-button', { appearance: 'secondary', onclick: () => showMore() });
  const showMore = () => {
    for (const [i, layer] of layers.slice(shown, shown + PAGE).entries()) {
      const shortName = names[shown + i]!;
      const made = row(
        'default',
        COLUMNS.map(({ text, hover }) => cell(text(layer, shortName), hover?.(layer))),
      );
      if (layer.method === 'dense') made.classList.add('dense');
      grid.append(made);
    }
    shown = Math.min(layers.length, shown + PAGE);
    more.textContent = `Show More (${layers.length - shown} left)`;
    more.hidden = shown === layers.length;
  };
  showMore();
  return element('section', { 'aria-label': 'Layers' }, box, more);
}

interface Cell {
  readonly text: string;
  readonly hover: string;
}

const cell = (text: string, hover = text): Cell => ({ text, hover });

function row(kind: 'default' | 'sticky-header', cells: readonly Cell[]): HTMLElement {
  const made = cells.map(({ text, hover }, i) =>
    element(
      'vscode-data-grid-cell',
      {
        'grid-column': String(i + 1),
        'cell-type': kind === 'default' ? 'default' : 'columnheader',
        title: hover,
        ...(COLUMNS[i]!.numeric ? { class: 'number' } : {}),
      },
      text,
    ),
  );
  return element('vscode-data-grid-row', { 'row-type': kind }, ...made);
}

function change<T extends number | null>(
  { before, after }: { readonly before: T; readonly after: T },
  format: (value: T) => string,
): string {
  return before === after ? format(before) : `${format(before)} → ${format(after)}`;
}
