import type { ModelComparison } from './modelComparison';

const COLUMNS = [
  'layer',
  'operator',
  'change',
  'method',
  'ranks',
  'layers before',
  'layers after',
  'shapes before',
  'shapes after',
  'parameters before',
  'parameters after',
  'MACs before',
  'MACs after',
  'bytes before',
  'bytes after',
  'weight error',
];

/**
 * The rows of a comparison as comma-separated values (RFC 4180). Unknown figures are empty. A text that a spreadsheet would take
 * for a formula gets an apostrophe in front: names in models can hold anything.
 */
export function comparisonCsv({ layers }: ModelComparison): string {
  const rows = layers.map((layer) => {
    const shapes = (side: readonly (readonly number[])[]) => side.map((shape) => shape.join('x')).join(' ');
    return [
      layer.name,
      layer.op,
      layer.kind,
      layer.method,
      layer.ranks?.join('x') ?? null,
      layer.layers.before.join(' '),
      layer.layers.after.join(' '),
      shapes(layer.shapes.before),
      shapes(layer.shapes.after),
      layer.parameters.before,
      layer.parameters.after,
      layer.macs.before,
      layer.macs.after,
      layer.bytes.before,
      layer.bytes.after,
      layer.weightError,
    ];
  });
  return [COLUMNS, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function field(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
