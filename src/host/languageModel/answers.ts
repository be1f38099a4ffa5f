import type { Analysis, LayerInfo } from '../../core/compress/analysis';
import { printTarget } from '../../core/compress/plan';
import type { CompressionReport, LayerReport, Preview } from '../../core/compress/report';

/** Characters of an answer, about: a model pays for each of them. */
const LONGEST = 8000;

/** Layers that are listed unless somebody wants more. */
export const USUAL_LAYERS = 15;

/** The structure of a model, its largest layers first. */
export function analysisAnswer(analysis: Analysis, most = USUAL_LAYERS): string {
  const layers = byParameters(analysis.layers).map((layer) => layerAnswer(layer, analysis));
  return bounded(
    {
      ...modelAnswer(analysis),
      layerCount: analysis.layers.length,
      factorableLayers: analysis.layers.filter(({ status }) => status === 'compressible').length,
    },
    layers,
    most,
  );
}

/** Suggested ranks of each layer at this energy, those that save the most first. */
export function suggestionAnswer(analysis: Analysis, energy: number, most = USUAL_LAYERS): string {
  const saved = ({ parameters, suggestion }: LayerInfo) =>
    suggestion ? parameters - suggestion.parameters : 0;
  const suggested = [...analysis.layers]
    .filter(({ suggestion }) => suggestion)
    .sort((a, b) => saved(b) - saved(a));
  const layers = suggested.map(({ name, op, parameters, macs, suggestion }) => ({
    name,
    op,
    method: suggestion!.method,
    ranks: suggestion!.ranks,
    parameters: { before: parameters, after: suggestion!.parameters },
    macs: { before: macs, after: suggestion!.macs },
    energyKept: round(suggestion!.energy),
  }));
  const total = analysis.parameters.stored;
  return bounded(
    {
      ...modelAnswer(analysis),
      energy,
      layerCount: analysis.layers.length,
      layersWithSuggestion: suggested.length,
      parametersIfAllApplied: total - suggested.reduce((sum, layer) => sum + saved(layer), 0),
    },
    layers,
    most,
  );
}

/** What a goal would give for the model as a whole, and by what. Nothing of it is measured. */
export function goalAnswer(file: string, preview: Preview, most = USUAL_LAYERS): string {
  const { target, refusal, parameters, macs, factored, weightError, certainty, plan } = preview;
  if (refusal !== undefined) {
    return JSON.stringify({ file, goal: printTarget(target), cannotBeMet: refusal }, short);
  }
  const layers = (plan?.layers ?? []).flatMap((layer) =>
    layer.kind === 'factor' ? [{ name: layer.layer, method: layer.method, ranks: layer.ranks }] : [],
  );
  return bounded(
    {
      file,
      goal: printTarget(target),
      parameters,
      macs,
      factoredLayers: factored,
      predictedWeightError: round(weightError),
      predictedWeightErrorIs: certainty === 'bound' ? 'an upper bound' : certainty,
    },
    layers,
    most,
  );
}

/** What a compression did, as measured on the written file. */
export function reportAnswer(report: CompressionReport, most = USUAL_LAYERS): string {
  const { original, compressed, outputError, decisions, accuracy, target, engine, inputs, problems } = report;
  const saved = ({ parameters }: LayerReport) => parameters.before - parameters.after;
  const factored = report.layers
    .filter(({ method }) => method !== 'dense')
    .sort((a, b) => saved(b) - saved(a))
    .map(({ name, method, ranks, parameters, weightError }) => ({
      name,
      method,
      ranks,
      parameters,
      weightError: round(weightError),
    }));
  return bounded(
    {
      written: compressed.file,
      original: original.file,
      goal: printTarget(target),
      parameters: { before: original.parameters, after: compressed.parameters },
      macs: { before: original.macs, after: compressed.macs },
      bytes: { before: original.bytes, after: compressed.bytes },
      millisecondsPerInference: { before: round(original.ms), after: round(compressed.ms) },
      relativeOutputError: round(outputError.relative),
      ...(accuracy ? { rightAnswers: { before: round(accuracy.before), after: round(accuracy.after) } } : {}),
      ...(decisions ? { decisions: { asBefore: decisions.kept, of: decisions.count } } : {}),
      measuredWith: engine,
      measuredOn: inputs,
      problems: problems.slice(0, 5).map(({ message }) => message),
      layerCount: report.layers.length,
      factoredLayers: factored.length,
    },
    factored,
    most,
  );
}

function modelAnswer(analysis: Analysis) {
  const { file, format, opset, bytes, parameters, macs, activationBytes, unknownMacs } = analysis;
  const { freeDims, assumedDims, problems } = analysis;
  return {
    file,
    format,
    opset,
    bytes,
    parameters: parameters.stored,
    macs,
    ...(analysis.macs === null && analysis.macsFormula ? { macsFormula: analysis.macsFormula } : {}),
    peakActivationBytes: activationBytes,
    ...(unknownMacs.length > 0 ? { nodesThatCannotBeCounted: unknownMacs.length } : {}),
    ...(freeDims.length > 0 ? { dimensionsWithoutSize: freeDims.slice(0, 20) } : {}),
    ...(Object.keys(assumedDims).length > 0
      ? { assumedDimensions: Object.fromEntries(Object.entries(assumedDims).slice(0, 20)) }
      : {}),
    problems: problems.slice(0, 5).map(({ message }) => message),
  };
}

function layerAnswer(layer: LayerInfo, { parameters }: Analysis) {
  return {
    name: layer.name,
    op: layer.op,
    weightShape: layer.weightShape,
    parameters: layer.parameters,
    shareOfParameters: round(layer.parameters / (parameters.stored || 1)),
    macs: layer.macs,
    ...(layer.status === 'skipped' ? { cannotBeFactored: layer.reason } : {}),
  };
}

function byParameters(layers: readonly LayerInfo[]): readonly LayerInfo[] {
  return [...layers].sort((a, b) => b.parameters - a.parameters);
}

/** JSON with as many of the layers as are wanted and have room, and how many were left out. */
function bounded(head: object, layers: readonly object[], most: number): string {
  let count = Math.min(most, layers.length);
  for (;;) {
    const omitted = layers.length - count;
    const answer = {
      ...head,
      layers: layers.slice(0, count),
      ...(omitted > 0 ? { layersLeftOut: omitted } : {}),
    };
    const text = JSON.stringify(answer, short);
    if (text.length <= LONGEST || count === 0) return text;
    count = Math.floor((count * LONGEST) / (text.length + 1));
  }
}

/** Characters of one text in an answer. */
const LONGEST_TEXT = 300;

/** Names in models can be of any length. */
function short(_: string, value: unknown): unknown {
  return typeof value === 'string' && value.length > LONGEST_TEXT
    ? `${value.slice(0, LONGEST_TEXT)}…`
    : value;
}

/** Four digits tell all there is to tell. */
function round<T extends number | null>(value: T): T {
  return (value === null ? null : Number(value.toPrecision(4))) as T;
}
