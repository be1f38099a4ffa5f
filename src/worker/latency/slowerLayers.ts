import { SLOWER_BY } from '../../core/compress/latency/comparedTimes';
import { type LayerTimes, slowerBy } from '../../core/compress/latency/timeTable';
import type { LayerPlan } from '../../core/compress/plan';
import { formatMs } from '../../core/format';
import { ModelError } from '../../core/onnx/modelError';
import type { FactoredResult } from '../factorLayers';
import { batchOf, type ModelInputs } from '../modelInputs';
import type { OpenModel } from '../openModel';
import type { Runtime } from '../runtime';
import type { Comparison } from '../verifyModels';
import { timeLayers } from './timeLayers';
import type { TimingCache } from './timingCache';

/** How a result is timed. */
export interface Times {
  readonly runtime: Runtime;
  readonly inputs: ModelInputs;
  readonly timings: TimingCache;
  readonly signal?: AbortSignal | undefined;
}

/** The layers of a result are timed for so long at the most, in milliseconds. */
const WITHIN = 4000;

/** What the factored layers took alone, before and after, by name. */
export function layersAlone(
  { runtime, timings, signal }: Times,
  { model }: OpenModel,
  factored: readonly FactoredResult[],
): Promise<ReadonlyMap<string, LayerTimes>> {
  const wanted = factored.map(({ layer, candidate, ranks }) => ({ layer, settings: [{ candidate, ranks }] }));
  return timeLayers(model, wanted, { runtime, timings, within: WITHIN, signal });
}

/** How many times as long a layer takes factored; undefined where it was not timed. */
function ratioOf(times: LayerTimes | undefined): number | undefined {
  const after = times?.settings[0]?.ms;
  return times && after !== undefined ? after / times.dense : undefined;
}

/** The plans with those layers left as they are that take longer factored. */
export function withoutSlower(
  plans: readonly LayerPlan[],
  times: ReadonlyMap<string, LayerTimes>,
): readonly LayerPlan[] {
  return plans.map((plan) => {
    const ratio = plan.kind === 'factor' ? ratioOf(times.get(plan.layer)) : undefined;
    return ratio !== undefined && ratio > SLOWER_BY
      ? { kind: 'dense', layer: plan.layer, reason: slowerBy(ratio) }
      : plan;
  });
}

/** Whether the same layers are factored. */
export function sameLayers(one: readonly LayerPlan[], other: readonly LayerPlan[]): boolean {
  return one.every(({ kind }, i) => kind === other[i]!.kind);
}

/** Layers that a refusal names. */
const NAMED = 3;

/** The refusal of a result that is slower than the original, with what was measured. */
export function slower(
  path: string,
  { originalMs, compressedMs }: Comparison,
  { runtime, inputs }: Times,
  layers: ReadonlyMap<string, LayerTimes>,
): ModelError {
  const found = [...layers].flatMap(([name, times]) => {
    const ratio = ratioOf(times);
    return ratio !== undefined && ratio > SLOWER_BY ? [{ name, ratio }] : [];
  });
  const named = found
    .sort((a, b) => b.ratio - a.ratio)
    .slice(0, NAMED)
    .map(({ name, ratio }) => `${name} ${ratio.toFixed(2)}× slower`);
  const more = found.length > NAMED ? ', …' : '';
  const alone = named.length > 0 ? ` Alone, these layers were measured: ${named.join(', ')}${more}.` : '';
  return new ModelError(
    'slower',
    `${path}: the result would be slower, so nothing was written: ${formatMs(compressedMs)} instead of ${formatMs(originalMs)} per run (medians, in turn, ${runtime.name}, batch ${batchOf(inputs)}).${alone}`,
  );
}
