import type { Overview, OverviewLayer } from '../overview';

/** The columns, in their order; all numbers as they are, nothing for what is not known. */
const COLUMNS: readonly (readonly [string, (layer: OverviewLayer) => string | number | null | undefined])[] =
  [
    ['layer', ({ name }) => name],
    ['operator', ({ op }) => op],
    ['method', ({ method }) => method],
    ['ranks', ({ ranks }) => ranks?.join(' x ')],
    ['parameters before', ({ before }) => before.parameters],
    ['parameters after', ({ after }) => after?.parameters],
    ['MACs before', ({ before }) => before.macs],
    ['MACs after', ({ after }) => after?.macs],
    ['ms before', ({ before }) => before.ms],
    ['ms after', ({ after }) => after?.ms],
    ['weight error', ({ weightError }) => weightError],
    ['output error', ({ outputError }) => outputError],
    ['note', ({ note }) => note],
  ];

/**
 * A line for each layer, as RFC 4180 has it: comma, CRLF, quotes where they are needed. `basis` is the last column, the same
 * in all lines: predicted and measured figures can't be taken for each other.
 */
export function printCsv({ layers, basis }: Overview): string {
  const head = [...COLUMNS.map(([title]) => title), 'basis'];
  const lines = layers.map((layer) => [...COLUMNS.map(([, value]) => value(layer)), basis]);
  return [head, ...lines].map((line) => `${line.map(csvField).join(',')}\r\n`).join('');
}

/**
 * A value as a field of a CSV file. A text that a spreadsheet would take for a formula gets an apostrophe in front: names in
 * models can hold anything.
 */
export function csvField(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
