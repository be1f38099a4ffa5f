import { l10n } from 'vscode';
import type { Analysis } from '../core/compress/analysis';
import { printTarget } from '../core/compress/plan';
import {
  formatBytes,
  formatChange,
  formatCount,
  formatMacs,
  formatMacsOf,
  formatPercent,
} from '../core/format';
import type { Calibration } from './calibration/calibrations';
import { calibrationLine, preprocessingText } from './calibration/calibrationText';
import { layerCount, paramCount, parameterCount } from './counts';
import { engineText } from './engineText';
import { markdown } from './markdown';
import { basename } from './paths';
import type { ModelPlan } from './plans/planFiles';

/** "2.31 M params · 17.9 M MACs · opset 17": in a side bar every character counts. */
export function modelDescription(analysis: Analysis): string {
  const { parameters } = analysis;
  return [paramCount(parameters.stored), macsText(analysis), formatText(analysis)].join(' · ');
}

/** That there is a plan beside a model, in a word or two. */
export function planText({ parsed }: ModelPlan): string {
  return parsed.plan ? l10n.t('plan') : l10n.t('plan with errors');
}

/** The same as a screen reader should say it. */
export function modelLabel(analysis: Analysis): string {
  const { parameters } = analysis;
  return [parameterCount(parameters.stored), macsText(analysis), formatText(analysis)].join(', ');
}

/** "opset 17", or what kind of checkpoint it is. */
function formatText({ opset, format }: Analysis): string {
  return opset === null ? format : l10n.t('opset {0}', opset);
}

/** "17.9 M MACs", "2.1 G × N MACs" while a dimension is open, or that they are not known. */
export function macsText(counted: {
  readonly macs: number | null;
  readonly macsFormula: string | null;
}): string {
  const text = formatMacsOf(counted);
  return text === formatMacs(null) ? l10n.t('MACs unknown') : l10n.t('{0} MACs', text);
}

/** The totals of a model, its problems and what its suggested ranks would bring, for a hover. */
export function modelTooltip(
  path: string,
  analysis: Analysis,
  plan?: ModelPlan,
  data?: Calibration | null,
): string {
  const {
    parameters,
    macs,
    flops,
    bytes,
    activationBytes,
    otherOps,
    layers,
    freeDims,
    assumedDims,
    problems,
  } = analysis;
  const factorable = layers.filter((layer) => layer.status === 'compressible').length;
  const lines = [
    parameters.used === parameters.stored
      ? l10n.t('Parameters: {0}', formatCount(parameters.stored))
      : l10n.t(
          'Parameters: {0} stored, {1} used',
          formatCount(parameters.stored),
          formatCount(parameters.used),
        ),
    flops === null
      ? l10n.t('MACs: unknown')
      : l10n.t('MACs: {0} ({1} FLOPs)', formatMacs(macs), formatCount(flops)),
    l10n.t('Size: {0}', formatBytes(bytes)) + typesText(analysis),
    ...(activationBytes === null
      ? []
      : [l10n.t('Activations at the peak: {0}', formatBytes(activationBytes))]),
    ...(otherOps === null ? [] : [l10n.t('Other operations: {0}', formatCount(otherOps))]),
    l10n.t('Layers: {0}, of which {1} can be factored', layers.length, factorable),
    l10n.t('Format: {0}', formatText(analysis)),
  ];
  if (freeDims.length > 0)
    lines.push(l10n.t('Dimensions without a size: {0}', markdown(freeDims.join(', '))));
  const assumed = Object.entries(assumedDims).map(([name, size]) => `${name} = ${size}`);
  if (assumed.length > 0) lines.push(l10n.t('Counted for {0}', markdown(assumed.join(', '))));
  const sections = [`**${markdown(basename(path))}**`, lines.join('  \n')];
  const suggested = suggestionTotals(analysis);
  if (suggested) sections.push(suggested);
  if (plan) sections.push(planSection(plan));
  if (analysis.format === 'onnx') sections.push(dataSection(data));
  for (const problem of problems) sections.push(`$(warning) ${markdown(engineText(problem.message))}`);
  sections.push(markdown(path));
  return sections.join('\n\n');
}

/** What the size consists of, where it is more than one element type: " (float 4.7 MB, int64 2 kB)". */
function typesText({ bytesByType }: Analysis): string {
  const types = Object.entries(bytesByType).map(([type, bytes]) => `${type} ${formatBytes(bytes)}`);
  return types.length > 1 ? ` (${types.join(', ')})` : '';
}

function planSection({ uri, parsed: { plan, problems } }: ModelPlan): string {
  const name = markdown(basename(uri.fsPath));
  if (!plan)
    return l10n.t('**Plan:** {0} has errors: {1}', name, markdown(engineText(problems[0]?.message ?? '')));
  const factored = plan.layers.filter(({ kind }) => kind === 'factor').length;
  return l10n.t(
    '**Plan:** {0}, goal {1}, factors {2}',
    name,
    markdown(printTarget(plan.goal)),
    layerCount(factored),
  );
}

function dataSection(data: Calibration | null | undefined): string {
  const how = data && preprocessingText(data.preprocessing);
  const line = [calibrationLine(data), how].filter((part) => part).join(' · ');
  return l10n.t('**Calibration data:** {0}', markdown(line));
}

function suggestionTotals({ layers, parameters }: Analysis): string | undefined {
  const suggested = layers.filter((layer) => layer.suggestion);
  if (suggested.length === 0) return undefined;
  const saved = suggested.reduce((sum, layer) => sum + layer.parameters - layer.suggestion!.parameters, 0);
  const after = parameters.stored - saved;
  const least = Math.min(...suggested.map((layer) => layer.suggestion!.energy));
  return l10n.t(
    'With the suggested ranks: {0} parameters ({1}), every factored layer keeping at least {2} of its energy.',
    formatCount(after),
    formatChange(parameters.stored, after),
    formatPercent(least),
  );
}
