import type { DimBindings } from '../core/compress/analysis';
import { analyzeModel } from '../core/compress/analyzeModel';
import { type CostMeasure, macsMeasure, parametersMeasure } from '../core/compress/budget/measure';
import { prepareBudget } from '../core/compress/budget/planBudget';
import { DEFAULT_SENSITIVITY, SENSITIVITIES } from '../core/compress/budget/sensitivity';
import { tradeOff } from '../core/compress/budget/tradeOff';
import { candidateOf } from '../core/compress/candidates';
import { explainSetting } from '../core/compress/explainSetting';
import type { Layer } from '../core/compress/layer';
import { type LayerOptions, makePlan, type Totals } from '../core/compress/makePlan';
import { type Candidate, checkRanks, METHOD_IDS, type MethodId } from '../core/compress/method';
import { offerOf } from '../core/compress/offerOf';
import { printTarget } from '../core/compress/plan';
import type { PlanFile } from '../core/compress/planFile';
import type { MethodOffer, SettingDetail } from '../core/compress/planReview';
import {
  type DataTrouble,
  type MeasuredFacts,
  type ReviewedLayer,
  reviewPlan,
} from '../core/compress/reviewPlan';
import type { Spectrum } from '../core/compress/spectrum';
import { ModelError } from '../core/onnx/modelError';
import { findDataTrouble } from './calibrate/openCalibrated';
import type { CallOptions, Engine, ModelRequest } from './engine';
import { unknownLayer } from './layerSpectrum';
import { modelWeights } from './modelWeights';
import { filesOf, type OpenModel, openModel, versionOf } from './openModel';
import { hashModel } from './planModel';
import { createProgress, refusalOf } from './runTask';
import type { Spectra } from './spectra';

/** The calls about a plan that is being edited. They share what is known of a model, so that they can follow typing. */
export type PlanDesk = Pick<Engine, 'review' | 'explain' | 'compare' | 'tradeOff'>;

/** What is known of a model, without holding a file open. */
interface Known {
  /** Of the model file and the data files. */
  readonly version: string;
  readonly files: readonly string[];
  readonly dims: DimBindings;
  readonly layers: readonly ReviewedLayer<Layer>[];
  readonly totals: Totals;
  activationsWith(instead: ReadonlyMap<Layer, number | null>): number | null;
  sha256: string | null;
  options: readonly LayerOptions<Layer>[] | null;
  /** What goals lead to, by goal and multiple. */
  readonly goals: Map<string, Pick<MeasuredFacts, 'wanted' | 'ladders' | 'measure'>>;
  /** What was found out of the data behind plans, by where it is and how it is read. */
  readonly data: Map<string, KnownData>;
  /** Spectra of candidates outside `options`, by layer and method; null where the weight can't be factored. */
  readonly others: Map<string, readonly Spectrum[] | null>;
}

/** What was found out of some data. */
interface KnownData {
  /** Of the file; of a folder only what is in it counts here, not what that holds: that is read again when it is used. */
  readonly version: string;
  readonly trouble: DataTrouble | null;
}

/** Models of which everything is kept, and goals and data of each. */
const MOST_MODELS = 4;
const MOST_GOALS = 8;
const MOST_DATA = 8;

