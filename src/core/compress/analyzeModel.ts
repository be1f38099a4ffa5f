import { counted, plural } from '../counted';
import { formatDim } from '../format';
import { nodeTraffic, peakActivations } from '../onnx/activations';
import { resolveBindings } from '../onnx/bindings';
import { constantName } from '../onnx/constants';
import { graphMacs, nodeMacs } from '../onnx/cost';
import { elementName } from '../onnx/elements';
import type { Graph, Model, Node } from '../onnx/model';
import { nestedGraphs } from '../onnx/names';
import { otherOps } from '../onnx/otherOps';
import { add, bindDim, type Dim, isSymbolic, mul, printDim } from '../onnx/shapes/dim';
import { inferShapes, type ShapeTable } from '../onnx/shapes/inferShapes';
import type { OpenExternal } from '../onnx/tensorData';
import type { Analysis, DimBindings, LayerInfo, Problem, TensorInfo } from './analysis';
import { bytesByType, countParameters, externalBytes } from './countConstants';
import { findLayers, type GraphSizes } from './findLayers';
import type { Layer } from './layer';
import type { Totals } from './makePlan';

/** A model as the planner sees it. */
export interface AnalyzedModel {
  readonly analysis: Analysis;
  readonly layers: readonly Layer[];
  readonly totals: Totals;
  /** The sizes that were given, by symbol. */
  readonly bind: ReadonlyMap<string, number>;
  /** `activationBytes` once others have taken the place of some layers' nodes (`peakActivations`). */
  activationsWith(instead: ReadonlyMap<Node, number | null>): number | null;
}

export interface AnalyzeOptions {
  readonly dims: DimBindings;
  readonly openExternal: OpenExternal;
  /** Fold BatchNormalization into the convolution in front of it when that is factored; default true. */
  readonly foldNorms?: boolean;
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
  const bodies = bodyShapes(model.graph, shapes);
  const sizesOf = (graph: Graph): GraphSizes => {
    const body = bodies.get(graph);
    return {
      sizes: (name) => body?.shapes.get(name)?.shape?.map(concrete),
      trips: body ? concrete(body.trips) : null,
    };
  };
  const macs = graphMacs(model, shapes);
  const layers = findLayers(model, sizesOf, options.foldNorms);
  const total = concrete(macs.total);
  const freeDims = shapes.symbols.filter((name) => !assumed.has(name));
  const parameters = countParameters(model, sizesOf);
  const analysis: Analysis = {
    file: model.source.name,
    format: 'onnx',
    opset: model.opsets.get('') ?? 0,
    bytes: model.source.size + externalBytes(model),
    parameters,
    macs: total,
    flops: total === null ? null : 2 * total,
    macsFormula: formula(bindDim(macs.total, assumed)),
    otherOps: concrete(otherOps(model, shapes).total),
    activationBytes: peakActivations(model, shapes, assumed).peak,
    bytesByType: bytesByType(model),
    unknownMacs: macs.unknown,
    freeDims,
    assumedDims: Object.fromEntries(assumed),
    layers: layers.map((layer) => layerInfo(layer, bodies.get(layer.graph), assumed)),
    ...(options.shapes ? { tensors: tensorInfos(shapes) } : {}),
    problems: [...bindingProblems(unknown, shapes), ...macsProblems(freeDims, macs.unknown, total)],
  };
  return {
    analysis,
    layers,
    totals: { parameters: parameters.stored, macs: total, bytes: sum(analysis.bytesByType) },
    bind,
    activationsWith: (instead) => peakActivations(model, shapes, assumed, instead).peak,
  };
}

function sum(values: Readonly<Record<string, number>>): number {
  return Object.values(values).reduce((a, b) => a + b, 0);
}

/** What is known inside a graph, and how often it runs per inference. */
interface BodyShapes {
  readonly shapes: ShapeTable;
  readonly trips: Dim;
}

/** Shapes of the main graph and of every body in it, as far as inference went. */
function bodyShapes(main: Graph, shapes: ShapeTable): ReadonlyMap<Graph, BodyShapes> {
  const found = new Map<Graph, BodyShapes>();
  const visit = (graph: Graph, body: BodyShapes) => {
    found.set(graph, body);
    for (const node of graph.nodes) {
      const inner = body.shapes.bodies(node);
      for (const nested of nestedGraphs(node)) {
        const match = inner.find((b) => b.nodes === nested.nodes);
        if (match) visit(nested, { shapes: match.shapes, trips: mul(body.trips, match.trips) });
      }
    }
  };
  visit(main, { shapes, trips: 1 });
  return found;
}

function layerInfo(
  layer: Layer,
  body: BodyShapes | undefined,
  assumed: ReadonlyMap<string, number>,
): LayerInfo {
  const bound = (dim: Dim): Dim => (body ? bindDim(mul(dim, body.trips), assumed) : null);
  const macs = body ? bound(nodeMacs(layer.node, body.shapes)) : null;
  const traffic = body && nodeTraffic(layer.node, body.shapes);
  const bytes = traffic ? bound(add(traffic.read, traffic.written)) : null;
  const output = body?.shapes.get(layer.node.outputs[0] ?? '')?.shape;
  return {
    name: layer.name,
    op: layer.node.opType,
    weight: constantName(layer.weight),
    weightShape: layer.weight.dims,
    parameters: layer.parameters,
    macs: typeof macs === 'number' ? macs : null,
    macsFormula: formula(macs),
    intensity: typeof macs === 'number' && typeof bytes === 'number' && bytes > 0 ? macs / bytes : null,
    outputShape: output ? output.map(printable) : null,
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
      message: `The MACs depend on ${names}: give ${plural(freeDims.length, 'it a size', 'them sizes')} to count them.`,
    });
  }
  if (unknownMacs.length > 0) {
    const shown = unknownMacs.slice(0, 3).join(', ') + (unknownMacs.length > 3 ? ', …' : '');
    const nodes = counted(unknownMacs.length, 'node');
    problems.push({ code: 'unknown-macs', message: `The MACs of ${nodes} can't be counted (${shown}).` });
  }
  return problems;
}

/** The count as text where it depends on symbols. */
function formula(dim: Dim): string | null {
  return isSymbolic(dim) ? formatDim(dim) : null;
}
