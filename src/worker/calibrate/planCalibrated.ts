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
  /** The plan for the target, as far as it is predicted. Throws 'unreachable-target'. */
  plan(): Planned;
  /** Plans again to keep the error, or for an accuracy the divergence, of the outputs within this. Throws as `plan` does. */
  planWithin(aim: number): Planned;
}

/** What the data says, ready to be planned by. Throws ModelErrors. */
export async function planCalibrated(
  tools: CalibrateTools,
  on: CalibratedOn,
  { layers, totals }: AnalyzedModel,
  { multiple, allowLarger, ...wish }: PlanWish,
  call: CalibrateCall,
): Promise<CalibratedPlan> {
  const { options, sensitivity } = await calibratedOptions(tools, on, layers, wish, call);
  const planFor = (target: Target, mostLoss?: number) => {
    const planned = makePlan(options, totals, target, {
      multiple,
      allowLarger,
      measured: sensitivity,
      mostLoss,
    });
    if (!('refusal' in planned)) return planned;
    throw new ModelError('unreachable-target', `${on.open.path}: ${planned.refusal}`);
  };
  const { target } = wish;
  return {
    options,
    plan: () => planFor(target),
    planWithin: (aim) =>
      target.kind === 'error' ? planFor({ kind: 'error', error: aim }) : planFor(target, aim),
  };
}
