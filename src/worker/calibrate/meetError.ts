import type { Layer } from '../../core/compress/layer';
import type { LayerOptions, Planned } from '../../core/compress/makePlan';
import { formatPercent } from '../../core/format';
import { ModelError } from '../../core/onnx/modelError';
import { type Applied, type ApplyCall, applyCalibrated } from './applyCalibrated';
import { heldBackError } from './heldBackError';
import { rewrittenBytes } from './memoryModel';
import type { CalibratedOn, CalibrateTools } from './tools';

/** Plans that are carried out before it is given up. */
const ATTEMPTS = 4;
/** How near below the goal is near enough. */
const NEAR = 0.8;
/** The next attempt aims a little below, as errors vary. */
const AIM = 0.95;

/** What was tried. */
interface Attempt {
  readonly applied: Applied;
  readonly error: number;
  /** Predicted parameters of the model. */
  readonly parameters: number;
}

/**
 * Carries out plans until one keeps the output error on the samples held back to what was asked for: each next one aims as
 * much lower, or higher, as the one before was off. Of those that meet the goal it is the smallest. Throws
 * 'unreachable-target' with the nearest where none does. A plan that factors nothing is an answer, too.
 */
export async function meetError(
  tools: CalibrateTools,
  on: CalibratedOn,
  options: readonly LayerOptions<Layer>[],
  goal: number,
  planFor: (error: number) => Planned,
  call: ApplyCall,
): Promise<Applied> {
  let aim = goal;
  let best: Attempt | undefined;
  let nearest: Attempt | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { plan, after } = planFor(aim);
    const onLayer = (done: number, layer: string) => call.onLayer((attempt + done) / ATTEMPTS, layer);
    const applied = await applyCalibrated(tools, on, options, plan.layers, { ...call, onLayer });
    if (applied.factored.length === 0) {
      if (nearest) break;
      return applied;
    }
    const error = await errorOf(tools, on, applied, call.signal);
    const tried = { applied, error, parameters: after.parameters };
    if (error <= goal && !(best && best.parameters <= tried.parameters)) best = tried;
    if (!nearest || error < nearest.error) nearest = tried;
    if (error <= goal && error >= NEAR * goal) break;
    // Once it was met, aiming higher is a matter of size only: one more attempt has to do.
    if (best && best !== tried) break;
    aim *= Math.min(3, Math.max(0.2, (AIM * goal) / error));
  }
  if (best) return best.applied;
  throw new ModelError(
    'unreachable-target',
    `${on.open.path}: no plan was found that keeps the output error on samples held back to ${formatPercent(goal)}; the nearest has ${formatPercent(nearest!.error)} with ${nearest!.parameters} parameters (error=${roundedUp(nearest!.error)} would be met).`,
  );
}

async function errorOf(
  { runtime }: CalibrateTools,
  on: CalibratedOn,
  { factored, refitted }: Applied,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { open } = on;
  const bytes = rewrittenBytes(open, [...factored, ...refitted]);
  const { relative } = await heldBackError(runtime(), open, { ...open, bytes }, on, signal);
  return relative;
}

/** To two digits, never below. */
function roundedUp(error: number): number {
  const digit = 10 ** (Math.floor(Math.log10(error)) - 1);
  return Number((Math.ceil(error / digit) * digit).toPrecision(2));
}
