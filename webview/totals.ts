import type { CompressionReport } from '../src/core/compress/report';
import {
  formatBytes,
  formatChange,
  formatCount,
  formatMacs,
  formatMs,
  formatPercent,
  formatTimes,
} from '../src/core/format';
import { element } from './element';

/** One line of the overview: what it is, before, after, and the change. */
interface Total {
  readonly name: string;
  readonly before: number | null;
  readonly after: number | null;
  readonly format: (value: number) => string;
  readonly change?: string;
}

/** The model before and after, as a table. */
export function totals({ original, compressed }: CompressionReport): HTMLElement {
  const lines: readonly Total[] = [
    { name: 'Parameters', before: original.parameters, after: compressed.parameters, format: formatCount },
    { name: 'MACs', before: original.macs, after: compressed.macs, format: formatMacs },
    { name: 'File size', before: original.bytes, after: compressed.bytes, format: formatBytes },
    {
      name: 'Time',
      before: original.ms,
      after: compressed.ms,
      format: formatMs,
      ...(original.ms && compressed.ms ? { change: speed(original.ms / compressed.ms) } : {}),
    },
  ];
  const head = ['', 'Before', 'After', 'Change'].map((name) => element('th', { scope: 'col' }, name));
  return element(
    'table',
    { class: 'totals' },
    element('caption', { class: 'hidden' }, 'The model before and after'),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...lines.map(line)),
  );
}

function line({ name, before, after, format, change }: Total): HTMLElement {
  const known = before !== null && after !== null;
  const difference = change ?? (known ? formatChange(before, after) : '');
  const worse = known && after > before;
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, name),
    element('td', {}, before === null ? 'unknown' : format(before)),
    element('td', { class: 'after' }, after === null ? 'unknown' : format(after)),
    element('td', { class: worse ? 'worse' : 'better' }, difference),
  );
}

function speed(ratio: number): string {
  return ratio >= 1 ? `${formatTimes(ratio)} faster` : `${formatTimes(1 / ratio)} slower`;
}

/** What the numbers say about accuracy, and how they were measured. */
export function measurement(report: CompressionReport): readonly HTMLElement[] {
  const { outputError, engine, inputs, assumedDims, compressed } = report;
  const sizes = Object.entries(assumedDims).map(([name, size]) => `${name} = ${size}`);
  const macs =
    compressed.macs === null
      ? []
      : [`One MAC is two FLOPs: ${formatCount(2 * compressed.macs)} FLOPs after.`];
  return [
    element(
      'p',
      { class: 'error' },
      element('strong', {}, `Output error ${formatPercent(outputError.relative)}`),
      ` (cosine ${outputError.cosine.toFixed(4)}, largest difference ${Number(outputError.max.toPrecision(3))})`,
    ),
    element('p', { class: 'how' }, [`Measured with ${engine}. Input: ${inputs}.`, ...macs].join(' ')),
    ...(sizes.length > 0 ? [element('p', { class: 'how' }, `Assumed sizes: ${sizes.join(', ')}.`)] : []),
  ];
}
