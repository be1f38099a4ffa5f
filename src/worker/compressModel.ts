import type { Analysis, DimBindings } from '../core/compress/analysis';
import { type AnalyzedModel, analyzeModel } from '../core/compress/analyzeModel';
import type { LayerPlan } from '../core/compress/plan';
import { remarksOf } from '../core/compress/remarksOf';
import type { CompressionReport, ModelFigures } from '../core/compress/report';
import { type FactoredLayer, rewriteModel } from '../core/compress/rewrite';
import { counted } from '../core/counted';
import { formatNumber } from '../core/format';
import { createDataFile } from '../core/onnx/dataFile';
import { ModelError } from '../core/onnx/modelError';
import type { PartLimits } from '../core/onnx/parts/planParts';
import { type Piece, segmentsLength } from '../core/onnx/splice';
import { type Applied, applyCalibrated } from './calibrate/applyCalibrated';
import { calibrationInputs, checkHeldBack } from './calibrate/heldBackError';
import { labelsOf } from './calibrate/labelsOf';
import { isChecked, meaningOf, meetGoal } from './calibrate/meetGoal';
import { openPlanned } from './calibrate/openCalibrated';
import { type CalibratedPlan, planCalibrated } from './calibrate/planCalibrated';
import type { CalibrateCall, CalibratedOn, CalibrateTools } from './calibrate/tools';
import { type CalibrationData, openCalibration } from './calibration/calibrationData';
import type { CallOptions, CompressRequest, Progress } from './engine';
import { factorLayers } from './factorLayers';
import { layersAlone, sameLayers, slower, type Times, withoutSlower } from './latency/slowerLayers';
import { layerReports } from './layerReports';
import { batchOf, modelInputs } from './modelInputs';
import { type OpenModel, openModel } from './openModel';
import { checkTarget, type OutputFolder, openOutputFolder } from './outputFolder';
import { checkRuns } from './parts/partsOf';
import { optionsOfPlan, planByWeights } from './planModel';
import { basename, dirname, join } from './platform/paths';
import { refuseInaccurate } from './refuseInaccurate';
import { reproductionOf } from './reproduction';
import { verifyModels } from './verifyModels';

/** Sizes at which a compression changes its ways. */
export interface Limits {
  /** Bytes of the largest model file; weights beyond go into a data file. */
  readonly largestModel: number;
  /** Bytes of factors that are kept in memory until they are written; those beyond wait on the disk. */
  readonly keptFactors: number;
  /** Of models and parts for the runtime; missing: its own. */
  readonly parts?: PartLimits;
}

/** A protocol-buffer message, and so a model without external data, ends at 2 GiB. */
const LIMITS: Limits = { largestModel: 2 ** 31 - 1, keptFactors: 64 * 1024 * 1024 };

