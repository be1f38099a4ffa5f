import { basename, dirname, join } from 'node:path';
import type { Analysis } from '../core/compress/analysis';
import { type AnalyzedModel, analyzeModel } from '../core/compress/analyzeModel';
import { energyOfRank } from '../core/compress/factor';
import { type LayerOptions, makePlan } from '../core/compress/makePlan';
import type { LayerPlan } from '../core/compress/plan';
import type { CompressionReport, LayerReport, ModelFigures } from '../core/compress/report';
import { type FactoredLayer, rewriteModel } from '../core/compress/rewrite';
import { createDataFile } from '../core/onnx/dataFile';
import { ModelError } from '../core/onnx/modelError';
import { segmentsLength } from '../core/onnx/splice';
import { encodeFloats } from '../core/onnx/tensorData';
import type { CallOptions, CompressRequest, Progress } from './engine';
import { modelInputs } from './modelInputs';
import { type OpenModel, openModel } from './openModel';
import type { Pool } from './pool';
import type { Runtime } from './runtime';
import { createProgress, readNorm, refusalOf, runJob, type Spectra } from './spectra';
import { verifyModels } from './verifyModels';
import { checkTarget, writeFiles } from './writeFiles';

/** A protocol-buffer message, and so a model without external data, ends here. */
const LARGEST_MODEL = 2 ** 31 - 1;

/** What a compression works with. */
export interface Tools {
  readonly pool: Pool;
  readonly spectra: Spectra;
  readonly runtime: () => Runtime;
  /** Bytes of the largest model file; weights beyond go into a data file. Default: the format's limit, 2 GiB. */
  readonly largestModel?: number;
}

/** Where each phase ends on the way from 0 to 1. */
const PHASES = { suggest: [0.02, 0.4], factor: [0.4, 0.75], write: [0.75, 0.8], verify: [0.8, 1] } as const;

/** A layer that was factored, and what is known of it beyond what is written. */
interface FactoredResult extends FactoredLayer {
  readonly energy: number;
  readonly weightError: number;
}

/**
 * Plans, factors, writes to a temporary file, reads that back, runs both models, and only then gives the file its
 * name. Every figure of the report is taken from the written file. Whatever fails, nothing is left behind.
 */
export async function compressModel(
  tools: Tools,
  request: CompressRequest,
  { signal, onProgress }: CallOptions,
): Promise<CompressionReport> {
  const report = (phase: keyof typeof PHASES, done: number, layer?: string) => {
    const [from, to] = PHASES[phase];
    const progress: Progress = { phase, done: from + done * (to - from), ...(layer ? { layer } : {}) };
    onProgress?.(progress);
  };
  const dataPath = `${request.output}.data`;
  const open = openModel(request.path);
  try {
    const sources = [request.path, ...open.externalFiles.map((file) => join(dirname(request.path), file))];
    for (const target of [request.output, dataPath]) checkTarget(sources, target, request.overwrite);
    const clock = stopwatch();
    const dims = request.dims ?? {};
    const analyzed = analyzeModel(open.model, { dims, openExternal: open.openExternal });
    const options = await tools.spectra.optionsOf(open, analyzed.layers, request.method, {
      ...(signal ? { signal } : {}),
      onLayer: (done, layer) => report('suggest', done, layer),
    });
    const planned = makePlan(options, analyzed.totals, request.target, request.allowLarger);
    if ('refusal' in planned)
      throw new ModelError('unreachable-target', `${request.path}: ${planned.refusal}`);
    const suggest = clock();

    const { factored, plans } = await factorLayers(
      tools.pool,
      open,
      options,
      planned.plan.layers,
      signal,
      (done, layer) => report('factor', done, layer),
    );
    if (factored.length === 0) throw nothingToDo(request.path, plans);
    const factor = clock();

    const rewritten = rewriteWithin(tools.largestModel ?? LARGEST_MODEL, open, factored, basename(dataPath));
    const files = [{ name: basename(request.output), segments: rewritten.segments }];
    if (rewritten.data) files.push({ name: basename(dataPath), segments: rewritten.data });
    const pending = await writeFiles(files, request.output, signal, (done) => report('write', done));
    const write = clock();
    try {
      const written = openModel(pending.path);
      try {
        const after = analyzeModel(written.model, { dims, openExternal: written.openExternal }).analysis;
        if (!request.allowLarger) refuseLarger(request.path, analyzed.analysis, after);
        const inputs = modelInputs(open.model, analyzed.bind);
        const comparison = await verifyModels(tools.runtime(), open, written, inputs, signal, (done) =>
          report('verify', done),
        );
        signal?.throwIfAborted();
        pending.commit();
        return {
          target: request.target,
          original: figuresOf(analyzed.analysis, request.path, comparison.originalMs),
          compressed: figuresOf(after, request.output, comparison.compressedMs),
          outputError: comparison.outputError,
          engine: tools.runtime().name,
          factoredWith: tools.pool.engine() ?? 'nothing',
          inputs: inputs.description,
          assumedDims: inputs.assumed,
          layers: layerReports(analyzed, after, plans, factored, rewritten.nodes),
          problems: after.problems,
          seconds: { suggest, factor, write, verify: clock() },
        };
      } finally {
        written.close();
      }
    } finally {
      pending.discard();
    }
  } finally {
    open.close();
  }
}

