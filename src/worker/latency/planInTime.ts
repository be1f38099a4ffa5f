import { biasShape } from '../../core/compress/biasedNode';
import { comparedTimes, median } from '../../core/compress/latency/comparedTimes';
import { noise, scaleOf } from '../../core/compress/latency/noise';
import type { TimeTable } from '../../core/compress/latency/timeTable';
import type { Layer } from '../../core/compress/layer';
import type { LayerOptions, Planned } from '../../core/compress/makePlan';
import type { LayerPlan, Target } from '../../core/compress/plan';
import type { FactoredLayer } from '../../core/compress/rewrite';
import { formatMs, formatPercent } from '../../core/format';
import { elementCount } from '../../core/onnx/elements';
import { ModelError } from '../../core/onnx/modelError';
import { encodeFloats } from '../../core/onnx/tensorData';
import { rewrittenBytes } from '../calibrate/memoryModel';
import { batchOf, type ModelInputs } from '../modelInputs';
import type { OpenModel } from '../openModel';
import type { Runtime } from '../runtime';
import { timeInTurn } from './timeInTurn';
import { TIMING_MS, timeTableOf } from './timeTableOf';
import type { TimingCache } from './timingCache';

/** Plans that are tried before it is given up. */
const ATTEMPTS = 5;
/** So near below the goal is near enough; so much above it still counts as met, as no time is measured better. */
const NEAR = 0.85;
const MET = 1.02;
/** The next attempt aims a little below. */
const AIM = 0.97;
/** Runs of the model, and of the two models in turn. */
const ALONE = { fewest: 5, most: 30, ms: 500 };
const IN_TURN = { fewest: 7, most: 80, ms: 1500 };

/** What planning for a time works with. */
export interface InTime {
  readonly runtime: Runtime;
  readonly timings: TimingCache;
  readonly open: OpenModel;
  /** What models are run on. */
  readonly inputs: ModelInputs;
  readonly signal?: AbortSignal | undefined;
  onLayer(done: number, layer: string): void;
}

/**
 * A plan for a time: layers are timed, a plan is made of that, and the model that it would give, with random factors, is
 * timed in turn with the original. Until one meets the goal, each next plan aims as much lower or higher as the one before
 * was off. Throws 'unreachable-target' with what was measured where none does.
 *
 * @param planFor a plan for a share of the time of the table; throws where there is none
 */
export async function planInTime(
  { runtime, timings, open, inputs, signal, onLayer }: InTime,
  options: readonly LayerOptions<Layer>[],
  target: Extract<Target, { readonly kind: 'time' | 'ms' }>,
  planFor: (target: Target, times: TimeTable) => Planned,
): Promise<Planned> {
  const original = await runtime.open(open.path, open.externalFiles);
  try {
    await timeInTurn([original], inputs.tensors, { fewest: 1, most: 1, ms: 0 }, signal);
    const timeModel = async () => {
      const [alone = []] = await timeInTurn([original], inputs.tensors, ALONE, signal);
      return median(alone);
    };
    const times = await timeTableOf(open.model, options, timeModel, {
      runtime,
      timings,
      within: TIMING_MS,
      signal,
      onLayer: (done, layer) => onLayer(0.8 * done, layer),
    });
    /** Both in milliseconds, in turn. */
    const timed = async (bytes: Uint8Array) => {
      const second = await runtime.open(open.path, open.externalFiles, bytes);
      try {
        const sessions = [original, second];
        await timeInTurn(sessions, inputs.tensors, { fewest: 1, most: 1, ms: 0 }, signal);
        const [a = [], b = []] = await timeInTurn(sessions, inputs.tensors, IN_TURN, signal);
        return comparedTimes(a, b);
      } finally {
        await second.release();
      }
    };
    let aim = target.kind === 'time' ? target.share : target.ms / times.modelMs;
    let best: Planned | undefined;
    let nearest: { readonly firstMs: number; readonly secondMs: number; readonly off: number } | undefined;
    for (let attempt = 0; attempt < ATTEMPTS && aim > 0; attempt++) {
      if (aim >= 1) return { ...planFor({ kind: 'time', share: 1 }, times) };
      let planned: Planned;
      try {
        planned = planFor({ kind: 'time', share: aim }, times);
      } catch (error) {
        if (!nearest) throw error;
        break;
      }
      const bytes = trialBytes(open, options, planned.plan.layers);
      // Too large to be held in memory: what is written is timed anyway.
      if (!bytes) return planned;
      onLayer(0.8 + (0.2 * (attempt + 1)) / ATTEMPTS, '');
      const { firstMs, secondMs } = await timed(bytes);
      const off = target.kind === 'time' ? secondMs / (target.share * firstMs) : secondMs / target.ms;
      if (off <= MET) best = planned;
      if (!nearest || off < nearest.off) nearest = { firstMs, secondMs, off };
      if (off <= MET && off >= NEAR) break;
      // Once it was met, aiming higher is a matter of accuracy only: what misses it then does not matter.
      if (best && best !== planned) break;
      aim = Math.min(0.999, aim * Math.min(1.5, Math.max(0.3, AIM / off)));
    }
    if (best) return best;
    const wish = target.kind === 'time' ? `${formatPercent(target.share)} of the time` : formatMs(target.ms);
    throw new ModelError(
      'unreachable-target',
      `${open.path}: no plan was found that takes ${wish} on this machine; the nearest takes ${formatMs(nearest!.secondMs)}, the original ${formatMs(nearest!.firstMs)} (medians, in turn, ${runtime.name}, batch ${batchOf(inputs)}).`,
    );
  } finally {
    await original.release();
  }
}

/** The model that a plan gives, with random factors; undefined where it is too large for one message. */
function trialBytes(
  open: OpenModel,
  options: readonly LayerOptions<Layer>[],
  plans: readonly LayerPlan[],
): Uint8Array | undefined {
  const factored = plans.flatMap((plan, i): FactoredLayer[] => {
    if (plan.kind === 'dense') return [];
    const { layer, choices } = options[i]!;
    const { candidate } = choices.find((choice) => choice.candidate.method === plan.method)!;
    const { type } = layer.weight;
    const factors = candidate
      .shapes(plan.ranks)
      .map((dims) => encodeFloats(type, noise(elementCount(dims), scaleOf(dims))));
    const dims = layer.norm && biasShape(layer);
    const bias = dims && { bias: encodeFloats(type, noise(elementCount(dims), 0.1)) };
    return [{ layer, candidate, ranks: plan.ranks, factors, ...bias }];
  });
  try {
    return rewrittenBytes(open, factored);
  } catch (error) {
    if (error instanceof ModelError && error.code === 'too-large') return undefined;
    throw error;
  }
}
