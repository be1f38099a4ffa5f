import { resolveBindings } from '../onnx/bindings';
import { constantTable } from '../onnx/constants';
import { graphMacs, nodeMacs } from '../onnx/cost';
import { elementBytes, elementCount, elementName, isFloatType } from '../onnx/elements';
import type { Model, Tensor } from '../onnx/model';
import { allGraphs } from '../onnx/names';
import { bindDim, type Dim, isSymbolic, printDim } from '../onnx/shapes/dim';
import { inferShapes, type ShapeTable } from '../onnx/shapes/inferShapes';
import type { OpenExternal } from '../onnx/tensorData';
import type { Analysis, DimBindings, LayerInfo, Problem, TensorInfo } from './analysis';
import { findLayers, type Layer, layerParameters } from './layer';
import type { Totals } from './makePlan';

/** A model as the planner sees it. */
export interface AnalyzedModel {
  readonly analysis: Analysis;
  readonly layers: readonly Layer[];
  readonly totals: Totals;
  /** The sizes that were given, by symbol. */
  readonly bind: ReadonlyMap<string, number>;
}

export interface AnalyzeOptions {
  readonly dims: DimBindings;
  readonly openExternal: OpenExternal;
  /** List the type of every tensor of the main graph too. */
  readonly shapes?: boolean;
}

/** Structure, parameters and multiply-adds of a model; no weight is read. */
export function analyzeModel(model: Model, options: AnalyzeOptions): AnalyzedModel {
  const { bind, unknown } = resolveBindings(model, options.dims);
  const shapes = inferShapes(model, { ...options, bind });
  const assumed = batchSymbols(model, shapes);
  const concrete = (dim: Dim): number | null => {
    const bound = bindDim(dim, assumed);
    return typeof bound === 'number' ? bound : null;
  };
  const macs = graphMacs(model, shapes);
  const layers = findLayers(model, (name) => shapes.get(name)?.shape?.map(concrete) ?? undefined);
  const total = concrete(macs.total);
  const freeDims = shapes.symbols.filter((name) => !assumed.has(name));
  const parameters = countParameters(model);
  const analysis: Analysis = {
    file: model.source.name,
    opset: model.opsets.get('') ?? 0,
    bytes: model.source.size + externalBytes(model),
    parameters,
    macs: total,
    flops: total === null ? null : 2 * total,
    unknownMacs: macs.unknown,
    freeDims,
    assumedDims: Object.fromEntries(assumed),
    layers: layers.map((layer) => layerInfo(layer, model, shapes, concrete)),
    ...(options.shapes ? { tensors: tensorInfos(shapes) } : {}),
    problems: [...bindingProblems(unknown, shapes), ...macsProblems(freeDims, macs.unknown, total)],
  };
  return { analysis, layers, totals: { parameters: parameters.stored, macs: total }, bind };
}

function layerInfo(
  layer: Layer,
  model: Model,
  shapes: ShapeTable,
  concrete: (dim: Dim) => number | null,
): LayerInfo {
  const output = shapes.get(layer.node.outputs[0] ?? '')?.shape;
  const inMain = model.graph.nodes.includes(layer.node);
  return {
    name: layer.name,
    op: layer.node.opType,
    weight: layer.weight.tensor.name || (layer.node.inputs[layer.weightInput] ?? ''),
    weightShape: layer.weight.dims,
    parameters: layerParameters(layer),
    macs: inMain ? concrete(nodeMacs(layer.node, shapes)) : null,
    outputShape: inMain && output ? output.map(printable) : null,
    ...(layer.form.kind === 'none'
      ? { status: 'skipped', reason: layer.form.reason }
      : { status: 'compressible' }),
  };
}

/**
 * Symbols that are the first axis of inputs and nothing else: the batch. Nobody wants to be asked for it, so it
 * counts as 1 where it is not bound, and that is said.
 */