export function createPlanDesk(spectra: Spectra): PlanDesk {
  /** The least recently used first. */
  const models = new Map<string, Known>();

  async function withModel<T>(
    { path, dims = {} }: ModelRequest,
    foldNorms: boolean,
    use: (known: Known, open: () => OpenModel) => Promise<T>,
  ): Promise<T> {
    let opened: OpenModel | undefined;
    const open = () => {
      opened ??= openModel(path);
      return opened;
    };
    try {
      const key = JSON.stringify([path, dims, foldNorms]);
      let known = models.get(key);
      if (!known || known.version !== versionOf(known.files)) known = knownOf(open(), dims, foldNorms);
      models.delete(key);
      models.set(key, known);
      trim(models, MOST_MODELS);
      return await use(known, open);
    } finally {
      opened?.close();
    }
  }

  /** What can be done with each layer; measures the weights the first time. */
  async function optionsOf(
    known: Known,
    open: OpenModel,
    foldNorms: boolean,
    { signal, onProgress }: CallOptions,
  ): Promise<readonly LayerOptions<Layer>[]> {
    const layers = known.layers.map(({ layer }) => layer);
    known.options ??= await spectra.optionsOf(modelWeights(open, foldNorms), layers, 'auto', {
      ...(signal ? { signal } : {}),
      onLayer: (done, layer) => onProgress?.({ phase: 'suggest', done, layer }),
    });
    return known.options;
  }

  /** Measures what a review of this plan is missing. */
  async function measure(
    known: Known,
    open: OpenModel,
    { plan, path }: OnData,
    call: CallOptions,
  ): Promise<void> {
    const { signal } = call;
    known.sha256 ??= await hashModel(open, signal);
    const weights = modelWeights(open, plan.foldNorms);
    await optionsOf(known, open, plan.foldNorms, call);
    for (const { layer, candidate } of othersOf(known, plan)) {
      try {
        const found = await spectra.measure(weights, layer, candidate, { signal });
        known.others.set(otherKey(layer, candidate.method), found);
      } catch (error) {
        // A weight that can't be factored: the plan's entry is refused when it is carried out, and has no error until then.
        refusalOf(error);
        known.others.set(otherKey(layer, candidate.method), null);
      }
    }
    if (path !== undefined && plan.calibration && dataTroubleOf(known, { plan, path }) === undefined) {
      const version = versionOf([path]);
      const { bind } = analyzeModel(open.model, { dims: known.dims, openExternal: open.openExternal });
      const on = { ...plan, calibration: plan.calibration };
      const trouble = await findDataTrouble(open.model, bind, on, path, signal);
      const key = dataKey(plan, path);
      known.data.delete(key);
      known.data.set(key, { version, trouble });
      trim(known.data, MOST_DATA);
    }
  }

  return {
    review: ({ plan, measure: isWanted, data, ...request }, call = {}) =>
      withModel(request, plan.foldNorms, async (known, open) => {
        const on = { plan, path: data };
        if (isWanted && needsMeasuring(known, on)) await measure(known, open(), on, call);
        const dataTrouble = dataTroubleOf(known, on) ?? undefined;
        return reviewPlan(plan, { ...known, measured: measuredFacts(known, on), dataTrouble });
      }),

    explain: ({ layer: name, method, ranks, foldNorms, ...request }, { signal } = {}) =>
      withModel(request, foldNorms, async (known, open): Promise<SettingDetail> => {
        const { layer, macs } = reviewedLayer(request.path, known, name);
        const candidate = candidateFor(request.path, layer, method);
        const refusal = checkRanks(candidate, ranks);
        if (refusal !== undefined) throw badPlan(request.path, name, refusal);
        const found =
          spectraOf(known, layer, candidate) ??
          (await spectra.measure(modelWeights(open(), foldNorms), layer, candidate, { signal }));
        return explainSetting({ layer, macs }, candidate, found, ranks);
      }),

    tradeOff: ({ unit, multiple, points, foldNorms = true, ...request }, call = {}) =>
      withModel(request, foldNorms, async (known, open) => {
        const options = known.options ?? (await optionsOf(known, open(), foldNorms, call));
        const found = tradeOff(options, known.totals, { unit, multiple, ...(points ? { points } : {}) });
        if (found) return found;
        throw new ModelError(
          'unreachable-target',
          `${request.path}: its MACs are not known. Give its symbolic dimensions a size first.`,
        );
      }),

    compare: ({ layer: name, methods, measure: unit, share, multiple, foldNorms, ...request }, call = {}) =>
      withModel(request, foldNorms, async (known, open): Promise<readonly MethodOffer[]> => {
        const { layer } = reviewedLayer(request.path, known, name);
        const { signal, onProgress } = call;
        const progress = createProgress(
          methods.map(() => 1),
          (done) => onProgress?.({ phase: 'suggest', done, layer: name }),
        );
        return Promise.all(
          methods.map(async (method, i): Promise<MethodOffer> => {
            const { form } = layer;
            const fit = form.kind === 'none' ? form.reason : candidateOf(form, method);
            if (typeof fit === 'string') return { kind: 'refused', method, reason: fit };
            try {
              const onDone = (done: number) => progress(i, done, name);
              const found =
                spectraOf(known, layer, fit) ??
                (await spectra.measure(modelWeights(open(), foldNorms), layer, fit, {
                  signal,
                  onProgress: onDone,
                }));
              onDone(1);
              return offerOf(layer, fit, found, { measure: MEASURES[unit], share, multiple });
            } catch (error) {
              return { kind: 'refused', method, reason: refusalOf(error) };
            }
          }),
        );
      }),
  };
}

const MEASURES: Readonly<Record<'parameters' | 'macs', CostMeasure>> = {
  parameters: parametersMeasure,
  macs: macsMeasure,
};

function knownOf(open: OpenModel, dims: ModelRequest['dims'], foldNorms: boolean): Known {
  const { openExternal } = open;
  const analyzed = analyzeModel(open.model, { dims: dims ?? {}, openExternal, foldNorms });
  const files = filesOf(open);
  return {
    version: versionOf(files),
    files,
    dims: dims ?? {},
    layers: analyzed.layers.map((layer, i) => ({
      layer,
      op: analyzed.analysis.layers[i]!.op,
      macs: analyzed.analysis.layers[i]!.macs,
      methods: methodsOf(layer),
    })),
    totals: analyzed.totals,
    activationsWith: (instead) =>
      analyzed.activationsWith(new Map([...instead].map(([{ node }, bytes]) => [node, bytes]))),
    sha256: null,
    options: null,
    goals: new Map(),
    data: new Map(),
    others: new Map(),
  };
}

