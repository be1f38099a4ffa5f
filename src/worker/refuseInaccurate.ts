import type { CompressionReport } from '../core/compress/report';
import { type Damage, damageOf, type Judged, judgedError } from '../core/compress/worth';
import { counted } from '../core/counted';
import { formatPercent } from '../core/format';
import { ModelError } from '../core/onnx/modelError';

/** The next attempt aims a little below what was measured. */
const AIM = 0.95;

/**
 * Refuses a result that the engine planned for a goal and that says too little of what the original says: off by more than
 * an error goal allows, or for other goals damaged more than it is worth ({@link damageOf}). Ranks are somebody's own choice, and
 * a goal of accuracy was held against labels.
 */
export function refuseInaccurate(path: string, result: Judged & Pick<CompressionReport, 'inputs'>): void {
  const { target, compressed, calibration } = result;
  if (target.kind === 'rank' || target.kind === 'accuracy') return;
  const error = judgedError(result);
  const on = judgedOn(result);
  if (target.kind === 'error') {
    if (error <= target.error) return;
    const aim = roundedDown((AIM * target.error ** 2) / error);
    const advice = calibration
      ? `Aim lower (error=${aim}).`
      : `Calibrate on samples, or aim lower (error=${aim}).`;
    throw new ModelError(
      'inaccurate',
      `${path}: the output error would be ${formatPercent(error)} instead of ${formatPercent(target.error)} with ${counted(compressed.parameters, 'parameter')} (on ${on}), so nothing was written. ${advice}`,
    );
  }
  const damage = damageOf(result);
  if (!damage) return;
  throw new ModelError(
    'inaccurate',
    `${path}: it does not pay, so nothing was written: ${changeOf(damage, on)} to save ${formatPercent(damage.saved)}, which is worth ${formatPercent(damage.most)} at most. ${adviceFor(result)}`,
  );
}

function changeOf({ kind, changed }: Damage, on: string): string {
  const share = formatPercent(changed);
  switch (kind) {
    case 'outputs':
      return `the outputs would change by ${share} (relative L2, on ${on})`;
    case 'scores':
      return `the scores behind its probabilities would change by ${share} (relative L2, on ${on})`;
    case 'decisions':
      return `${share} of the decisions would be others than before (on ${on})`;
  }
}

/** What the larger of the errors was found on. */
function judgedOn(result: Judged & Pick<CompressionReport, 'inputs'>): string {
  const { outputError, onFitted, inputs } = result;
  if (!onFitted || judgedError(result) === outputError.relative) return inputs;
  return `${counted(onFitted.decisions!.samples, 'sample')} that it was fitted to`;
}

/** For answers of many steps no saving allows more than a goal of error can be set to: that looks for what keeps it. */
function adviceFor({ calibration, decisions }: Judged): string {
  if (!calibration) return 'Calibrate on samples, or ask for less.';
  if (decisions?.shape === 'steps') return 'Ask for less, or for what keeps to it (error=0.01).';
  return 'Ask for less.';
}

/** To two digits, never above. */
function roundedDown(value: number): number {
  const digit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.floor(value / digit) * digit).toPrecision(2));
}
