import { isCheckpoint } from '../core/checkpoint/isCheckpoint';
import type { Analysis, DimBindings, LayerInfo, SpectrumSummary } from '../core/compress/analysis';
import { analyzeCheckpoint } from '../core/compress/analyzeCheckpoint';
import { type AnalyzedModel, analyzeModel } from '../core/compress/analyzeModel';
import {
  type Choice,
  type LayerOptions,
  makePlan,
  pickByEnergy,
  pickedCost,
  predictedEnergy,
} from '../core/compress/makePlan';
import { breakEvenRank } from '../core/compress/method';
import type { Plan, Target } from '../core/compress/plan';
import type { Preview, Verification } from '../core/compress/report';
import { rankOfEnergy } from '../core/compress/spectrum';
import { formatPercent } from '../core/format';
import { createKept } from './calibrate/kept';
import { compareFiles, type OpenSide } from './compareFiles';
import { compressModel, figuresOf, type Limits, type Tools } from './compressModel';
import { describeCalibration } from './describeCalibration';
import type { CallOptions, CompareRequest, Engine, ModelRequest } from './engine';
import { inspectModel } from './inspectModel';
import { openTimingCache } from './latency/timingCache';
import { findLayer, layerSpectrum } from './layerSpectrum';
import { type LoadedLinalg, loadLinalg } from './loadLinalg';
import { batchOf } from './modelInputs';
import { modelWeights } from './modelWeights';
import { type OpenCheckpoint, openCheckpoint } from './openCheckpoint';
import { type OpenModel, openModel } from './openModel';
import { runtimeInParts } from './parts/runtimeInParts';
import { createPlanDesk } from './planDesk';
import { planModel } from './planModel';
import { createPool } from './pool';
import type { Runtime } from './runtime';
import { createRuntimeHost } from './runtimeHost';
import { createSpectra } from './spectra';
import { verifyOn } from './verifyOn';

/** The engine with everything it holds. Close it. */
export interface Session extends Engine {
  close(): Promise<void>;
}

export interface SessionOptions {
  /** The folder of the bundles: the factoring thread, LAPACK and ONNX Runtime are there. */
  readonly folder: string;
  /** The script of a factoring thread. */
  readonly threadScript: string;
  /** Use onnxruntime-node where it is installed; default true. */
  readonly nativeRuntime?: boolean;
  /** The file that times measured on this machine are kept in from one session to the next; default: none. */
  readonly timings?: string | undefined;
  /** For tests: a runtime in the place of the one that is installed. */
  readonly runtime?: Runtime;
  /** For tests: smaller limits than the real ones. */
  readonly limits?: Partial<Limits>;
}