function batchSymbols(model: Model, shapes: ShapeTable): ReadonlyMap<string, number> {
  const free = new Set(shapes.symbols);
  const first = new Set<string>();
  const later = new Set<string>();
  for (const input of model.graph.inputs) {
    for (const [axis, dim] of (shapes.get(input.name)?.shape ?? []).entries()) {
      if (isSymbolic(dim) && free.has(dim.key)) (axis === 0 ? first : later).add(dim.key);
    }
  }
  return new Map([...first].filter((name) => !later.has(name)).map((name) => [name, 1]));
}

function printable(dim: Dim): number | string | null {
  return typeof dim === 'number' || dim === null ? dim : printDim(dim);
}

function tensorInfos(shapes: ShapeTable): Readonly<Record<string, TensorInfo>> {
  // A map would be safer, but this goes into JSON; a null prototype keeps a tensor called __proto__ a tensor.
  const infos: Record<string, TensorInfo> = Object.create(null);
  for (const [name, { type, shape }] of shapes.entries()) {
    infos[name] = { type: elementName(type), shape: shape === null ? null : shape.map(printable) };
  }
  return infos;
}

function bindingProblems(unknown: readonly string[], shapes: ShapeTable): readonly Problem[] {
  if (unknown.length === 0) return [];
  const known =
    shapes.symbols.length > 0 ? `those still open are ${shapes.symbols.join(', ')}` : 'none is open';
  return [{ code: 'unknown-dim', message: `The inputs have no dimension ${unknown.join(', ')}; ${known}.` }];
}

function macsProblems(
  freeDims: readonly string[],
  unknownMacs: readonly string[],
  total: number | null,
): readonly Problem[] {
  const problems: Problem[] = [];
  if (freeDims.length > 0 && (total === null || unknownMacs.length > 0)) {
    const names = freeDims.join(', ');
    problems.push({
      code: 'free-dims',
      message: `The MACs depend on ${names}: give ${freeDims.length === 1 ? 'it a size' : 'them sizes'} to count them.`,
    });
  }
  if (unknownMacs.length > 0) {
    const shown = unknownMacs.slice(0, 3).join(', ') + (unknownMacs.length > 3 ? ', …' : '');
    const nodes = unknownMacs.length === 1 ? 'one node' : `${unknownMacs.length} nodes`;
    problems.push({ code: 'unknown-macs', message: `The MACs of ${nodes} can't be counted (${shown}).` });
  }
  return problems;
}

/** Floating-point constants of a model, in every graph: initializers and Constant nodes. */
function* floatConstants(model: Model): Generator<Tensor> {
  for (const graph of allGraphs(model.graph)) {
    for (const tensor of graph.initializers) if (isFloatType(tensor.type)) yield tensor;
    for (const node of graph.nodes) {
      const value = node.opType === 'Constant' ? node.attributes.get('value') : undefined;
      if (value?.kind === 'tensor' && isFloatType(value.value.type)) yield value.value;
    }
  }
}

/** Elements of floating-point constants: `stored` counts each once, `used` once for each node input it feeds. */
export function countParameters(model: Model): { readonly stored: number; readonly used: number } {
  let stored = 0;
  for (const tensor of floatConstants(model)) stored += elementCount(tensor.dims);
  let used = 0;
  for (const graph of allGraphs(model.graph)) {
    const constants = constantTable(model, graph);
    for (const node of graph.nodes) {
      if (node.opType === 'Identity' || node.opType === 'Transpose') continue;
      for (const name of node.inputs) {
        const constant = name ? constants.resolve(name) : undefined;
        if (typeof constant === 'object' && isFloatType(constant.tensor.type))
          used += elementCount(constant.dims);
      }
    }
  }
  return { stored, used };
}

/** Bytes of the external ranges a model refers to, by dims and type: the data file may hold more, or be missing. */
function externalBytes(model: Model): number {
  let bytes = 0;
  for (const graph of allGraphs(model.graph)) {
    for (const tensor of graph.initializers) {
      if (tensor.data.kind === 'external') bytes += elementBytes(tensor.type, elementCount(tensor.dims));
    }
  }
  return bytes;
}
