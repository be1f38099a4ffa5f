import {
  damageCurve,
  errorOf,
  measuredSensitivity,
  type Probe,
} from '../../core/compress/budget/measuredSensitivity';
import type { Sensitivity } from '../../core/compress/budget/sensitivity';
import { calibratedChoices, scaledChoice } from '../../core/compress/calibrated/calibratedChoices';
import type { MeasuredMethod } from '../../core/compress/calibrated/measureLayer';
import type { CalibratedForm } from '../../core/compress/calibrated/patchWeights';
import { candidatesOf } from '../../core/compress/candidates';
import type { Layer } from '../../core/compress/layer';
import type { Choice, LayerOptions } from '../../core/compress/makePlan';
import type { Candidate, MethodChoice, MethodId } from '../../core/compress/method';
import type { Target } from '../../core/compress/plan';
import { encodeFloats } from '../../core/onnx/tensorData';
import { collectActivations } from '../activations/collect';
import { calibrationBatches, samplesPerRun, spread } from '../activations/inputBatches';
import { modelWeights, readNorm } from '../modelWeights';
import type { OpenModel } from '../openModel';
import { refusalOf, runTask, type WeightFile } from '../runTask';
import { candidateAt, type ProbeFactors } from './calibrateTask';
import { biasRefusal, factoredLayer } from './fittedLayer';
import { identityOf } from './kept';
import { meaningOf } from './meetGoal';
import { momentBytes, momentSink } from './momentSink';
import { outputReactions, withReactions } from './outputReactions';
import { createProbes, type Probes } from './probes';
import { createTaskQueue } from './taskQueue';
import { type CalibrateCall, type CalibratedOn, type CalibrateTools, columnsFor } from './tools';

/** What can be done with each layer, by what the data says. */
export interface CalibratedOptions {
  readonly options: readonly LayerOptions<Layer>[];
  /** What errors of the layers do to the outputs; undefined where it was not asked for. */
  readonly sensitivity: Sensitivity | undefined;
  /** By layer, why its errors are those of the weight alone, as a sentence. */
  readonly uncalibrated: ReadonlyMap<string, string>;
}

/** Squared relative errors at which layers are tried. */
const LEVELS = [0.005, 0.03, 0.12, 0.35, 0.7];
/** The one at which the methods of a layer are held against each other. */
const OTHER_LEVEL = 0.12;
/** Those of models for which the work allows no more. */
const FEW_LEVELS = [0.03, 0.35];
/** Multiply-adds that all probes together may take: a minute or two. */
const PROBE_WORK = 1e12;
/** Cuts that are tried at several levels each: each of them is a model to be opened, which takes longer than running a small one. */
const MOST_CUTS = 128;
const MOST_PROBED = 512;
const FEWEST_PROBED = 8;

/**
 * Measures the methods of all layers in the norm of the data: moments of their inputs in one or more passes over the
 * samples, then on the pool the errors of all ranks. For a budget each layer is also tried by itself in the model, cut
 * at some levels, on up to 512 samples. A layer whose moments can't be used is measured from its weight alone.
 */
