import type { Overview, OverviewLayer } from '../../src/core/compress/overview';
import { formatChange, formatCount, formatMacs, formatMs } from '../../src/core/format';
import { barPicture } from '../charts/barPicture';
import { svgElement } from '../charts/svgElement';
import { element } from '../element';
import { fill } from '../fill';
import { virtualList } from '../table/virtualList';
import type { PageContext } from './pageContext';
import { chartSummary, type LayerMeasure, MEASURE_TEXTS } from './summaries';

/** The layers as bars. */
export interface BarsSection {
  readonly element: HTMLElement;
  show(overview: Overview, names: readonly string[]): void;
  select(layer: string | null): void;
}

/** Of a name with its bar below; the style sheet has the same. */
const ROW_HEIGHT = 34;

const FORMATS: Readonly<Record<LayerMeasure, (value: number) => string>> = {
  parameters: formatCount,
  macs: formatMacs,
  ms: formatMs,
};

/** Layers by parameters, MACs or, where it was measured, time: before and after. A click or Enter selects one. */
export function barsSection({ texts, post, kept, keep }: PageContext): BarsSection {
  let overview: Overview | undefined;
  let names: readonly string[] = [];
  let measure: LayerMeasure = kept().measure ?? 'parameters';
  let isFirst = true;
  const summary = element('p', { class: 'summary' });
  const choice = element('select', { class: 'choice', 'aria-label': texts.chartBy }) as HTMLSelectElement;
  choice.addEventListener('change', () => {
    measure = choice.value as LayerMeasure;
    keep({ measure });
    draw();
  });

  const list = virtualList({
    label: texts.chart,
    rowHeight: ROW_HEIGHT,
    onSelect: (index) => post({ kind: 'select', layer: overview!.layers[index]!.name }),
    onScroll: (scroll) => keep({ scroll }),
    row(index) {
      const layer = overview!.layers[index]!;
      const { before, after } = valuesOf(layer);
      const format = FORMATS[measure];
      const text = (value: number | null) => (value === null ? texts.unknown : format(value));
      const isChanged = after !== null && before !== null && after !== before;
      const spoken = isChanged
        ? fill(texts.barChange, layer.name, text(before), text(after), formatChange(before, after))
        : fill(texts.barBefore, layer.name, text(before));
      const shown = isChanged ? `${text(before)} → ${text(after)}` : text(before);
      const picture = barPicture(before, after, most(), Math.max(40, list.element.clientWidth - 18));
      return {
        title: spoken,
        content: [
          element('span', { class: 'name' }, names[index]!),
          element('span', { class: 'value' }, shown),
          svgElement(picture),
        ],
      };
    },
  });
  const valuesOf = (layer: OverviewLayer) => ({
    before: layer.before[measure],
    after: layer.after?.[measure] ?? null,
  });
  let largest: number | undefined;
  const most = () => {
    largest ??= (overview?.layers ?? []).reduce((found, layer) => {
      const { before, after } = valuesOf(layer);
      return Math.max(found, before ?? 0, after ?? 0);
    }, 0);
    return largest;
  };

  let width = 0;
  new ResizeObserver(() => {
    if (!overview || list.element.clientWidth === width) return;
    width = list.element.clientWidth;
    list.show(overview.layers.length);
  }).observe(list.element);

  function draw(): void {
    if (!overview) return;
    largest = undefined;
    const hasTimes = overview.layers.some(({ before }) => before.ms !== null);
    const measures: readonly LayerMeasure[] = hasTimes
      ? ['parameters', 'macs', 'ms']
      : ['parameters', 'macs'];
    if (!measures.includes(measure)) measure = 'parameters';
    choice.replaceChildren(
      ...measures.map((each) => element('option', { value: each }, texts[MEASURE_TEXTS[each]])),
    );
    choice.value = measure;
    summary.textContent = chartSummary(overview, names, measure, texts);
    list.show(overview.layers.length, isFirst ? kept().scroll : undefined);
    isFirst = false;
  }

  return {
    element: element(
      'section',
      { class: 'bars', 'aria-label': texts.chart },
      element('div', { class: 'heading' }, element('h2', {}, texts.chart), choice),
      summary,
      list.element,
    ),
    show(next, shortNames) {
      overview = next;
      names = shortNames;
      draw();
    },
    select: (layer) => {
      const index = layer === null ? -1 : (overview?.layers.findIndex(({ name }) => name === layer) ?? -1);
      list.select(index < 0 ? null : index);
    },
  };
}
