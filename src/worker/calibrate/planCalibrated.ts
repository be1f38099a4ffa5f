import type { AnalyzedModel } from '../../core/compress/analyzeModel';
import type { TimeTable } from '../../core/compress/latency/timeTable';
import type { Layer } from '../../core/compress/layer';
import { type LayerOptions, makePlan, type Planned } from '../../core/compress/makePlan';
import type { MethodChoice } from '../../core/compress/method';
import { isTimed, type Target } from '../../core/compress/plan';
import { ModelError } from '../../core/onnx/modelError';
import { planInTime } from '../latency/planInTime';
import { calibratedOptions } from './calibratedOptions';
import { calibrationInputs } from './heldBackError';
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
  const planFor = (target: Target, { mostLoss, times }: { mostLoss?: number; times?: TimeTable } = {}) => {
    const planned = makePlan(options, totals, target, {
      multiple,
      allowLarger,
      measured: sensitivity,
      mostLoss,
      times,
    });
    if (!('refusal' in planned)) return planned;
    throw new ModelError('unreachable-target', `${on.open.path}: ${planned.refusal}`);
  };
  const { target } = wish;
  if (isTimed(target)) {
    const parts = { runtime: tools.runtime(), timings: tools.timings, open: on.open, ...call };
    const planned = await planInTime(
      {
        ...parts,
        inputs: calibrationInputs(on.data),
        onLayer: (_, layer) => call.onLayer(1, layer, 'time'),
      },
      options,
      target,
      (aim, times) => planFor(aim, { times }),
    );
    return { options, plan: () => planned, planWithin: () => planned };
  }
  return {
    options,
    plan: () => planFor(target),
    planWithin: (aim) =>
      target.kind === 'error' ? planFor({ kind: 'error', error: aim }) : planFor(target, { mostLoss: aim }),
  };
}