export async function calibratedOptions(
  tools: CalibrateTools,
  { open, data, macs }: CalibratedOn,
  layers: readonly Layer[],
  {
    method,
    target,
    foldNorms,
  }: { readonly method: MethodChoice; readonly target: Target; readonly foldNorms: boolean },
  { signal, onLayer }: CalibrateCall,
): Promise<CalibratedOptions> {
  const weights = modelWeights(open, foldNorms);
  const fits = new Map(layers.map((layer) => [layer, candidatesOf(layer, method)]));
  const found = new Map<Layer, readonly Choice[]>();
  const uncalibrated = new Map<string, string>();
  const probed = new Map<string, readonly Probe[]>();
  const fitting = layers.filter((layer) => fits.get(layer)!.candidates.length > 0);
  const isBudget = !['energy', 'rank', 'ratio', 'evbmf'].includes(target.kind);
  const affordable = (count: number) =>
    PROBE_WORK / ((macs ?? Infinity) * Math.max(1, fitting.length) * count);
  const isDear = affordable(LEVELS.length) < FEWEST_PROBED || fitting.length * LEVELS.length > MOST_CUTS;
  const tried = isDear ? FEW_LEVELS : LEVELS;
  const levels = isBudget ? tried : [];
  // Few levels are few for the sake of time.
  const otherLevel = isBudget && tried === LEVELS ? OTHER_LEVEL : null;
  const batches = probeBatches({ data, macs }, affordable(tried.length));
  const probes = createProbes(tools.runtime(), open, batches, { isPlain: target.kind === 'error', signal });
  let [seen, done] = [0, 0];
  const report = (name: string) =>
    onLayer(
      0.4 * seen + 0.6 * (done / (fitting.length || 1)),
      name,
      isBudget && (seen === 1 || name !== '') ? 'try' : 'measure',
    );
  const finished = (name: string) => {
    done++;
    report(name);
  };

  const meaning = meaningOf(target);
  const on = { open, data, macs };
  const choose = async (layer: Layer, { methods, probes: results }: MeasuredLayer) => {
    const { candidates } = fits.get(layer)!;
    const form = layer.form as CalibratedForm;
    const own = results.filter(({ method }) => method === 'svd' || method === 'channel');
    const choices = await withWeightOnly(
      tools,
      weights,
      layer,
      candidates,
      calibratedChoices(form, candidates, methods),
      signal,
    );
    probed.set(layer.name, own);
    found.set(layer, equated(choices, own, results));
  };
  const settings = [method, foldNorms, meaning, levels, otherLevel];
  const key = `layers ${await identityOf(on, signal)} ${JSON.stringify(settings)}`; // no text
  const measured = await tools.kept.get(key, measure, bytesOfLayers);
  for (const layer of fitting) {
    const known = measured.get(layer.name);
    if (typeof known === 'string') uncalibrated.set(layer.name, known);
    else if (known) {
      try {
        await choose(layer, known);
      } catch (error) {
        uncalibrated.set(layer.name, refusalOf(error));
      }
    }
  }

  const others = fitting.filter((layer) => !found.has(layer));
  const byWeight = await tools.spectra.optionsOf(weights, others, method, {
    ...(signal ? { signal } : {}),
    target,
  });
  const plain = new Map(byWeight.map((option) => [option.layer, option]));
  for (const option of byWeight) {
    if (isBudget && option.choices.length > 0)
      probed.set(option.layer.name, await probeByWeight(tools, open, probes, option, { levels, signal }));
    finished(option.layer.name);
  }
  return {
    options: layers.map((layer): LayerOptions<Layer> => {
      const choices = found.get(layer);
      if (choices) return { layer, choices };
      const { reason } = fits.get(layer)!;
      return plain.get(layer) ?? { layer, choices: [], ...(reason === undefined ? {} : { reason }) };
    }),
    sensitivity: isBudget ? measuredSensitivity(nonEmpty(probed)) : undefined,
    uncalibrated,
  };

  /** What the data says of each layer, by name: in passes over it. */
  async function measure(): Promise<ReadonlyMap<string, MeasuredLayer | string>> {
    const all = new Map<string, MeasuredLayer | string>();
    const reactions = await outputReactions(tools, on, layers, { meaning, foldNorms, signal });
    const queue = createTaskQueue(2 * tools.pool.size);
    const oneByOne = serially();
    const sink = momentSink(tools.linalg(), 'inputs', async (layer, groups) => {
      if (typeof groups === 'string') {
        all.set(layer.name, groups);
        return;
      }
      await queue.add(momentBytes(groups), async () => {
        const form = layer.form as CalibratedForm;
        try {
          const task = {
            kind: 'calibrate',
            form,
            data: withReactions(groups, reactions.get(layer)),
            levels,
            otherLevel,
          } as const;
          const { methods, probes: cuts } = await runTask(tools.pool, weights, layer, task, { signal });
          all.set(layer.name, { methods, probes: await oneByOne(() => probeAll(probes, layer, cuts)) });
          finished(layer.name);
        } catch (error) {
          all.set(layer.name, refusalOf(error));
        }
      });
    });
    const multiplying: Layer[] = [];
    for (const layer of fitting) {
      const { form } = layer;
      if (form.kind !== 'conv' && form.kind !== 'matmul') {
        all.set(layer.name, 'Rows of a table are looked up, not multiplied.');
        continue;
      }
      const refusal = biasRefusal(layer);
      if (refusal === undefined) multiplying.push(layer);
      else all.set(layer.name, refusal);
    }
    try {
      const { outcomes } = await collectActivations(
        tools.runtime(),
        {
          original: open,
          layers: multiplying,
          batches: calibrationBatches(data, data.fit, samplesPerRun(macs)),
          sink,
          limits: { columns: columnsFor },
        },
        {
          ...(signal ? { signal } : {}),
          onProgress: (share) => {
            seen = Math.max(seen, share);
            report('');
          },
        },
      );
      for (const [layer, outcome] of outcomes)
        if (outcome.kind === 'refused') all.set(layer.name, outcome.reason);
    } finally {
      await queue.settle();
    }
    return all;
  }
}