/** What a compression works with. */
export interface Tools extends CalibrateTools {
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
  const report = (
    part: keyof typeof PHASES,
    done: number,
    layer?: string,
    phase: Progress['phase'] = part,
  ) => {
    const [from, to] = PHASES[part];
    const progress: Progress = { phase, done: from + done * (to - from), ...(layer ? { layer } : {}) };
    onProgress?.(progress);
  };
  const limits = { ...LIMITS, ...tools.limits };
  const dataPath = `${request.output}.data`;
  const open = openModel(request.path);
  let data: CalibrationData | undefined;
  try {
    const sources = [request.path, ...open.externalFiles.map((file) => join(dirname(request.path), file))];
    for (const target of [request.output, dataPath]) checkTarget(sources, target, request.overwrite);
    // Not after minutes of factoring.
    checkRuns(open, tools.runtime().limits);
    const clock = stopwatch();
    const foldNorms = request.plan?.foldNorms ?? request.foldNorms ?? true;
    const seed = request.plan?.seed ?? request.seed;
    const analyze = (dims: DimBindings) =>
      analyzeModel(open.model, { dims, openExternal: open.openExternal, foldNorms });
    const given = request.dims ?? {};
    if (request.calibration || request.plan?.calibration) onProgress?.({ phase: 'read', done: 0 });
    data = await openData(open, analyze(given).bind, request, signal);
    // What nobody said the data may tell: how large the inputs are.
    const dims = { ...data?.sizes, ...given };
    const analyzed = analyze(dims);
    const labels = labelsOf(request, data);
    const on = data && { open, data, macs: analyzed.totals.macs, labels };
    const {
      options,
      plans: wanted,
      planWithin,
    } = await plansFor(tools, open, on, analyzed, { ...request, foldNorms }, signal, (done, layer, step) =>
      report('suggest', done, layer, step),
    );
    const suggest = clock();

    const folder = openOutputFolder(request.output);
    try {
      const factorCall = {
        ...(signal ? { signal } : {}),
        keep: keeper(folder, limits.keptFactors),
        onLayer: (done: number, layer: string) => report('factor', done, layer, on ? 'fit' : 'factor'),
      };
      const { target } = request;
      const meaning = meaningOf(target);
      const carryOut = async (layers: readonly LayerPlan[], isFirst: boolean): Promise<Carried> => {
        if (!on) return factorLayers(tools.pool, open, options, layers, factorCall);
        const call = { ...factorCall, foldNorms, meaning } as const;
        return isFirst && planWithin && isChecked(target)
          ? (await meetGoal(tools, on, options, target, planWithin, call, request.allowInaccurate)).applied
          : applyCalibrated(tools, on, options, layers, call);
      };
      const inputs = data ? calibrationInputs(data) : modelInputs(open.model, analyzed.bind, undefined, seed);
      const times: Times = { runtime: tools.runtime(), inputs, timings: tools.timings, signal };
      let applied = await carryOut(wanted, true);
      let factor = clock();
      let write = 0;
      for (let isAgain = false; ; isAgain = true) {
        const { factored, plans, refitted = [] } = applied;
        if (factored.length === 0) throw nothingToDo(request.path, plans);
        const rewritten = rewriteWithin(
          limits.largestModel,
          open,
          [...factored, ...refitted],
          basename(dataPath),
        );
        const files = [{ name: basename(request.output), segments: rewritten.segments }];
        if (rewritten.data) files.push({ name: basename(dataPath), segments: rewritten.data });
        const path = await folder.write(files, signal, (done) => report('write', done));
        write += clock();
        const written = openModel(path);
        try {
          const after = analyzeModel(written.model, { dims, openExternal: written.openExternal }).analysis;
          if (!request.allowLarger) refuseLarger(request.path, analyzed.analysis, after);
          const comparison = await verifyModels(tools.runtime(), open, written, inputs, signal, (done) =>
            report('verify', on ? done / 2 : done),
          );
          const layerMs = await layersAlone(times, open, factored);
          if (comparison.isSlower && !request.allowSlower && !request.allowLarger) {
            const quicker = withoutSlower(plans, layerMs);
            if (isAgain || quicker.every(({ kind }) => kind === 'dense') || sameLayers(plans, quicker))
              throw slower(request.path, comparison, times, layerMs);
            applied = await carryOut(quicker, false);
            factor += clock();
            continue;
          }
          const check = on
            ? await checkHeldBack(tools.runtime(), open, written, on, signal, (done) =>
                report('verify', (1 + done) / 2),
              )
            : comparison.outputs.result();
          const figures = {
            original: figuresOf(analyzed.analysis, request.path, comparison.originalMs),
            compressed: figuresOf(after, request.output, comparison.compressedMs),
            inputs: inputs.description,
            ...check,
          };
          const calibration = data && (await calibrationReport(data, applied, signal));
          const judged = { ...figures, target, ...(calibration ? { calibration } : {}) };
          if (!request.plan && !request.allowInaccurate && !request.allowLarger)
            refuseInaccurate(request.path, judged);
          const reproduce = await reproductionOf(request, open, written, signal);
          signal?.throwIfAborted();
          folder.commit();
          return {
            ...judged,
            plan: (request.plan && request.planPath) ?? null,
            engine: comparison.engine,
            batch: batchOf(inputs),
            factoredWith: tools.pool.engine() ?? 'nothing',
            assumedDims: inputs.assumed,
            layers: layerReports(analyzed.analysis, after, plans, factored, rewritten, {
              ...applied,
              ms: layerMs,
            }),
            problems: [...remarksOf(judged), ...after.problems],
            reproduce,
            seconds: { suggest, factor, write, verify: clock() },
          };
        } finally {
          written.close();
        }
      }
    } finally {
      folder.discard();
    }
  } finally {
    data?.close();
    open.close();
  }
}

