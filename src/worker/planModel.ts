import type { DimBindings } from '../core/compress/analysis';
import { type AnalyzedModel, analyzeModel } from '../core/compress/analyzeModel';
import { checkPlan } from '../core/compress/checkPlan';
import type { TimeTable } from '../core/compress/latency/timeTable';
import type { Layer } from '../core/compress/layer';
import { type LayerOptions, makePlan, type Planned } from '../core/compress/makePlan';
import { isTimed, type LayerPlan, type Target } from '../core/compress/plan';
import type { PlanCalibration, PlanFile, PlanProposal } from '../core/compress/planFile';
import { ModelError } from '../core/onnx/modelError';
import { checkedSamples } from './calibrate/heldBackError';
import { labelsOf } from './calibrate/labelsOf';
import { isChecked, meaningOf, meetGoal } from './calibrate/meetGoal';
import { planCalibration } from './calibrate/openCalibrated';
import { type PlanWish, planCalibrated } from './calibrate/planCalibrated';
import type { CalibrateCall, CalibrateTools } from './calibrate/tools';
import { openCalibration } from './calibration/calibrationData';
import type { CalibrationRequest, CallOptions, Engine } from './engine';
import { hashFiles } from './hashFiles';
import { planInTime } from './latency/planInTime';
import { DEFAULT_SEED, modelInputs } from './modelInputs';
import { modelWeights } from './modelWeights';
import { filesOf, type OpenModel, openModel } from './openModel';
import { basename } from './platform/paths';

/** Makes a plan for a model. Throws 'unreachable-target' among other ModelErrors. */
export async function planModel(
  tools: CalibrateTools,
  {
    path,
    dims = {},
    target,
    method,
    foldNorms = true,
    multiple,
    seed = DEFAULT_SEED,
    calibration,
  }: Parameters<Engine['plan']>[0],
  { signal, onProgress }: CallOptions,
): Promise<PlanProposal> {
  const open = openModel(path);
  try {
    const analyze = (sizes: DimBindings) =>
      analyzeModel(open.model, { dims: { ...sizes, ...dims }, openExternal: open.openExternal, foldNorms });
    const onLayer: CalibrateCall['onLayer'] = (done, layer, step) =>
      onProgress?.({ phase: step ?? 'suggest', done, layer });
    const wish = { target, method, foldNorms, multiple };
    const byWeights = async (): Promise<PlannedOn> => {
      const analyzed = analyze({});
      const { planned } = await planByWeights(tools, open, analyzed, wish, { signal, onLayer });
      return { planned, analyzed, on: null };
    };
    const { planned, analyzed, on, checked } = calibration
      ? await planOnData(tools, open, analyze, { ...wish, calibration, seed }, { signal, onLayer })
      : await byWeights();
    const { after, weightError, certainty } = planned;
    const plan: PlanFile = {
      model: { file: basename(path), sha256: await hashModel(open, signal) },
      goal: target,
      multiple: planned.multiple,
      sensitivity: planned.sensitivity,
      calibration: on,
      seed,
      foldNorms,
      layers: planned.plan.layers,
    };
    const { totals } = analyzed;
    return {
      plan,
      parameters: { before: totals.parameters, after: after.parameters },
      macs: { before: totals.macs, after: after.macs },
      weightError,
      ...(checked ? { checked } : {}),
      certainty,
    };
  } finally {
    open.close();
  }
}

/** A plan, of what, and on which data. */
interface PlannedOn {
  readonly planned: Planned;
  readonly analyzed: AnalyzedModel;
  readonly on: PlanCalibration | null;
  readonly checked?: PlanProposal['checked'];
}

