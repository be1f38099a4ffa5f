import { resolve } from 'node:path';
import type { Analysis, LayerInfo } from '../core/compress/analysis';
import { DEFAULT_ENERGY } from '../core/compress/makePlan';
import {
  formatBytes,
  formatChange,
  formatCount,
  formatMacsOf,
  formatPercent,
  formatRanks,
  formatShape,
} from '../core/format';
import type { Engine } from '../worker/engine';
import { type Column, renderTable } from './table';
import { errorOf, type Terminal } from './terminal';
import { parse, parseDims, parseMethod } from './usage';
import { UsageError } from './usageError';

/** `ranksmith analyze MODEL…`: one table, or one line of JSON, per model. */
export async function analyzeCommand(
  args: readonly string[],
  engine: Engine,
  terminal: Terminal,
): Promise<number> {
  const { values, positionals } = parse(args, {
    dim: { type: 'string', multiple: true },
    energy: { type: 'string' },
    method: { type: 'string' },
    'no-suggestions': { type: 'boolean' },
    shapes: { type: 'boolean' },
    json: { type: 'boolean' },
  });
  if (positionals.length === 0) throw new UsageError('analyze takes at least one model.');
  const dims = parseDims(values.dim);
  const method = parseMethod(values.method);
  const energy = values.energy === undefined ? DEFAULT_ENERGY : Number(values.energy);
  if (!(energy > 0 && energy <= 1))
    throw new UsageError(`--energy takes a number above 0 and up to 1, not "${values.energy}".`);

  let failed = 0;
  for (const file of positionals) {
    const path = resolve(file);
    try {
      const call = terminal.callOptions(file);
      const shapes = values.shapes === true;
      const analysis = values['no-suggestions']
        ? await engine.analyze({ path, dims, shapes }, call)
        : await engine.suggest({ path, dims, shapes, energy, method }, call);
      terminal.print(
        values.json ? JSON.stringify({ ...analysis, file }) : printAnalysis({ ...analysis, file }),
      );
    } catch (error) {
      failed++;
      if (values.json) terminal.print(JSON.stringify({ file, error: errorOf(error) }));
      else terminal.complain(errorOf(error).message);
      if (errorOf(error).code === 'cancelled') break;
    }
  }
  return failed === 0 ? 0 : 1;
}

const COLUMNS: readonly Column[] = [
  { title: 'layer', align: 'left' },
  { title: 'op', align: 'left' },
  { title: 'weight', align: 'left' },
  { title: 'parameters', align: 'right' },
  { title: 'MACs', align: 'right' },
  { title: 'share', align: 'right' },
  { title: 'suggestion', align: 'left' },
];

function printAnalysis(analysis: Analysis): string {
  const rows = analysis.layers.map((layer) => [
    layer.name,
    layer.op,
    formatShape(layer.weightShape),
    formatCount(layer.parameters),
    formatMacsOf(layer),
    formatPercent(layer.parameters / (analysis.parameters.stored || 1)),
    advice(layer),
  ]);
  const problems = analysis.problems.map((p) => `note: ${p.message}`);
  const lines = [
    `${analysis.file}: ${analysis.opset === null ? analysis.format : `opset ${analysis.opset}`}, ${formatCount(analysis.parameters.stored)} parameters, ${formatMacsOf(analysis)} MACs${assumptions(analysis)} (FLOPs = 2 × MACs)`,
    furtherFigures(analysis),
    ...(rows.length > 0 ? [renderTable(COLUMNS, rows)] : ['No layer multiplies with a constant weight.']),
    ...(analysis.tensors ? [tensorTable(analysis.tensors)] : []),
    ...problems,
  ];
  return `${lines.join('\n')}\n`;
}

/** What is not in the headline: memory, other operations, what the weights are made of. */
function furtherFigures({ bytes, bytesByType, activationBytes, otherOps, parameters }: Analysis): string {
  const types = Object.entries(bytesByType).map(([type, size]) => `${type} ${formatBytes(size)}`);
  return [
    `${formatBytes(bytes)}${types.length > 0 ? ` (${types.join(', ')})` : ''}`,
    ...(activationBytes === null ? [] : [`${formatBytes(activationBytes)} of activations at the peak`]),
    ...(otherOps === null ? [] : [`${formatCount(otherOps)} other operations`]),
    ...(parameters.used === parameters.stored ? [] : [`${formatCount(parameters.used)} parameters used`]),
    ...(parameters.statistics === 0 ? [] : [`${formatCount(parameters.statistics)} running statistics`]),
  ].join(', ');
}

function assumptions({ assumedDims }: Analysis): string {
  const entries = Object.entries(assumedDims).map(([name, size]) => `${name} = ${size}`);
  return entries.length > 0 ? ` at ${entries.join(', ')}` : '';
}

function advice(layer: LayerInfo): string {
  if (layer.suggestion) {
    const { method, ranks, parameters } = layer.suggestion;
    return `${method} rank ${formatRanks(ranks)}, parameters ${formatChange(layer.parameters, parameters)}`;
  }
  return layer.reason ?? layer.noSuggestion ?? '';
}

function tensorTable(tensors: NonNullable<Analysis['tensors']>): string {
  return renderTable(
    [
      { title: 'tensor', align: 'left' },
      { title: 'type', align: 'left' },
      { title: 'shape', align: 'left' },
    ],
    Object.entries(tensors).map(([name, { type, shape }]) => [name, type, formatShape(shape)]),
  );
}
