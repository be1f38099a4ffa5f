import type { OutputMeaning } from '../../core/compress/calibrated/reactionModel';
import type { Layer } from '../../core/compress/layer';
import type { LayerOptions } from '../../core/compress/makePlan';
import type { LayerPlan } from '../../core/compress/plan';
import type { FactoredLayer } from '../../core/compress/rewrite';
import type { Piece } from '../../core/onnx/splice';
import { collectActivations } from '../activations/collect';
import { samplesPerRun, stridedBatches } from '../activations/inputBatches';
import { shapedModel } from '../activations/shapedModel';
import { type FactoredResult, factorLayers } from '../factorLayers';
import { modelWeights } from '../modelWeights';
import { refusalOf } from '../runTask';
import { findShortcuts } from './findShortcuts';
import { fitLayer } from './fitLayer';
import { biasRefusal } from './fittedLayer';
import { rewrittenModel } from './memoryModel';
import { momentBytes, momentSink, type TakeMoments } from './momentSink';
import { outputReactions, withReactions } from './outputReactions';
import { createTaskQueue } from './taskQueue';
import { type CalibrateCall, type CalibratedOn, type CalibrateTools, columnsFor } from './tools';

/** What came of a plan. */
export interface Applied {
  readonly factored: readonly FactoredResult[];
  /** Layers that stay dense, fitted to what the factored ones in front of them give. */
  readonly refitted: readonly FactoredLayer[];
  readonly plans: readonly LayerPlan[];
  /** By layer, why it was factored from its weight alone, as a sentence. */
  readonly uncalibrated: ReadonlyMap<string, string>;
  /** Names of factored layers whose outputs counted by what they do to those of the model. */
  readonly weighed: ReadonlySet<string>;
}

/** How carrying out reports and is stopped, and where its results wait to be written. */
export interface ApplyCall extends CalibrateCall {
  /** Takes a factor out of memory, if it chooses to. */
  keep(bytes: Uint8Array): Piece;
  readonly foldNorms: boolean;
  /** What of the outputs is to be kept. */
  readonly meaning: OutputMeaning;
}

/** The most stages that layers are factored in. */
const MOST_STAGES = 24;
/** Samples come in at least so many runs, if there are as many: some of them choose the ridge. */
const LEAST_BATCHES = 12;

/**
 * Carries out a plan in the order of execution. Each layer is fitted to give what it gives in the original (y) from what it
 * gets in the model as it is compressed so far (p), so that later layers make up for what earlier ones lost
 * (asymmetric; Zhang et al. 2015, §3.3), the last ones of residual branches for what their shortcuts lost, too; those left
 * dense behind the first factored one are refitted. Deep models
 * go in 24 stages: the layers of one stage see the model as it was before it.
 */
