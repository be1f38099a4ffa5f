import type {
  ChangeKind,
  LayerChange,
  ModelComparison,
} from '../../src/core/compress/compare/modelComparison';
import { telling } from '../../src/core/compress/report';
import { formatPercent } from '../../src/core/format';
import { speedOf } from '../../src/core/speed';
import { accuracyText } from '../accuracyText';
import { decisionsText } from '../decisionsText';
import { element } from '../element';
import { fill, fillCount } from '../fill';
import type { TableState } from '../table/virtualTable';
import { changesSection } from './changesSection';
import type { CompareTexts } from './compareTexts';
import type { FromComparePage, ToComparePage } from './messages';
import { totalsTable } from './totalsTable';

type Action = Extract<FromComparePage, { readonly kind: 'do' }>['action'];

/** What the page keeps, and what it does when something is clicked. */
export interface ComparePageOptions {
  readonly filter: string;
  readonly changedOnly: boolean;
  readonly table: TableState | undefined;
  onFilter(text: string): void;
  onChangedOnly(isOnly: boolean): void;
  onTable(state: TableState): void;
  onAction(action: Action): void;
  onOpen(side: 'before' | 'after'): void;
}

/** Two models side by side: totals, a sentence on the layers, the layers that changed. */
export function comparePage(
  { before, after, view, texts }: ToComparePage,
  options: ComparePageOptions,
): readonly HTMLElement[] {
  const link = (side: 'before' | 'after', { name, place }: ToComparePage['before']) =>
    element(
      'button',
      { class: 'link', title: place, 'data-action': side, onclick: () => options.onOpen(side) },
      name,
    );
  const title = element(
    'h1',
    { 'aria-label': fill(texts.title, before.name, after.name) },
    link('before', before),
    element('span', { class: 'arrow', 'aria-hidden': 'true' }, ' → '),
    link('after', after),
  );
  const places =
    before.place === after.place ? before.place : fill(texts.to, before.place || '.', after.place || '.');
  const head = [title, ...(places ? [element('p', { class: 'place' }, places)] : [])];
  const button = (action: Action, text: string, isFirst = false) =>
    element(
      'button',
      {
        class: isFirst ? 'button' : 'button secondary',
        'data-action': action,
        onclick: () => options.onAction(action),
      },
      text,
    );
  switch (view.kind) {
    case 'reading':
      return [...head, element('p', { class: 'note', role: 'status' }, texts.reading)];
    case 'failed':
      return [
        ...head,
        element('div', { class: 'buttons' }, button('swap', texts.swap)),
        element('p', { class: 'problem error', role: 'alert' }, view.message),
      ];
    case 'ready': {
      const { comparison, isFromReport } = view;
      const hasRun = comparison.run !== undefined && 'outputError' in comparison.run && !isFromReport;
      return [
        ...head,
        element('p', { class: 'headline', role: 'status' }, summary(comparison.layers, texts)),
        element(
          'div',
          { class: 'buttons' },
          button('run', hasRun ? texts.runAgain : texts.run, true),
          button('swap', texts.swap),
          button('export', texts.export),
        ),
        ...notes(comparison, texts),
        element(
          'section',
          { 'aria-label': texts.totals },
          totalsTable(comparison, texts),
          ...measurement(comparison, isFromReport, texts),
        ),
        changesSection(comparison, texts, options),
      ];
    }
  }
}

/** "2 layers factored, 6 the same." */
function summary(layers: readonly LayerChange[], texts: CompareTexts): string {
  if (layers.length === 0) return texts.noLayers;
  const kinds = Object.keys(texts.counts) as ChangeKind[];
  const parts = kinds.flatMap((kind) => {
    const count = layers.filter((layer) => layer.kind === kind).length;
    return count === 0 ? [] : [fillCount(texts.counts[kind], count)];
  });
  return parts.join(' · ');
}

function notes({ problems }: ModelComparison, texts: CompareTexts): readonly HTMLElement[] {
  if (problems.length === 0) return [];
  const items = problems.map(({ message }) => element('li', { class: 'problem' }, message));
  return [
    element(
      'section',
      { 'aria-label': texts.notes },
      element('h2', {}, texts.notes),
      element('ul', { class: 'problems' }, ...items),
    ),
  ];
}

/** What running both gave, and on what; or how to find out. */
function measurement(
  { run }: ModelComparison,
  isFromReport: boolean,
  texts: CompareTexts,
): readonly HTMLElement[] {
  if (!run) return [element('p', { class: 'note' }, texts.notRun)];
  if ('refusal' in run)
    return [element('p', { class: 'problem', role: 'alert' }, fill(texts.refused, run.refusal))];
  const { outputError, decisions, accuracy, original, compressed, engine, inputs } = run;
  const said = [fill(texts.error, formatPercent(outputError.relative))];
  const told = telling(decisions);
  if (told) said.push(decisionsText(told, texts.decisions));
  if (original.ms && compressed.ms) {
    const { kind, times } = speedOf(original.ms, compressed.ms);
    said.push(fill({ faster: texts.faster, slower: texts.slower, same: texts.sameSpeed }[kind], times));
  }
  const details = fill(
    texts.errorDetails,
    outputError.cosine.toFixed(4),
    Number(outputError.max.toPrecision(3)),
  );
  return [
    element('p', {}, element('strong', {}, said.join(' · ')), ` (${details})`),
    ...(accuracy ? [element('p', {}, accuracyText(accuracy, texts))] : []),
    element('p', { class: 'note' }, fill(isFromReport ? texts.measuredThen : texts.measured, engine, inputs)),
  ];
}
