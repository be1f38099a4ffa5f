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
import { unbroken } from './unbroken';

/** One line of the overview: what it is, before and after. */
interface Total {
  readonly name: string;
  /** What the name means, for a hover. */
  readonly meaning: string;
  readonly before: number | null;
  readonly after: number | null;
  readonly format: (value: number) => string;
}

/** The model before and after, as a table. */
export function totals({ original, compressed }: CompressionReport): HTMLElement {
  const lines: readonly Total[] = [
    {
      name: 'Parameters',
      meaning: 'Floating-point numbers stored in the model',
      before: original.parameters,
      after: compressed.parameters,
      format: formatCount,
    },
    {
      name: 'MACs',
      meaning: 'Multiply-adds of one inference; one MAC is two FLOPs',
      before: original.macs,
      after: compressed.macs,
      format: formatMacs,
    },
    {
      name: 'File size',
      meaning: 'Of the model file and its data files',
      before: original.bytes,
      after: compressed.bytes,
      format: formatBytes,
    },
    {
      name: 'Time',
      meaning: 'Median of one inference, both models measured in turns',
      before: original.ms,
      after: compressed.ms,
      format: formatMs,
    },
  ];
  const head = ['', 'Before', 'After', 'Change'].map((name) => element('th', { scope: 'col' }, name));
  const table = element(
    'table',
    { class: 'totals' },
    element('caption', { class: 'hidden' }, 'The model before and after'),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...lines.map(line)),
  );
  return element('div', { class: 'scroll' }, table);
}

function line({ name, meaning, before, after, format }: Total): HTMLElement {
  const known = before !== null && after !== null;
  return element(
    'tr',
    {},
    element('th', { scope: 'row', title: meaning }, name),
    element('td', {}, before === null ? 'unknown' : format(before)),
    element('td', { class: 'after' }, after === null ? 'unknown' : format(after)),
    element(
      'td',
      { class: known && after > before ? 'worse' : 'better' },
      known ? formatChange(before, after, 2) : '',
    ),
  );
}

/** What the numbers say about speed and accuracy, and how they were measured. */
export function measurement(report: CompressionReport): readonly HTMLElement[] {
  const { original, compressed, outputError, engine, inputs, assumedDims, factoredWith } = report;
  const sizes = Object.entries(assumedDims).map(([name, size]) => `${name} = ${size}`);
  const speed = original.ms && compressed.ms ? [`${speedText(original.ms / compressed.ms)}, `] : [];
  const error = `output error ${formatPercent(outputError.relative)}`;
  const details = `cosine ${outputError.cosine.toFixed(4)}, largest difference ${Number(outputError.max.toPrecision(3))}`;
  const how = [`Measured with ${engine}.`, `Input: ${inputs}.`];
  if (sizes.length > 0) how.push(`Assumed sizes: ${sizes.join(', ')}.`);
  how.push(`Factored with ${factoredWith}.`);
  return [
    element('p', {}, element('strong', {}, unbroken(sentence([...speed, error].join('')))), ` (${details})`),
    element('p', { class: 'how' }, unbroken(how.join(' '))),
  ];
}

function speedText(ratio: number): string {
  return ratio >= 1 ? `${formatTimes(ratio)} faster` : `${formatTimes(1 / ratio)} slower`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