/** Opens the engine. Threads and ONNX Runtime are loaded when they are first needed. */
export function createSession({
  folder,
  threadScript,
  nativeRuntime = true,
  timings,
  runtime: given,
  limits = {},
}: SessionOptions): Session {
  const pool = createPool(threadScript);
  const spectra = createSpectra(pool);
  const runtimes = createRuntimeHost(folder, nativeRuntime);
  const kept = createKept();
  const cache = openTimingCache(timings);

  /** Two models on the same input. */
  async function runBoth(
    { runtime }: Pick<Tools, 'runtime'>,
    before: OpenSide,
    after: OpenSide,
    { inputs: npy, calibration, seed }: Pick<CompareRequest, 'inputs' | 'calibration' | 'seed'>,
    signal: AbortSignal | undefined,
    onProgress: (done: number) => void,
  ): Promise<Verification> {
    const {
      inputs,
      originalMs,
      compressedMs,
      isSlower: _,
      ...said
    } = await verifyOn(
      runtime(),
      { first: before.open, second: after.open, before: before.analyzed, npy, calibration, seed },
      signal,
      onProgress,
    );
    return {
      original: figuresOf(before.analyzed.analysis, before.open.path, originalMs),
      compressed: figuresOf(after.analyzed.analysis, after.open.path, compressedMs),
      ...said,
      batch: batchOf(inputs),
      inputs: inputs.description,
      assumedDims: inputs.assumed,
    };
  }

  let engine: LoadedLinalg | undefined;
  const linalg = () => {
    engine ??= loadLinalg(folder);
    return engine.linalg;
  };
  /** Makes a call with a runtime of its own, which is there as long as the call is. */
  const withTools = async <T>({ signal }: CallOptions, use: (tools: Tools) => Promise<T>): Promise<T> => {
    const lease = runtimes.lease(signal);
    const runtime = runtimeInParts(given ?? lease, limits.parts);
    try {
      return await use({
        pool,
        spectra,
        runtime: () => runtime,
        linalg,
        kept,
        limits,
        timings: cache,
      });
    } finally {
      lease.end();
      engine?.settle();
    }
  };

  return {
    async analyze(request) {
      if (isCheckpoint(request.path)) return withCheckpoint(request, (_, { analysis }) => analysis);
      return withModel(request, (_, { analysis }) => analysis, { shapes: request.shapes ?? false });
    },

    inspect: (request) => withModel(request, inspectModel, { shapes: true }),

    async suggest(request, { signal, onProgress } = {}) {
      const call = {
        ...(signal ? { signal } : {}),
        onLayer: (done: number, layer: string) => onProgress?.({ phase: 'suggest', done, layer }),
      };
      if (isCheckpoint(request.path)) {
        return withCheckpoint(request, async (open, { analysis, layers }) => {
          const options = await spectra.optionsOf(open, layers, request.method, call);
          return withSuggestions(analysis, options, request.energy);
        });
      }
      return withModel(
        request,
        async (open, { analysis, layers }) => {
          const options = await spectra.optionsOf(modelWeights(open), layers, request.method, call);
          return withSuggestions(analysis, options, request.energy);
        },
        { shapes: request.shapes ?? false },
      );
    },

    async spectrum(request, { signal, onProgress } = {}) {
      const call = {
        signal,
        onProgress: (done: number) => onProgress?.({ phase: 'suggest', done, layer: request.layer }),
      };
      const { path, layer, mode } = request;
      if (isCheckpoint(path)) {
        return withCheckpoint(request, (open, { analysis, layers }) =>
          layerSpectrum(spectra, open, findLayer(path, layers, analysis.layers, layer), mode, call),
        );
      }
      return withModel(request, (open, { analysis, layers }) =>
        layerSpectrum(
          spectra,
          modelWeights(open),
          findLayer(path, layers, analysis.layers, layer),
          mode,
          call,
        ),
      );
    },

    async preview({ foldNorms = true, ...request }, { signal, onProgress } = {}) {
      return withModel(
        request,
        async (open, analyzed) => {
          const weights = modelWeights(open, foldNorms);
          const options = await spectra.optionsOf(weights, analyzed.layers, request.method, {
            ...(signal ? { signal } : {}),
            onLayer: (done, layer) => onProgress?.({ phase: 'suggest', done, layer }),
          });
          return request.targets.map((target) => previewOf(options, analyzed, target, request.multiple));
        },
        { foldNorms },
      );
    },

    ...createPlanDesk(spectra),

    describeCalibration: (request, call = {}) =>
      withTools(call, ({ runtime }) => describeCalibration(runtime, request, call)),

    plan: (request, call = {}) => withTools(call, (tools) => planModel(tools, request, call)),

    compress: (request, call = {}) => withTools(call, (tools) => compressModel(tools, request, call)),

    verify: ({ original, compressed, ...on }, call = {}) =>
      withTools(call, (tools) =>
        withPair(original, compressed, on.dims, (before, after) =>
          runBoth(tools, before, after, on, call.signal, (done) =>
            call.onProgress?.({ phase: 'verify', done }),
          ),
        ),
      ),

    compareModels: ({ before: first, after: second, ...request }, call = {}) =>
      withTools(call, (tools) =>
        withPair(first, second, request.dims, (before, after) =>
          compareFiles(
            before,
            after,
            request,
            (onProgress) => runBoth(tools, before, after, request, call.signal, onProgress),
            linalg,
            call,
          ),
        ),
      ),

    async close() {
      runtimes.close();
      await pool.close();
    },
  };
}

async function withModel<T>(
  { path, dims = {} }: ModelRequest,
  use: (open: OpenModel, analyzed: AnalyzedModel) => T | Promise<T>,
  options: { readonly shapes?: boolean; readonly foldNorms?: boolean } = {},
): Promise<T> {
  const open = openModel(path);
  try {
    return await use(open, analyzeModel(open.model, { dims, openExternal: open.openExternal, ...options }));
  } finally {
    open.close();
  }
}