/** What data says of a layer: the errors of its methods, and what some of them did to the outputs. */
interface MeasuredLayer {
  readonly methods: readonly MeasuredMethod[];
  readonly probes: readonly MethodProbe[];
}

function bytesOfLayers(layers: ReadonlyMap<string, MeasuredLayer | string>): number {
  let numbers = 0;
  for (const layer of layers.values()) {
    if (typeof layer === 'string') continue;
    for (const { measured } of layer.methods) {
      numbers += measured.table?.errors.length ?? 0;
      for (const { energies } of measured.spectra) numbers += energies.length;
    }
  }
  return 8 * numbers;
}

/** Samples from all over the data, at least 8 of them: no more than the work of all probes allows. */
function probeBatches({ data, macs }: Pick<CalibratedOn, 'data' | 'macs'>, affordable: number) {
  const { fit } = data;
  const count = Math.min(fit.length, MOST_PROBED, Math.max(FEWEST_PROBED, Math.floor(affordable)));
  return calibrationBatches(data, spread(fit, count), samplesPerRun(macs));
}

/** A probe, and by which method. */
interface MethodProbe extends Probe {
  readonly method: MethodId;
}

async function probeAll(
  probes: Probes,
  layer: Layer,
  settings: readonly ProbeFactors[],
): Promise<readonly MethodProbe[]> {
  const all: MethodProbe[] = [];
  for (const { method, ranks, firstAxis, error, factors, bias } of settings) {
    const candidate = candidateAt(layer.form as CalibratedForm, method, firstAxis);
    const damage = await probes.damageOf(factoredLayer(layer, candidate, ranks, { factors, bias }));
    all.push({ method, error, damage });
  }
  return all;
}

/**
 * Errors of different methods do not hurt alike, though they are of one size. Those of each method are made as large as
 * those of the plainest one that do as much damage, by what a probe of each has shown.
 */
function equated(
  choices: readonly Choice[],
  plain: readonly MethodProbe[],
  all: readonly MethodProbe[],
): readonly Choice[] {
  if (plain.length === 0) return choices;
  const curve = damageCurve(plain);
  return choices.map((choice) => {
    const probe = all.find(({ method }) => method === choice.candidate.method);
    if (!probe || plain.includes(probe) || !(probe.error > 0)) return choice;
    return scaledChoice(choice, errorOf(curve, probe.damage) / probe.error);
  });
}

/** Probes of a layer that only its weight is known of: by its first method, at the ranks that leave these errors. */
async function probeByWeight(
  { pool }: CalibrateTools,
  open: OpenModel,
  probes: Probes,
  { layer, choices: [choice] }: LayerOptions<Layer>,
  { levels, signal }: { readonly levels: readonly number[]; readonly signal: AbortSignal | undefined },
): Promise<readonly Probe[]> {
  const { candidate, known } = choice!;
  const { form } = layer;
  const total = known[0]?.total ?? 0;
  const found = new Map<string, Probe>();
  if (form.kind === 'none' || !(total > 0)) return [];
  for (const level of levels) {
    const ranks = candidate.within(known, level * total, (wanted) => candidate.cost(wanted).parameters);
    if (!ranks || found.has(ranks.join())) continue;
    const task = { kind: 'factor', form, method: candidate.method, ranks } as const;
    const { factors } = await runTask(pool, modelWeights(open), layer, task, { signal });
    const norm = readNorm(open, layer);
    const bias = norm && { bias: encodeFloats(layer.weight.type, norm.bias) };
    const damage = await probes.damageOf({ layer, candidate, ranks, factors, ...bias });
    found.set(ranks.join(), { error: candidate.error(known, ranks) / total, damage });
  }
  return [...found.values()];
}

/** Methods that the norm of the data is not known for, measured from the weight. */
async function withWeightOnly(
  { spectra }: CalibrateTools,
  weights: WeightFile<Layer>,
  layer: Layer,
  candidates: readonly Candidate[],
  choices: readonly Choice[],
  signal: AbortSignal | undefined,
): Promise<readonly Choice[]> {
  const all: Choice[] = [];
  for (const candidate of candidates) {
    const own = choices.find((choice) => choice.candidate.method === candidate.method);
    all.push(own ?? { candidate, known: await spectra.measure(weights, layer, candidate, { signal }) });
  }
  return all;
}

/** Runs one thing after the other. */
function serially() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(run: () => Promise<T>): Promise<T> => {
    const next = last.then(run, run);
    last = next.catch(() => {});
    return next;
  };
}

function nonEmpty(probed: ReadonlyMap<string, readonly Probe[]>) {
  return new Map([...probed].filter(([, probes]) => probes.length > 0));
}