/** Rewrites into one file where that is possible: not where the source has data files, nor beyond `limit` bytes. */
function rewriteWithin(limit: number, open: OpenModel, factored: readonly FactoredLayer[], location: string) {
  const { model, openExternal } = open;
  if (open.externalFiles.length === 0) {
    const rewritten = rewriteModel(model, factored);
    if (segmentsLength(rewritten.segments) <= limit) return { ...rewritten, data: undefined };
  }
  for (const spill of [false, true]) {
    const file = createDataFile(location);
    const rewritten = rewriteModel(model, factored, { file, spill, openExternal });
    if (segmentsLength(rewritten.segments) <= limit) return { ...rewritten, data: file.segments };
  }
  throw new ModelError(
    'too-large',
    `${model.source.name}: even with its weights in a data file the compressed model would be larger than ${limit} bytes.`,
  );
}

async function factorLayers(
  pool: Pool,
  open: OpenModel,
  options: readonly LayerOptions[],
  plans: readonly LayerPlan[],
  signal: AbortSignal | undefined,
  onLayer: (done: number, layer: string) => void,
): Promise<{ factored: readonly FactoredResult[]; plans: readonly LayerPlan[] }> {
  const byName = new Map(options.map((o) => [o.layer.name, o]));
  const progress = createProgress(
    plans.map((p) =>
      p.kind === 'factor' ? (byName.get(p.layer)?.choices[0]?.candidate.dense.parameters ?? 0) : 0,
    ),
    onLayer,
  );
  const results = await Promise.all(
    plans.map(async (plan, i): Promise<{ plan: LayerPlan; result?: FactoredResult }> => {
      if (plan.kind === 'dense') return { plan };
      const { layer, choices } = byName.get(plan.layer)!;
      const { candidate, spectrum } = choices.find((c) => c.candidate.method === plan.method)!;
      try {
        const { factors, weightError } = await runJob(
          pool,
          open,
          layer,
          candidate,
          plan.rank,
          signal,
          (done) => progress(i, done, layer.name),
        );
        progress(i, 1, layer.name);
        const [first, second] = factors as [Uint8Array, Uint8Array];
        const energy = energyOfRank(spectrum, plan.rank);
        const norm = readNorm(open, layer);
        const folded = norm ? { foldedBias: encodeFloats(layer.weight.type, norm.bias) } : {};
        return {
          plan,
          result: {
            layer,
            candidate,
            rank: plan.rank,
            factors: [first, second],
            energy,
            weightError,
            ...folded,
          },
        };
      } catch (error) {
        return { plan: { kind: 'dense', layer: plan.layer, reason: refusalOf(error) } };
      }
    }),
  );
  return {
    factored: results.flatMap(({ result }) => (result ? [result] : [])),
    plans: results.map(({ plan }) => plan),
  };
}

function nothingToDo(path: string, plans: readonly LayerPlan[]): ModelError {
  const reasons = new Map<string, number>();
  for (const plan of plans) {
    if (plan.kind === 'dense') reasons.set(plan.reason, (reasons.get(plan.reason) ?? 0) + 1);
  }
  const [most] = [...reasons].sort((a, b) => b[1] - a[1]);
  const why = most
    ? ` ${most[1]} of ${plans.length} layers: ${most[0]}`
    : ' It has no layers with constant weights.';
  return new ModelError(
    'nothing-to-do',
    `${path}: no layer would become smaller, so nothing was written.${why}`,
  );
}

function refuseLarger(path: string, before: Analysis, after: Analysis): void {
  if (after.bytes < before.bytes && after.parameters.stored < before.parameters.stored) return;
  throw new ModelError(
    'nothing-to-do',
    `${path}: the result would be no smaller (${after.parameters.stored} instead of ${before.parameters.stored} parameters, ${after.bytes} instead of ${before.bytes} bytes), so nothing was written.`,
  );
}

/** The figures of a model as its file says. */
export function figuresOf(analysis: Analysis, path: string, ms: number | null): ModelFigures {
  return {
    file: path,
    bytes: analysis.bytes,
    parameters: analysis.parameters.stored,
    macs: analysis.macs,
    ms,
  };
}

/** One row per layer of the original, with what the written file holds in its place. */
function layerReports(
  before: AnalyzedModel,
  after: Analysis,
  plans: readonly LayerPlan[],
  factored: readonly FactoredResult[],
  nodes: ReadonlyMap<string, readonly string[]>,
): readonly LayerReport[] {
  const results = new Map(
    factored.flatMap((f) => [f.layer, ...f.layer.twins].map((layer) => [layer.name, f] as const)),
  );
  const byName = new Map(after.layers.map((l) => [l.name, l]));
  return before.analysis.layers.map((layer, i): LayerReport => {
    const plan = plans[i]!;
    const result = results.get(layer.name);
    const parts = (nodes.get(layer.name) ?? [layer.name]).flatMap((name) => byName.get(name) ?? []);
    const macs = parts.reduce<number | null>(
      (sum, part) => (sum === null || part.macs === null ? null : sum + part.macs),
      0,
    );
    return {
      name: layer.name,
      op: layer.op,
      method: result ? result.candidate.method : 'dense',
      rank: result ? result.rank : null,
      ...(plan.kind === 'dense' && !result ? { reason: plan.reason } : {}),
      parameters: { before: layer.parameters, after: parts.reduce((sum, part) => sum + part.parameters, 0) },
      macs: { before: layer.macs, after: macs },
      energy: result ? result.energy : null,
      weightError: result ? result.weightError : null,
    };
  });
}

/** Seconds since the last call. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const seconds = (now - last) / 1000;
    last = now;
    return seconds;
  };
}