/** Two models held open together. */
function withPair<T>(
  first: string,
  second: string,
  dims: DimBindings | undefined,
  use: (before: OpenSide, after: OpenSide) => Promise<T>,
): Promise<T> {
  const sizes = dims ? { dims } : {};
  return withModel({ path: first, ...sizes }, (open, analyzed) =>
    withModel({ path: second, ...sizes }, (other, otherAnalyzed) =>
      use({ open, analyzed }, { open: other, analyzed: otherAnalyzed }),
    ),
  );
}

async function withCheckpoint<T>(
  { path }: ModelRequest,
  use: (open: OpenCheckpoint, analyzed: ReturnType<typeof analyzeCheckpoint>) => T | Promise<T>,
): Promise<T> {
  const open = openCheckpoint(path);
  try {
    return await use(open, analyzeCheckpoint(open.checkpoint));
  } finally {
    open.close();
  }
}

/** A suggestion that saves less of a layer's parameters than this is not worth a second node. */
const LEAST_SAVING = 0.05;

/** Adds to each layer the cheapest rank that keeps this energy, or why there is none. */
function withSuggestions(analysis: Analysis, options: readonly LayerOptions[], energy: number): Analysis {
  const layers = analysis.layers.map((layer, i): LayerInfo => {
    const option = options[i]!;
    if (layer.status === 'skipped') return layer;
    // A weight that turned out not to be factorable: NaN, missing data file.
    if (option.reason !== undefined) return { ...layer, status: 'skipped', reason: option.reason };
    const pick = pickByEnergy(option, energy, 'parameters');
    const spectrum = summaryOf(pick ? [pick.choice, ...option.choices] : option.choices);
    const cost = pick && pickedCost(option.layer, pick);
    if (!pick || !cost || cost.parameters > (1 - LEAST_SAVING) * layer.parameters) {
      return {
        ...layer,
        ...spectrum,
        noSuggestion: `Keeping ${formatPercent(energy)} of its energy saves next to nothing.`,
      };
    }
    const { candidate } = pick.choice;
    return {
      ...layer,
      ...spectrum,
      suggestion: {
        method: candidate.method,
        ranks: pick.ranks,
        parameters: cost.parameters,
        macs: cost.macs,
        memory: cost.memory,
        energy: predictedEnergy(pick),
      },
    };
  });
  return { ...analysis, layers };
}

function previewOf(
  options: readonly LayerOptions[],
  { totals }: AnalyzedModel,
  target: Target,
  multiple: number | undefined,
): Preview {
  const planned = makePlan(options, totals, target, { multiple });
  const before = { parameters: totals.parameters, macs: totals.macs };
  if ('refusal' in planned) {
    return {
      target,
      refusal: planned.refusal,
      parameters: { before: before.parameters, after: before.parameters },
      macs: { before: before.macs, after: before.macs },
      factored: 0,
      weightError: 0,
      certainty: 'exact',
    };
  }
  const { plan, after, weightError, certainty } = planned;
  return {
    target,
    plan,
    parameters: { before: before.parameters, after: after.parameters },
    macs: { before: before.macs, after: after.macs },
    factored: factoredCount(plan),
    weightError,
    certainty,
  };
}

function factoredCount(plan: Plan): number {
  return plan.layers.filter((layer) => layer.kind === 'factor').length;
}

/** Shares of Σ σ² that a summary names the ranks of. */
const SHARES = [0.9, 0.95, 0.99];

/** The spectrum of the first method with a single rank. */
function summaryOf(choices: readonly Choice[]): { readonly spectrum?: SpectrumSummary } {
  for (const { candidate, known } of choices) {
    const breakEven = breakEvenRank(candidate);
    if (breakEven === undefined) continue;
    return {
      spectrum: {
        method: candidate.method,
        fullRank: candidate.fullRanks[0]!,
        breakEven,
        keeping: SHARES.map((energy) => ({ energy, rank: rankOfEnergy(known[0]!, energy) })),
      },
    };
  }
  return {};
}
