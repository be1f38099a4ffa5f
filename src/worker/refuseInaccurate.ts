import type { Target } from '../core/compress/plan';
import type { Verification } from '../core/compress/report';
import { isDamaged, savedShare, worthError } from '../core/compress/worth';
import { formatPercent } from '../core/format';
import { ModelError } from '../core/onnx/modelError';

/** The next attempt aims a little below what was measured. */
const AIM = 0.95;

/**
 * Refuses a result that the engine planned for a goal and that says too little of what the original says: off by more than
 * an error goal allows, or for other goals damaged more than it is worth ({@link isDamaged}). Ranks are somebody's own choice, and
 * a goal of accuracy was held against labels.
 */
export function refuseInaccurate(
  path: string,
  target: Target,
  result: Pick<Verification, 'original' | 'compressed' | 'outputError' | 'inputs'>,
  isCalibrated: boolean,
): void {
  const { original, compressed, outputError, inputs } = result;
  const error = outputError.relative;
  if (target.kind === 'rank' || target.kind === 'accuracy') return;
  if (target.kind === 'error') {
    if (error <= target.error) return;
    const aim = roundedDown((AIM * target.error ** 2) / error);
    const advice = isCalibrated
      ? `Aim lower (error=${aim}).`
      : `Calibrate on samples, or aim lower (error=${aim}).`;
    throw new ModelError(
      'inaccurate',
      `${path}: the output error would be ${formatPercent(error)} instead of ${formatPercent(target.error)} with ${compressed.parameters} parameters (on ${inputs}), so nothing was written. ${advice}`,
    );
  }
  if (!isDamaged({ ...result, target })) return;
  const advice = isCalibrated ? 'Ask for less.' : 'Calibrate on samples, or ask for less.';
  const saved = savedShare(original, compressed, target);
  throw new ModelError(
    'inaccurate',
    `${path}: it does not pay, so nothing was written: the outputs would change by ${formatPercent(error)} (relative L2, on ${inputs}) to save ${formatPercent(saved)}, which is worth ${formatPercent(worthError(saved))} at most. ${advice}`,
  );
}

/** To two digits, never above. */
function roundedDown(value: number): number {
  const digit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.floor(value / digit) * digit).toPrecision(2));
}