export async function applyCalibrated(
  tools: CalibrateTools,
  { open, data, macs }: CalibratedOn,
  options: readonly LayerOptions<Layer>[],
  plans: readonly LayerPlan[],
  { signal, keep, onLayer, foldNorms, meaning }: ApplyCall,
): Promise<Applied> {
  const weights = modelWeights(open, foldNorms);
  const plannedOf = new Map(plans.map((plan) => [plan.layer, plan]));
  const first = options.findIndex(({ layer }) => plannedOf.get(layer.name)?.kind === 'factor');
  const work = options.filter(
    ({ layer }, i) =>
      plannedOf.get(layer.name)?.kind === 'factor' || (i > first && first >= 0 && isFittable(layer)),
  );
  const size = Math.min(samplesPerRun(macs), Math.ceil(data.fit.length / LEAST_BATCHES));
  const batches = stridedBatches(data, data.fit, size);
  const results = new Map<string, FactoredResult>();
  const refits = new Map<string, FactoredLayer>();
  const refused = new Map<string, LayerPlan>();
  const uncalibrated = new Map<string, string>();
  const [sample] = data.batches(data.fit.slice(0, 1), 1);
  const shortcuts = sample
    ? findShortcuts(
        open,
        shapedModel(open, sample.tensors).shapes,
        work.map(({ layer }) => layer),
      )
    : new Map<Layer, string>();
  const reactions = await outputReactions(
    tools,
    { open, data, macs },
    options.map(({ layer }) => layer),
    { meaning, foldNorms, signal },
  );
  const stages = inStages(work, MOST_STAGES);
  let finished = 0;

  for (const stage of stages) {
    signal?.throwIfAborted();
    const soFar = [...results.values(), ...refits.values()];
    const byLayer = new Map(stage.map((option) => [option.layer, option]));
    const report = (share: number, name: string) =>
      onLayer((finished + share * stage.length) / (work.length || 1), name);
    const queue = createTaskQueue(2 * tools.pool.size);
    const take: TakeMoments = (layer, groups) =>
      queue.add(momentBytes(groups), async () => {
        if (typeof groups === 'string') {
          uncalibrated.set(layer.name, groups);
          return;
        }
        try {
          const fitted = await fitLayer(
            { pool: tools.pool, weights, signal, keep },
            byLayer.get(layer)!,
            plannedOf.get(layer.name)!,
            withReactions(groups, reactions.get(layer)),
          );
          if (fitted.kind === 'factored') results.set(layer.name, fitted.result);
          else refits.set(layer.name, fitted.result);
        } catch (error) {
          uncalibrated.set(layer.name, refusalOf(error));
        }
      });
    const fittable: Layer[] = [];
    for (const { layer } of stage) {
      // In front of the first factored layer there is nothing to make up for.
      if (soFar.length === 0 && plannedOf.get(layer.name)!.kind === 'dense') continue;
      if (isFittable(layer)) fittable.push(layer);
      else
        uncalibrated.set(layer.name, biasRefusal(layer) ?? 'Rows of a table are looked up, not multiplied.');
    }
    try {
      const { outcomes } = await collectActivations(
        tools.runtime(),
        {
          original: open,
          ...(soFar.length > 0 ? { compressed: rewrittenModel(open, soFar).source } : {}),
          layers: fittable,
          shortcuts,
          batches,
          sink: momentSink(tools.linalg(), soFar.length > 0 ? 'pairs' : 'inputs', take),
          limits: { columns: columnsFor },
        },
        { ...(signal ? { signal } : {}), onProgress: (share) => report(0.8 * share, stage[0]!.layer.name) },
      );
      for (const [layer, outcome] of outcomes)
        if (outcome.kind === 'refused') uncalibrated.set(layer.name, outcome.reason);
    } finally {
      await queue.settle();
    }
    // What data says nothing of is factored as it is without data.
    const rest = stage.filter(
      ({ layer }) => plannedOf.get(layer.name)!.kind === 'factor' && !results.has(layer.name),
    );
    const call = { ...(signal ? { signal } : {}), keep, onLayer: () => {} };
    const byWeight = await factorLayers(
      tools.pool,
      open,
      rest,
      rest.map(({ layer }) => plannedOf.get(layer.name)!),
      call,
    );
    for (const result of byWeight.factored) results.set(result.layer.name, result);
    for (const plan of byWeight.plans) if (plan.kind === 'dense') refused.set(plan.layer, plan);
    finished += stage.length;
    report(0, stage.at(-1)!.layer.name);
  }
  const inOrder = <T>(found: ReadonlyMap<string, T>) =>
    options.flatMap(({ layer }) => found.get(layer.name) ?? []);
  return {
    factored: inOrder(results),
    refitted: inOrder(refits),
    plans: plans.map((plan) => refused.get(plan.layer) ?? plan),
    uncalibrated,
    weighed: new Set(
      [...reactions.keys()]
        .map(({ name }) => name)
        .filter((name) => results.has(name) && !uncalibrated.has(name)),
    ),
  };
}

function isFittable(layer: Layer): boolean {
  const { kind } = layer.form;
  return (kind === 'conv' || kind === 'matmul') && biasRefusal(layer) === undefined;
}

/** Consecutive items in at most so many stages, of equal length but for the last. */
function inStages<T>(items: readonly T[], most: number): readonly (readonly T[])[] {
  const length = Math.max(1, Math.ceil(items.length / most));
  const count = Math.ceil(items.length / length);
  return Array.from({ length: count }, (_, i) => items.slice(i * length, (i + 1) * length));
}
