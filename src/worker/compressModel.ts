import { basename, dirname, join } from 'node:path';
import type { Analysis } from '../core/compress/analysis';
import { type AnalyzedModel, analyzeModel } from '../core/compress/analyzeModel';
import { makePlan } from '../core/compress/makePlan';
import type { LayerPlan } from '../core/compress/plan';
import type { CompressionReport, ModelFigures } from '../core/compress/report';
import { type FactoredLayer, rewriteModel } from '../core/compress/rewrite';
import { createDataFile } from '../core/onnx/dataFile';
import { ModelError } from '../core/onnx/modelError';
import { type Piece, segmentsLength } from '../core/onnx/splice';
import type { CallOptions, CompressRequest, Progress } from './engine';
import { factorLayers } from './factorLayers';
import { layerReports } from './layerReports';
import { modelInputs } from './modelInputs';
import { modelWeights } from './modelWeights';
import { type OpenModel, openModel } from './openModel';
import { checkTarget, type OutputFolder, openOutputFolder } from './outputFolder';
import { optionsOfPlan } from './planModel';
import type { Pool } from './pool';
import type { Runtime } from './runtime';
import type { Spectra } from './spectra';
import { verifyModels } from './verifyModels';

/** Sizes at which a compression changes its ways. */
export interface Limits {
  /** Bytes of the largest model file; weights beyond go into a data file. */
  readonly largestModel: number;
  /** Bytes of factors that are kept in memory until they are written; those beyond wait on the disk. */
  readonly keptFactors: number;
}

/** A protocol-buffer message, and so a model without external data, ends at 2 GiB. */
const LIMITS: Limits = { largestModel: 2 ** 31 - 1, keptFactors: 64 * 1024 * 1024 };

/** What a compression works with. */
export interface Tools {
  readonly pool: Pool;
  readonly spectra: Spectra;
  readonly runtime: () => Runtime;
  readonly limits?: Partial<Limits>;
}

/** Where each phase ends on the way from 0 to 1. */
const PHASES = { suggest: [0.02, 0.4], factor: [0.4, 0.75], write: [0.75, 0.8], verify: [0.8, 1] } as const;

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
  const limits = { ...LIMITS, ...tools.limits };
  const dataPath = `${request.output}.data`;
  const open = openModel(request.path);
  try {
    const sources = [request.path, ...open.externalFiles.map((file) => join(dirname(request.path), file))];
    for (const target of [request.output, dataPath]) checkTarget(sources, target, request.overwrite);
    const clock = stopwatch();
    const dims = request.dims ?? {};
    const foldNorms = request.plan?.foldNorms ?? request.foldNorms ?? true;
    const seed = request.plan?.seed ?? request.seed;
    const analyzed = analyzeModel(open.model, { dims, openExternal: open.openExternal, foldNorms });
    const { options, plans: wanted } = await plansFor(
      tools.spectra,
      open,
      analyzed,
      { ...request, foldNorms },
      signal,
      (done, layer) => report('suggest', done, layer),
    );
    const suggest = clock();

    const folder = openOutputFolder(request.output);
    try {
      const { factored, plans } = await factorLayers(tools.pool, open, options, wanted, {
        ...(signal ? { signal } : {}),
        keep: keeper(folder, limits.keptFactors),
        onLayer: (done, layer) => report('factor', done, layer),
      });
      if (factored.length === 0) throw nothingToDo(request.path, plans);
      const factor = clock();

      const rewritten = rewriteWithin(limits.largestModel, open, factored, basename(dataPath));
      const files = [{ name: basename(request.output), segments: rewritten.segments }];
      if (rewritten.data) files.push({ name: basename(dataPath), segments: rewritten.data });
      const path = await folder.write(files, signal, (done) => report('write', done));
      const write = clock();
      const written = openModel(path);
      try {
        const after = analyzeModel(written.model, { dims, openExternal: written.openExternal }).analysis;
        if (!request.allowLarger) refuseLarger(request.path, analyzed.analysis, after);
        const inputs = modelInputs(open.model, analyzed.bind, undefined, seed);
        const comparison = await verifyModels(tools.runtime(), open, written, inputs, signal, (done) =>
          report('verify', done),
        );
        signal?.throwIfAborted();
        folder.commit();
        return {
          target: request.target,
          plan: (request.plan && request.planPath) ?? null,
          original: figuresOf(analyzed.analysis, request.path, comparison.originalMs),
          compressed: figuresOf(after, request.output, comparison.compressedMs),
          outputError: comparison.outputError,
          engine: tools.runtime().name,
          factoredWith: tools.pool.engine() ?? 'nothing',
          inputs: inputs.description,
          assumedDims: inputs.assumed,
          layers: layerReports(analyzed.analysis, after, plans, factored, rewritten.nodes),
          problems: after.problems,
          seconds: { suggest, factor, write, verify: clock() },
        };
      } finally {
        written.close();
      }
    } finally {
      folder.discard();
    }
  } finally {
    open.close();
  }
}

/** What is to become of each layer: what the plan says, or a plan is made. */
async function plansFor(
  spectra: Spectra,
  open: OpenModel,
  { layers, totals }: AnalyzedModel,
  { plan, target, method, foldNorms = true, allowLarger, multiple }: CompressRequest,
  signal: AbortSignal | undefined,
  onLayer: (done: number, layer: string) => void,
) {
  if (plan) return optionsOfPlan(open, plan, layers, signal);
  const call = { ...(signal ? { signal } : {}), onLayer, target };
  const options = await spectra.optionsOf(modelWeights(open, foldNorms), layers, method, call);
  const planned = makePlan(options, totals, target, { allowLarger, multiple });
  if ('refusal' in planned) throw new ModelError('unreachable-target', `${open.path}: ${planned.refusal}`);
  return { options, plans: planned.plan.layers };
}

function keeper(folder: OutputFolder, limit: number): (bytes: Uint8Array) => Piece {
  let kept = 0;
  return (bytes) => {
    kept += bytes.length;
    return kept <= limit ? bytes : folder.spill(bytes);
  };
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
