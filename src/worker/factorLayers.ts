import type { Layer } from '../core/compress/layer';
import type { LayerOptions } from '../core/compress/makePlan';
import type { Candidate, MethodId } from '../core/compress/method';
import type { LayerPlan } from '../core/compress/plan';
import type { FactoredLayer } from '../core/compress/rewrite';
import type { Piece } from '../core/onnx/splice';
import { encodeFloats } from '../core/onnx/tensorData';
import { modelWeights, readNorm } from './modelWeights';
import type { OpenModel } from './openModel';
import type { Pool } from './pool';
import { createProgress, inOrderOfWork, refusalOf } from './runTask';
import { runSplit } from './splitTask';

/** A layer that was factored, and what is known of it beyond what is written. */
export interface FactoredResult extends FactoredLayer {
  readonly candidate: Candidate;
  readonly energy: number;
  readonly weightError: number;
  /** √(E|y − ŷ|² / E|y − ȳ|²) of the layer's outputs on calibration data; undefined where there is none. */
  readonly outputError?: number;
}

/** How factoring reports, is stopped, and where its results wait to be written. */
export interface FactorCall {
  readonly signal?: AbortSignal;
  /** Takes a factor out of memory, if it chooses to. */
  keep(bytes: Uint8Array): Piece;
  onLayer(done: number, layer: string): void;
}

/**
 * Factors the layers a plan says, side by side on the pool. A weight that turns out not to be factorable leaves its
 * layer dense, with the reason in the plan that comes back; anything else that fails ends the whole.
 */
export async function factorLayers(
  pool: Pool,
  open: OpenModel,
  options: readonly LayerOptions<Layer>[],
  plans: readonly LayerPlan[],
  { signal, keep, onLayer }: FactorCall,
): Promise<{ readonly factored: readonly FactoredResult[]; readonly plans: readonly LayerPlan[] }> {
  const weights = modelWeights(open);
  const byName = new Map(options.map((option) => [option.layer.name, option]));
  const work = (plan: LayerPlan) =>
    plan.kind === 'factor' ? factorWork(byName.get(plan.layer)!, plan.method) : 0;
  const works = plans.map(work);
  const all = works.reduce((a, b) => a + b, 0) || 1;
  const progress = createProgress(works, onLayer);
  const results = await inOrderOfWork(
    works,
    async (i): Promise<{ plan: LayerPlan; result?: FactoredResult }> => {
      const plan = plans[i]!;
      if (plan.kind === 'dense') return { plan };
      const { layer, choices } = byName.get(plan.layer)!;
      const { candidate } = choices.find((choice) => choice.candidate.method === plan.method)!;
      const { ranks } = plan;
      try {
        const { form } = layer;
        if (form.kind === 'none') throw new Error(form.reason);
        const [only, ...others] = candidate.series;
        const { factors, weightError } = await runSplit(
          pool,
          weights,
          layer,
          { kind: 'factor', form, method: candidate.method, ranks },
          others.length === 0 ? only?.unfolding : undefined,
          works[i]! / all,
          { signal, onProgress: (done) => progress(i, done, layer.name) },
        );
        const norm = readNorm(open, layer);
        progress(i, 1, layer.name);
        return {
          plan,
          result: {
            layer,
            candidate,
            ranks,
            factors: factors.map(keep),
            energy: 1 - weightError ** 2,
            weightError,
            ...(norm ? { bias: encodeFloats(layer.weight.type, norm.bias) } : {}),
          },
        };
      } catch (error) {
        return { plan: { kind: 'dense', layer: plan.layer, reason: refusalOf(error) } };
      }
    },
  );
  return {
    factored: results.flatMap(({ result }) => (result ? [result] : [])),
    plans: results.map(({ plan }) => plan),
  };
}

/** A measure of the time it takes to factor a layer: finding its spectra takes about as long. */
function factorWork({ choices }: LayerOptions, method: MethodId): number {
  const series = choices.find(({ candidate }) => candidate.method === method)?.candidate.series ?? [];
  return series.reduce((sum, { work }) => sum + work, 0);
}
