import { isTimed, type Target } from './plan';
import type { CompressionReport, LabelAccuracy, ModelFigures, Verification } from './report';

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

/**
 * The output error that a result is worth which saves this share: a fifth for each halving, three quarters at the most. A
 * net that bears factoring is halved and halved again before its outputs move that far, one that does not is destroyed
 * long before it is half as large. From the weights alone: sample VGG at 2×, 3×, 5× fewer MACs (69, 81, 91 % of its parameters) 14, 20, 58 %,
 * with nearly all its answers kept, an MLP at a twentieth 65 %; that at a fortieth, no better than guesses, 99 %, and a text
 * recogniser 24 % for 1.9 % and 45 % for half of it.
 */
export function worthError(saved: number): number {
  return Math.min(MOST, -PER_HALVING * Math.log2(1 - Math.min(saved, 1)));
}

/** Whether a result has lost more than it is worth: see {@link worthError}. */
export function isDamaged({
  original,
  compressed,
  outputError,
  target,
}: Pick<Verification, 'original' | 'compressed' | 'outputError'> & { readonly target: Target }): boolean {
  return !(outputError.relative <= worthError(savedShare(original, compressed, target)));
}

/** Percentage points of right answers that are lost; below 0 where more are right than before. */
export function pointsLost({ before, after }: LabelAccuracy): number {
  return 100 * (before - after);
}

/** Whether a result misses the goal of output error or accuracy that it was made for, as measured. */
export function missesGoal({
  target,
  outputError,
  accuracy,
}: Pick<CompressionReport, 'target' | 'outputError' | 'accuracy'>): boolean {
  if (target.kind === 'error') return outputError.relative > target.error;
  return target.kind === 'accuracy' && accuracy !== undefined && pointsLost(accuracy) > mostPoints(target);
}

/** The points that a goal lets go: counts of answers are shares that no number holds exactly. */
export function mostPoints({ points }: Extract<Target, { readonly kind: 'accuracy' }>): number {
  return points + 1e-9;
}
