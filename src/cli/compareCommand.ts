import { resolve } from 'node:path';
import { isChanged, type LayerChange, type ModelComparison } from '../core/compress/compare/modelComparison';
import { counted, plural } from '../core/counted';
import {
  formatBytes,
  formatChange,
  formatCount,
  formatMacs,
  formatNumber,
  formatPercent,
  formatRanks,
  formatShape,
} from '../core/format';
import type { Engine } from '../worker/engine';
import { CALIBRATION_OPTIONS, parseCalibration } from './calibrationOptions';
import { type Column, renderTable } from './table';
import { errorOf, type Terminal } from './terminal';
import { parse, parseDims, parseSeed } from './usage';
import { UsageError } from './usageError';
import { printVerification } from './verifyCommand';

/** `ranksmith compare A B`: which layers of two models differ, and how. */
export async function compareCommand(
  args: readonly string[],
  engine: Engine,
  terminal: Terminal,
): Promise<number> {
  const { values, positionals } = parse(args, {
    ...CALIBRATION_OPTIONS,
    inputs: { type: 'string' },
    seed: { type: 'string' },
    dim: { type: 'string', multiple: true },
    run: { type: 'boolean' },
    all: { type: 'boolean' },
    json: { type: 'boolean' },
  });
  const [before, after, ...more] = positionals;
  if (before === undefined || after === undefined || more.length > 0) {
    throw new UsageError('compare takes two models.');
  }
  if (values.inputs !== undefined && values.calibration !== undefined)
    throw new UsageError('--inputs and --calibration exclude each other.');
  const onData = parseCalibration(values);
  // Who says on what to run them wants them run.
  const run = values.run === true || values.inputs !== undefined || onData.calibration !== undefined;
  const request = {
    before: resolve(before),
    after: resolve(after),
    dims: parseDims(values.dim),
    weights: true,
    run,
    ...onData,
    ...(values.inputs === undefined ? {} : { inputs: resolve(values.inputs) }),
    ...(values.seed === undefined ? {} : { seed: parseSeed(values.seed) }),
  };
  try {
    const comparison = await engine.compareModels(request, terminal.callOptions(after));
    terminal.print(
      values.json ? JSON.stringify(comparison) : printComparison(comparison, values.all === true),
    );
    return 0;
  } catch (error) {
    if (values.json) terminal.print(JSON.stringify({ before, after, error: errorOf(error) }));
    else terminal.complain(errorOf(error).message);
    return 1;
  }
}

const COLUMNS: readonly Column[] = [
  { title: 'layer', align: 'left' },
  { title: 'op', align: 'left' },
  { title: 'what', align: 'left' },
  { title: 'parameters', align: 'left' },
  { title: 'MACs', align: 'left' },
  { title: 'weight', align: 'left' },
];

/** Totals, a line for each layer that changed (or for all), and what running them gave. */
function printComparison({ before, after, layers, problems, run }: ModelComparison, all: boolean): string {
  const shown = layers.filter((layer) => all || isChanged(layer));
  const change = (a: number | null, b: number | null, format: (n: number) => string) =>
    a === null || b === null ? 'unknown' : `${format(a)} → ${format(b)} (${formatChange(a, b)})`;
  const rows = shown.map((layer) => [
    layer.name,
    layer.op,
    whatText(layer),
    pair(layer.parameters, formatCount),
    pair(layer.macs, formatMacs),
    weightText(layer),
  ]);
  const same = layers.length - layers.filter(isChanged).length;
  const totals =
    run && 'outputError' in run
      ? [printVerification(run)]
      : [
          `parameters    ${change(before.parameters, after.parameters, formatCount)}`,
          `MACs          ${change(before.macs, after.macs, formatMacs)}`,
          `size          ${change(before.bytes, after.bytes, formatBytes)}`,
        ];
  return [
    ...totals,
    ...(before.activationBytes === after.activationBytes
      ? []
      : [`activations   ${change(before.activationBytes, after.activationBytes, formatBytes)}`]),
    ...(rows.length > 0 ? [renderTable(COLUMNS, rows)] : []),
    ...(same > 0
      ? [`${formatNumber(same)} of ${counted(layers.length, 'layer')} ${plural(same, 'is', 'are')} the same.`]
      : []),
    ...problems.map(({ message }) => `note: ${message}`),
    ...(run && 'refusal' in run ? [`They were not run: ${run.refusal}`] : []),
  ].join('\n');
}

function whatText({ kind, method, ranks, layers }: LayerChange): string {
  if (kind !== 'factored' && kind !== 'merged') return kind === 'values' ? 'other values' : kind;
  const how =
    method && ranks
      ? `${method} rank ${formatRanks(ranks)}`
      : counted(Math.max(layers.before.length, layers.after.length), 'layer');
  return kind === 'factored' ? how : `merged from ${how}`;
}

function pair({ before, after }: LayerChange['parameters'], format: (n: number) => string): string {
  const text = (n: number | null) => (n === null ? '–' : format(n));
  return before === after ? text(before) : `${text(before)} → ${text(after)}`;
}

function weightText({ kind, weightError, shapes }: LayerChange): string {
  if (kind === 'values') return weightError === null ? 'other' : `off by ${formatPercent(weightError)}`;
  const text = (each: readonly (readonly number[])[]) => each.map(formatShape).join(' · ');
  if (kind === 'same') return text(shapes.before);
  const both = [shapes.before, shapes.after].map(text).filter(Boolean).join(' → ');
  return weightError === null ? both : `${both}, off by ${formatPercent(weightError)}`;
}
