import type { ModelComparison } from '../../src/core/compress/compare/modelComparison';
import { formatBytes, formatChange, formatCount, formatMs, formatNumber } from '../../src/core/format';
import '../table/dataTable.css';
import { element } from '../element';
import type { CompareTexts } from './compareTexts';

interface Total {
  readonly name: string;
  readonly before: number | null;
  readonly after: number | null;
  readonly format: (value: number) => string;
  /** More of it is neither better nor worse. */
  readonly isNeutral?: boolean;
}

/** Both models as a whole, as a table. */
export function totalsTable({ before, after, run }: ModelComparison, texts: CompareTexts): HTMLElement {
  const measured = run && 'outputError' in run ? run : undefined;
  const lines: readonly Total[] = [
    { name: texts.parameters, before: before.parameters, after: after.parameters, format: formatCount },
    { name: texts.macs, before: before.macs, after: after.macs, format: formatCount },
    { name: texts.size, before: before.bytes, after: after.bytes, format: formatBytes },
    {
      name: texts.activations,
      before: before.activationBytes,
      after: after.activationBytes,
      format: formatBytes,
    },
    { name: texts.nodes, before: before.nodes, after: after.nodes, format: formatNumber, isNeutral: true },
    ...(before.opset === after.opset
      ? []
      : [{ name: texts.opset, before: before.opset, after: after.opset, format: String, isNeutral: true }]),
    ...(measured
      ? [{ name: texts.time, before: measured.original.ms, after: measured.compressed.ms, format: formatMs }]
      : []),
  ];
  const head = ['', texts.before, texts.after, texts.change].map((name, i) =>
    element('th', { scope: 'col', ...(i === 0 ? {} : { class: 'number' }) }, name),
  );
  return element(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': texts.totals },
    element(
      'table',
      { class: 'data totals' },
      element('caption', { class: 'hidden' }, texts.totals),
      element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...lines.map((each) => line(each, texts))),
    ),
  );
}

function line({ name, before, after, format, isNeutral }: Total, texts: CompareTexts): HTMLElement {
  const text = (value: number | null) => (value === null ? texts.unknown : format(value));
  const isKnown = before !== null && after !== null;
  const verdict = !isKnown || isNeutral || before === after ? '' : after > before ? 'worse' : 'better';
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, name),
    element('td', { class: 'number' }, text(before)),
    element('td', { class: 'number after' }, text(after)),
    element('td', { class: `number ${verdict}` }, isKnown ? formatChange(before, after) : ''),
  );
}
