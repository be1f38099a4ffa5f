import type { AnalyzedModel } from '../../core/compress/analyzeModel';
import type { Layer } from '../../core/compress/layer';
import { type LayerOptions, makePlan, type Planned } from '../../core/compress/makePlan';
import type { MethodChoice } from '../../core/compress/method';
import type { Target } from '../../core/compress/plan';
import { ModelError } from '../../core/onnx/modelError';
import { calibratedOptions } from './calibratedOptions';
import type { CalibrateCall, CalibratedOn, CalibrateTools } from './tools';

/** What is to be planned for, as in a request. */
export interface PlanWish {
  readonly target: Target;
  readonly method: MethodChoice;
  readonly foldNorms: boolean;
  readonly multiple?: number | undefined;
  readonly allowLarger?: boolean | undefined;
}

/** What the data says, and the plan that follows. */
export interface CalibratedPlan {
  readonly options: readonly LayerOptions<Layer>[];
  readonly planned: Planned;
  /** Plans again for another target of the same kind. Throws as the first plan does. */
  planFor(target: Target): Planned;
}

/** A plan by what the data says. Throws 'unreachable-target' among other ModelErrors. */
export async function planCalibrated(
  tools: CalibrateTools,
  on: CalibratedOn,
  { layers, totals }: AnalyzedModel,
  { multiple, allowLarger, ...wish }: PlanWish,
  call: CalibrateCall,
): Promise<CalibratedPlan> {
  const { options, sensitivity } = await calibratedOptions(tools, on, layers, wish, call);
  const planFor = (target: Target) => {
    const planned = makePlan(options, totals, target, { multiple, allowLarger, measured: sensitivity });
    if (!('refusal' in planned)) return planned;
    throw new ModelError('unreachable-target', `${on.open.path}: ${planned.refusal}`);
  };
  return { options, planned: planFor(wish.target), planFor };
}