/** A plan by the weights alone, and what it was chosen among. Throws 'unreachable-target' among other ModelErrors. */
export async function planByWeights(
  tools: CalibrateTools,
  open: OpenModel,
  { layers, totals, bind }: AnalyzedModel,
  { target, method, foldNorms, multiple, allowLarger }: PlanWish,
  { signal, onLayer }: CalibrateCall,
): Promise<{ readonly options: readonly LayerOptions<Layer>[]; readonly planned: Planned }> {
  const timed = isTimed(target);
  const call = {
    ...(signal ? { signal } : {}),
    onLayer: (done: number, layer: string) => onLayer(timed ? 0.5 * done : done, layer),
    target,
  };
  const options = await tools.spectra.optionsOf(modelWeights(open, foldNorms), layers, method, call);
  const planFor = (wanted: Target, times?: TimeTable) => {
    const planned = makePlan(options, totals, wanted, { multiple, allowLarger, times });
    if (!('refusal' in planned)) return planned;
    throw new ModelError('unreachable-target', `${open.path}: ${planned.refusal}`);
  };
  if (!timed) return { options, planned: planFor(target) };
  const parts = {
    runtime: tools.runtime(),
    timings: tools.timings,
    open,
    inputs: modelInputs(open.model, bind),
    signal,
    onLayer: (done: number, layer: string) => onLayer(0.5 + 0.5 * done, layer, 'time'),
  };
  return { options, planned: await planInTime(parts, options, target, planFor) };
}

async function planOnData(
  tools: CalibrateTools,
  open: OpenModel,
  analyze: (sizes: DimBindings) => AnalyzedModel,
  {
    calibration,
    seed,
    ...wish
  }: PlanWish & { readonly calibration: CalibrationRequest; readonly seed: number },
  call: CalibrateCall,
): Promise<PlannedOn> {
  call.onLayer(0, '', 'read');
  const data = await openCalibration(open.model, analyze({}).bind, { ...calibration, seed }, call.signal);
  try {
    // What nobody said the data may tell: how large the inputs are.
    const analyzed = analyze(data.sizes);
    const on = await planCalibration(data, calibration, call.signal);
    const { macs } = analyzed.totals;
    const { target, foldNorms } = wish;
    const labels = labelsOf({ path: open.path, target, calibration }, data);
    const whole = { open, data, macs, labels };
    if (!isChecked(target)) {
      const { plan } = await planCalibrated(tools, whole, analyzed, wish, call);
      return { planned: plan(), analyzed, on };
    }
    const first: CalibrateCall['onLayer'] = (done, layer, step) => call.onLayer(0.5 * done, layer, step);
    const found = await planCalibrated(tools, whole, analyzed, wish, { ...call, onLayer: first });
    // The same that `compress` does, but for writing: what is planned keeps what was asked for.
    const { planned, check } = await meetGoal(tools, whole, found.options, target, found.planWithin, {
      ...call,
      onLayer: (done, layer, step) => call.onLayer(0.5 + 0.5 * done, layer, step),
      keep: (bytes) => bytes,
      foldNorms,
      meaning: meaningOf(target),
    });
    const samples = checkedSamples(data).length;
    return { planned, analyzed, on, ...(check ? { checked: { ...check, samples } } : {}) };
  } finally {
    data.close();
  }
}

/** SHA-256 of a model and its data files, in hexadecimal. */
export function hashModel(open: OpenModel, signal: AbortSignal | undefined): Promise<string> {
  return hashFiles(filesOf(open), signal);
}

/**
 * A plan of a file as choices for the layers of a model. Refuses, as a whole, a plan for another model and one with a layer
 * that can't be factored in this way: nobody should get half of what was planned.
 */
export async function optionsOfPlan(
  open: OpenModel,
  plan: PlanFile,
  layers: readonly Layer[],
  signal: AbortSignal | undefined,
): Promise<{ readonly options: readonly LayerOptions<Layer>[]; readonly plans: readonly LayerPlan[] }> {
  const sha256 = await hashModel(open, signal);
  if (sha256 !== plan.model.sha256) {
    throw new ModelError(
      'bad-plan',
      `The plan was made for another version of ${plan.model.file}: ${open.path} has changed since. Make it anew.`,
    );
  }
  const { remarks, planned } = checkPlan(plan.layers, layers);
  const error = remarks.find(({ severity }) => severity === 'error');
  if (error)
    throw new ModelError('bad-plan', `The plan for ${open.path}, layer "${error.layer}": ${error.message}`);
  const byName = new Map(plan.layers.map((each) => [each.layer, each]));
  return {
    options: layers.map((layer) => {
      const found = planned.get(layer.name);
      return { layer, choices: found ? [{ candidate: found.candidate, known: [] }] : [] };
    }),
    plans: layers.map(
      ({ name }) =>
        byName.get(name) ?? { kind: 'dense', layer: name, reason: 'The plan does not mention it.' },
    ),
  };
}
