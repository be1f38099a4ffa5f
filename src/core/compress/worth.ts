import { isTimed, type Target } from './plan';
import type { CompressionReport, Decisions, LabelAccuracy, ModelFigures } from './report';

/**
 * What a result takes away of its original, as a share: of the parameters, of the MACs, or for a goal of time of that, whichever
 * is more; not below 0.
 */
export function savedShare(original: ModelFigures, compressed: ModelFigures, target: Target): number {
  const saved = (before: number | null, after: number | null) =>
    before && after !== null ? 1 - after / before : 0;
  return Math.max(
    0,
    saved(original.parameters, compressed.parameters),
    saved(original.macs, compressed.macs),
    isTimed(target) ? saved(original.ms, compressed.ms) : 0,
  );
}

/** How far outputs may move for each halving of a model. */
const PER_HALVING = 0.2;
/** Beyond this, little of what a model says is left. */
const MOST = 0.75;
/** How far the probabilities may move that answers of many steps are read from, whatever is saved. */
const MOST_IN_STEPS = 0.01;

const halvings = (saved: number) => -Math.log2(1 - Math.min(saved, 1));

/**
 * The output error that a result is worth which saves this share: a fifth for each halving, three quarters at the most. A
 * net that bears factoring is halved and halved again before its outputs move that far, one that does not is destroyed
 * long before it is half as large. From the weights alone: sample VGG at 2×, 3×, 5× fewer MACs (69, 81, 91 % of its parameters) 14, 20, 58 %,
 * with nearly all its answers kept, an MLP at a twentieth 65 %; that at a fortieth, no better than guesses, 99 %, and a text
 * recogniser 24 % for 1.9 % and 45 % for half of it.
 *
 * Where an answer is read from several rows of probabilities, one after the other, it is a hundredth at the most. Such rows are
 * nearly all 0 and 1, so that at an error of r as many as r²/2 of the choices are others, and a line of text with one other
 * letter is another line. That recogniser, calibrated, on 200 lines of 12 steps that it had not seen: at 9 % one in 20 lines
 * reads otherwise, at 18 % one in six, at 30 % every other one, though 94 % of the steps are as before. (A classifier's logits
 * off by 16 % make 2.7 % of its choices others, by 32 % 8.9 %: an MLP at a twentieth and a fortieth.)
 */
export function worthError(saved: number, decisions?: Decisions): number {
  const most = decisions?.shape === 'steps' ? MOST_IN_STEPS : MOST;
  return Math.min(most, PER_HALVING * halvings(saved));
}

/** Share of the decisions that may be others for each halving of a model. */
const CHANGED_PER_HALVING = 0.05;

/**
 * The share of decisions that may be others in a result which saves this share: one in 20 for each halving. Calibrated, an MLP at a twentieth of
 * its parameters (4.3 halvings) changes 2.7 % of them, at a fortieth 8.9 %. Errors of scores don't always show it: what all
 * of them have in common counts there, but decides nothing.
 */
export function worthChanged(saved: number): number {
  return CHANGED_PER_HALVING * halvings(saved);
}

/** What of a verification tells whether a result is worth it. */
export type Judged = Pick<
  CompressionReport,
  'original' | 'compressed' | 'outputError' | 'decisions' | 'onFitted' | 'calibration' | 'target'
>;

/** How a result has lost more than it is worth. All are shares. */
export interface Damage {
  readonly kind: 'outputs' | 'scores' | 'decisions';
  /** Of the original, in parameters or MACs. */
  readonly saved: number;
  /** Relative error of the outputs, or of the scores behind them; or the share of decisions that are others. */
  readonly changed: number;
  /** What of it the saving is worth. */
  readonly most: number;
}

/** The output error that a result is judged by: on samples held back, or on those it was fitted to if it is larger there. */
export function judgedError({ outputError, onFitted }: Pick<Judged, 'outputError' | 'onFitted'>): number {
  return Math.max(outputError.relative, onFitted?.outputError.relative ?? 0);
}

/**
 * Whether a result has lost more than it is worth: see {@link worthError}, and on data {@link worthChanged}. Without data the
 * scores behind a classifier's probabilities count as well: on random numbers it is often as sure of one class after it was destroyed as before.
 */
export function damageOf(result: Judged): Damage | undefined {
  const { calibration, decisions } = result;
  const saved = savedShare(result.original, result.compressed, result.target);
  const error = judgedError(result);
  const most = worthError(saved, decisions);
  if (!(error <= most)) return { kind: 'outputs', saved, changed: error, most };
  if (!decisions) return undefined;
  if (!calibration) {
    const { scoreError = 0 } = decisions;
    const isOff = decisions.shape === 'one' && scoreError > most;
    return isOff ? { kind: 'scores', saved, changed: scoreError, most } : undefined;
  }
  const { kept, count } = decisions;
  const share = worthChanged(saved);
  // More than chance makes of it: a normal law's 99 %, and one for how coarse a few decisions are.
  const tolerated = share * count + 2.33 * Math.sqrt(share * count) + 1;
  return count - kept > tolerated
    ? { kind: 'decisions', saved, changed: (count - kept) / count, most: share }
    : undefined;
}

/** Percentage points of right answers that are lost; below 0 where more are right than before. */
export function pointsLost({ before, after }: LabelAccuracy): number {
  return 100 * (before - after);
}

/** Whether a result misses the goal of output error or accuracy that it was made for, as measured. */
export function missesGoal(
  result: Pick<CompressionReport, 'target' | 'outputError' | 'onFitted' | 'accuracy'>,
): boolean {
  const { target, accuracy } = result;
  if (target.kind === 'error') return judgedError(result) > target.error;
  return target.kind === 'accuracy' && accuracy !== undefined && pointsLost(accuracy) > mostPoints(target);
}

/** The points that a goal lets go: counts of answers are shares that no number holds exactly. */
export function mostPoints({ points }: Extract<Target, { readonly kind: 'accuracy' }>): number {
  return points + 1e-9;
}
