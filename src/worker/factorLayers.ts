import { energyOfRank } from '../core/compress/factor';
import type { Layer } from '../core/compress/layer';
import type { LayerOptions } from '../core/compress/makePlan';
import type { LayerPlan } from '../core/compress/plan';
import type { FactoredLayer } from '../core/compress/rewrite';
import type { Piece } from '../core/onnx/splice';
import { encodeFloats } from '../core/onnx/tensorData';
import type { FactorResult } from './factorJob';
import { modelWeights, readNorm } from './modelWeights';
import type { OpenModel } from './openModel';
import type { Pool } from './pool';
import { createProgress, refusalOf, runJob } from './spectra';

/** A layer that was factored, and what is known of it beyond what is written. */
export interface FactoredResult extends FactoredLayer {
  readonly energy: number;
  readonly weightError: number;
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
    plan.kind === 'factor' ? (byName.get(plan.layer)?.choices[0]?.candidate.dense.parameters ?? 0) : 0;
  const progress = createProgress(plans.map(work), onLayer);
  const results = await Promise.all(
    plans.map(async (plan, i): Promise<{ plan: LayerPlan; result?: FactoredResult }> => {
      if (plan.kind === 'dense') return { plan };
      const { layer, choices } = byName.get(plan.layer)!;
      const { candidate, spectrum } = choices.find((choice) => choice.candidate.method === plan.method)!;
      let factored: FactorResult;
      let folded = {};
      try {
        const onProgress = (done: number) => progress(i, done, layer.name);
        factored = await runJob(pool, weights, layer, candidate, plan.rank, signal, onProgress);
        const norm = readNorm(open, layer);
        if (norm) folded = { foldedBias: encodeFloats(layer.weight.type, norm.bias) };
      } catch (error) {
        return { plan: { kind: 'dense', layer: plan.layer, reason: refusalOf(error) } };
      }
      progress(i, 1, layer.name);
      const [first, second] = factored.factors.map(keep) as [Piece, Piece];
      const { weightError } = factored;
      const energy = energyOfRank(spectrum, plan.rank);
      return {
        plan,
        result: {
          layer,
          candidate,
          rank: plan.rank,
          factors: [first, second],
          energy,
          weightError,
          ...folded,
        },
      };
    }),
  );
  return {
    factored: results.flatMap(({ result }) => (result ? [result] : [])),
    plans: results.map(({ plan }) => plan),
  };
}