/** What layers became, with calibration data or without. */
type Carried = Partial<Applied> & Pick<Applied, 'factored' | 'plans'>;

/** The data that the request or its plan names; undefined where there is none. */
async function openData(
  { model, path }: OpenModel,
  bind: ReadonlyMap<string, number>,
  { plan, planPath, calibration, seed }: CompressRequest,
  signal: AbortSignal | undefined,
): Promise<CalibrationData | undefined> {
  if (plan?.calibration) {
    const place = { calibration, beside: planPath ?? path };
    return openPlanned(model, bind, { ...plan, calibration: plan.calibration }, place, signal);
  }
  const chosen = plan?.seed ?? seed;
  return (
    calibration &&
    openCalibration(
      model,
      bind,
      { ...calibration, ...(chosen === undefined ? {} : { seed: chosen }) },
      signal,
    )
  );
}

async function calibrationReport(
  data: CalibrationData,
  { weighed }: Partial<Applied>,
  signal: AbortSignal | undefined,
) {
  const { source, fit, heldBack } = data;
  return {
    source,
    fit: fit.length,
    heldBack: heldBack.length,
    weighed: weighed?.size ?? 0,
    sha256: await data.hash(signal),
  };
}

/** What is to become of each layer: what the plan says, or a plan is made. */
async function plansFor(
  tools: CalibrateTools,
  open: OpenModel,
  on: CalibratedOn | undefined,
  analyzed: AnalyzedModel,
  { plan, target, method, foldNorms = true, allowLarger, multiple }: CompressRequest,
  signal: AbortSignal | undefined,
  onLayer: CalibrateCall['onLayer'],
): Promise<Partial<CalibratedPlan> & Awaited<ReturnType<typeof optionsOfPlan>>> {
  if (plan) return optionsOfPlan(open, plan, analyzed.layers, signal);
  if (on) {
    const wish = { target, method, foldNorms, multiple, allowLarger };
    const {
      options,
      plan: made,
      planWithin,
    } = await planCalibrated(tools, on, analyzed, wish, {
      signal,
      onLayer,
    });
    // What has to be tried is planned as it is tried.
    return isChecked(target) ? { options, plans: [], planWithin } : { options, plans: made().plan.layers };
  }
  const wish = { target, method, foldNorms, multiple, allowLarger };
  const { options, planned } = await planByWeights(tools, open, analyzed, wish, { signal, onLayer });
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
    `${model.source.name}: even with its weights in a data file the compressed model would be larger than ${counted(limit, 'byte')}.`,
  );
}

function nothingToDo(path: string, plans: readonly LayerPlan[]): ModelError {
  const reasons = new Map<string, number>();
  for (const plan of plans) {
    if (plan.kind === 'dense') reasons.set(plan.reason, (reasons.get(plan.reason) ?? 0) + 1);
  }
  const [most] = [...reasons].sort((a, b) => b[1] - a[1]);
  const why = most
    ? ` For ${formatNumber(most[1])} of ${counted(plans.length, 'layer')}: ${most[0]}`
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
    `${path}: the result would be no smaller (${formatNumber(after.parameters.stored)} instead of ${counted(before.parameters.stored, 'parameter')}, ${formatNumber(after.bytes)} instead of ${counted(before.bytes, 'byte')}), so nothing was written.`,
  );
}

/** The figures of a model as its file says. */
export function figuresOf(analysis: Analysis, path: string, ms: number | null): ModelFigures {
  return {
    file: path,
    bytes: analysis.bytes,
    parameters: analysis.parameters.stored,
    macs: analysis.macs,
    activationBytes: analysis.activationBytes,
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
