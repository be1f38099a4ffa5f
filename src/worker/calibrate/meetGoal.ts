import type { OutputMeaning } from '../../core/compress/calibrated/reactionModel';
import type { Layer } from '../../core/compress/layer';
import type { LayerOptions, Planned } from '../../core/compress/makePlan';
import type { Target } from '../../core/compress/plan';
import { judgedError, mostPoints, pointsLost } from '../../core/compress/worth';
import { counted } from '../../core/counted';
import { formatPercent } from '../../core/format';
import { ModelError } from '../../core/onnx/modelError';
import { type Applied, type ApplyCall, applyCalibrated } from './applyCalibrated';
import { checkHeldBack, type HeldBackCheck } from './heldBackError';
import { rewrittenBytes } from './memoryModel';
import type { CalibratedOn, CalibrateTools } from './tools';

/** A goal for what the model says on samples held back, which has to be tried. */
export type CheckedGoal = Extract<Target, { kind: 'error' | 'accuracy' }>;

/** A plan that keeps what was asked for, carried out. */
export interface MetGoal {
  readonly planned: Planned;
  readonly applied: Applied;
  /** undefined where nothing is factored. */
  readonly check?: HeldBackCheck;
}

/** Plans that are carried out before it is given up. */
const ATTEMPTS = { error: 4, accuracy: 6 } as const;
/** How near below the goal is near enough. */
const NEAR = 0.8;
/** The next attempt aims a little below, as errors vary. */
const AIM = 0.95;
/** What is aimed at first where accuracy is to be kept: the divergence of the outputs. */
const FIRST_DIVERGENCE = 0.01;
const STEP = 4;
/** Aims that differ by less are taken for the same. */
const CLOSE = 1.3;

/** What was tried. */
interface Attempt extends Required<MetGoal> {
  readonly aim: number;
  /** What it costs, in the unit of the goal: the relative error, or percentage points. */
  readonly loss: number;
}

/** Whether a goal is one that has to be tried. */
export function isChecked(target: Target): target is CheckedGoal {
  return target.kind === 'error' || target.kind === 'accuracy';
}

/** What of the outputs a goal is about. */
export function meaningOf({ kind }: Target): OutputMeaning {
  return kind === 'error' ? 'values' : 'divergence';
}

/**
 * Carries out plans until one keeps on the samples held back what was asked for: the output error, or how many of the answers
 * are right. Each next one aims as much lower, or higher, as the one before was off, or between those that kept it and
 * those that did not. Of those that meet the goal it is the smallest. Where none does it throws 'inaccurate' with the
 * nearest, or with `allowMissed` takes that. A plan that factors nothing is an answer, too.
 */
export async function meetGoal(
  tools: CalibrateTools,
  on: CalibratedOn,
  options: readonly LayerOptions<Layer>[],
  goal: CheckedGoal,
  planWithin: (aim: number) => Planned,
  call: ApplyCall,
  allowMissed = false,
): Promise<MetGoal> {
  const attempts: Attempt[] = [];
  const most = goal.kind === 'error' ? goal.error : mostPoints(goal);
  const limit = ATTEMPTS[goal.kind];
  let aim: number | undefined = goal.kind === 'error' ? goal.error : FIRST_DIVERGENCE;
  while (aim !== undefined && attempts.length < limit) {
    const planned = planWithin(aim);
    // What was carried out already is not worth it again.
    const known = attempts.find((attempt) => isSame(attempt.planned, planned));
    if (known) {
      attempts.push({ ...known, aim });
    } else {
      const done = attempts.length;
      const onLayer: ApplyCall['onLayer'] = (share, layer, step) =>
        call.onLayer((done + share) / limit, layer, step);
      const applied = await applyCalibrated(tools, on, options, planned.plan.layers, { ...call, onLayer });
      if (applied.factored.length === 0) {
        if (attempts.length === 0) return { planned, applied };
        break;
      }
      const check = await checked(tools, on, applied, call.signal);
      attempts.push({ planned, applied, check, aim, loss: lossOf(goal, check) });
    }
    aim = goal.kind === 'error' ? nextError(goal.error, attempts) : nextDivergence(most, attempts);
  }
  const met = attempts.filter(({ loss }) => loss <= most).sort((a, b) => parametersOf(a) - parametersOf(b));
  if (met[0]) return met[0];
  const nearest = [...attempts].sort((a, b) => a.loss - b.loss)[0]!;
  if (allowMissed) return nearest;
  throw new ModelError('inaccurate', `${on.open.path}: ${whyNot(goal, nearest)}`);
}

const parametersOf = ({ planned }: Attempt) => planned.after.parameters;

function isSame(a: Planned, b: Planned): boolean {
  return JSON.stringify(a.plan.layers) === JSON.stringify(b.plan.layers);
}

async function checked(
  { runtime }: CalibrateTools,
  on: CalibratedOn,
  { factored, refitted }: Applied,
  signal: AbortSignal | undefined,
): Promise<HeldBackCheck> {
  const { open } = on;
  const bytes = rewrittenBytes(open, [...factored, ...refitted]);
  return checkHeldBack(runtime(), open, { ...open, bytes }, on, signal);
}

function lossOf({ kind }: CheckedGoal, check: HeldBackCheck): number {
  return kind === 'error' ? judgedError(check) : pointsLost(check.accuracy!);
}

function nextError(goal: number, attempts: readonly Attempt[]): number | undefined {
  const { aim, loss } = attempts.at(-1)!;
  const isMet = loss <= goal;
  if (isMet && loss >= NEAR * goal) return undefined;
  // Once it was met, aiming higher is a matter of size only: one more attempt has to do.
  const metBefore = attempts.slice(0, -1).some((attempt) => attempt.loss <= goal);
  if (metBefore) return undefined;
  return aim * Math.min(3, Math.max(0.2, (AIM * goal) / Math.max(loss, 1e-12)));
}

/** Answers change one by one: halving between what kept enough of them and what did not, on a logarithmic scale. */
function nextDivergence(most: number, attempts: readonly Attempt[]): number | undefined {
  const aims = (isMet: boolean) =>
    attempts.filter(({ loss }) => loss <= most === isMet).map(({ aim }) => aim);
  const missed = Math.min(...aims(false));
  const met = Math.max(...aims(true).filter((aim) => aim < missed), 0);
  if (missed === Infinity) return met * STEP;
  if (met === 0) return missed / STEP;
  return missed / met < CLOSE ? undefined : Math.sqrt(missed * met);
}

function whyNot(goal: CheckedGoal, { planned, loss, check }: Attempt): string {
  const size = counted(planned.after.parameters, 'parameter');
  const where =
    loss > check.outputError.relative ? 'on samples that it was fitted to' : 'on samples held back';
  if (goal.kind === 'error')
    return `no plan was found that keeps the output error ${where} to ${formatPercent(goal.error)}; the nearest has ${formatPercent(loss)} with ${size} (error=${roundedUp(loss)} would be met).`;
  const { before, after, samples } = check.accuracy!;
  return `no plan was found that loses at most ${counted(goal.points, 'point')} of accuracy on samples held back; the nearest goes from ${formatPercent(before)} to ${formatPercent(after)} of ${counted(samples, 'sample')} with ${size} (accuracy=${roundedUp(loss)} would be met).`;
}

/** To two digits, never below. */
function roundedUp(value: number): number {
  const digit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.ceil(value / digit) * digit).toPrecision(2));
}