function methodsOf({ form }: Layer): readonly MethodId[] {
  if (form.kind === 'none') return [];
  return METHOD_IDS.filter((method) => typeof candidateOf(form, method) !== 'string');
}

function reviewedLayer(path: string, { layers }: Known, name: string): ReviewedLayer<Layer> {
  const found = layers.find(({ layer }) => layer.name === name);
  if (found) return found;
  throw unknownLayer(
    path,
    layers.map(({ layer }) => layer.name),
    name,
  );
}

function candidateFor(path: string, { name, form }: Layer, method: MethodId): Candidate {
  const fit = form.kind === 'none' ? form.reason : candidateOf(form, method);
  if (typeof fit === 'string') throw badPlan(path, name, fit);
  return fit;
}

function badPlan(path: string, layer: string, reason: string): ModelError {
  return new ModelError('bad-plan', `The plan for ${path}, layer "${layer}": ${reason}`);
}

const otherKey = (layer: Layer, method: MethodId) => JSON.stringify([layer.name, method]);

/** The spectra of a candidate, if they are measured. */
function spectraOf({ options, others }: Known, layer: Layer, { method }: Candidate) {
  const choices = options?.find((option) => option.layer === layer)?.choices;
  return (
    choices?.find(({ candidate }) => candidate.method === method)?.known ??
    others.get(otherKey(layer, method)) ??
    undefined
  );
}

/** The candidates of a plan that are not among the options, and that nobody has tried to measure. */
function othersOf(
  known: Known,
  plan: PlanFile,
): readonly { readonly layer: Layer; readonly candidate: Candidate }[] {
  const byName = new Map(known.layers.map(({ layer }) => [layer.name, layer]));
  const measured = new Map(known.options?.map(({ layer, choices }) => [layer.name, choices]));
  return plan.layers.flatMap((entry) => {
    const layer = byName.get(entry.layer);
    if (entry.kind === 'dense' || !layer || layer.form.kind === 'none') return [];
    if (measured.get(entry.layer)?.some(({ candidate }) => candidate.method === entry.method)) return [];
    if (known.others.has(otherKey(layer, entry.method))) return [];
    const candidate = candidateOf(layer.form, entry.method);
    return typeof candidate === 'string' ? [] : [{ layer, candidate }];
  });
}

/** A plan, and where the data that it was made on is looked for. */
interface OnData {
  readonly plan: PlanFile;
  readonly path: string | undefined;
}

function needsMeasuring(known: Known, { plan, path }: OnData): boolean {
  if (known.sha256 === null || known.options === null || othersOf(known, plan).length > 0) return true;
  return dataTroubleOf(known, { plan, path }) === undefined;
}

const dataKey = ({ calibration, seed }: PlanFile, path: string) => JSON.stringify([path, calibration, seed]);

/** What is wrong with the data of a plan; null for nothing, undefined while it is not known. */
function dataTroubleOf({ data }: Known, { plan, path }: OnData): DataTrouble | null | undefined {
  if (path === undefined || !plan.calibration) return null;
  const found = data.get(dataKey(plan, path));
  return found?.version === versionOf([path]) ? found.trouble : undefined;
}

/**
 * What is measured, with what the goal of the plan leads to; null before the weights are. A method that nobody has tried
 * on a layer yet leaves the errors of the other layers alone.
 */
function measuredFacts(known: Known, on: OnData): MeasuredFacts | null {
  const { options, others } = known;
  const { plan } = on;
  if (!options) return null;
  const otherKnown = new Map<string, readonly Spectrum[]>();
  for (const entry of plan.layers) {
    if (entry.kind === 'dense') continue;
    const found = others.get(JSON.stringify([entry.layer, entry.method]));
    if (found) otherKnown.set(entry.layer, found);
  }
  const isComplete = !needsMeasuring(known, on);
  return { isComplete, options, otherKnown, ...goalFacts(known, options, plan) };
}

function goalFacts(known: Known, options: readonly LayerOptions<Layer>[], { goal, multiple }: PlanFile) {
  const key = `${printTarget(goal)}|${multiple}`;
  let facts = known.goals.get(key);
  if (!facts) {
    const { totals } = known;
    const planned = makePlan(options, totals, goal, { multiple });
    const unit = goal.kind === 'macs' && totals.macs !== null ? 'macs' : 'parameters';
    const measure = MEASURES[unit];
    const { ladders } = prepareBudget(options, totals, totals[unit] ?? 0, {
      measure,
      sensitivity: SENSITIVITIES[DEFAULT_SENSITIVITY],
      block: multiple,
    });
    facts = { wanted: 'refusal' in planned ? planned.refusal : planned.plan.layers, ladders, measure };
  }
  known.goals.delete(key);
  known.goals.set(key, facts);
  trim(known.goals, MOST_GOALS);
  return facts;
}

function trim(map: Map<string, unknown>, most: number): void {
  const oldest = map.keys().next().value;
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
