import type { CalibratedForm } from '../../core/compress/calibrated/patchWeights';
import type { Layer } from '../../core/compress/layer';
import type { LayerOptions } from '../../core/compress/makePlan';
import { spatial } from '../../core/compress/methods/spatial';
import type { LayerPlan } from '../../core/compress/plan';
import type { FactoredLayer } from '../../core/compress/rewrite';
import type { Piece } from '../../core/onnx/splice';
import type { FactoredResult } from '../factorLayers';
import type { Pool } from '../pool';
import { runTask, type WeightFile } from '../runTask';
import type { GroupData } from './calibrateTask';
import { factoredLayer, refittedLayer } from './fittedLayer';

/** What a layer becomes. */
export type FitResult =
  | { readonly kind: 'factored'; readonly result: FactoredResult }
  | { readonly kind: 'refitted'; readonly result: FactoredLayer };

/** Where fitting computes and keeps its results, and how it is stopped. */
export interface FitCall {
  readonly pool: Pool;
  readonly weights: WeightFile<Layer>;
  readonly signal?: AbortSignal | undefined;
  /** Takes a factor out of memory, if it chooses to. */
  keep(bytes: Uint8Array): Piece;
}

/** Fits what the plan says of a layer to what the data has shown of it, on the pool. Throws WeightRefused and ModelErrors. */
export async function fitLayer(
  { pool, weights, signal, keep }: FitCall,
  { layer, choices }: LayerOptions<Layer>,
  plan: LayerPlan,
  data: readonly GroupData[],
): Promise<FitResult> {
  const form = layer.form as CalibratedForm;
  if (plan.kind === 'dense') {
    const { factors, bias } = await runTask(pool, weights, layer, { kind: 'refit', form, data }, { signal });
    return { kind: 'refitted', result: refittedLayer(layer, { factors: factors.map(keep), bias }) };
  }
  const { method, ranks } = plan;
  const task = { kind: 'calibratedFactor', form, data, method, ranks } as const;
  const { factors, bias, firstAxis, weightError, outputError } = await runTask(pool, weights, layer, task, {
    signal,
  });
  const planned = choices.find(({ candidate }) => candidate.method === method)!.candidate;
  const candidate = firstAxis === 1 && form.kind === 'conv' ? spatial(form, 1) : planned;
  return {
    kind: 'factored',
    result: {
      ...factoredLayer(layer, candidate, ranks, { factors: factors.map(keep), bias }),
      energy: 1 - weightError ** 2,
      weightError,
      outputError,
    },
  };
}
