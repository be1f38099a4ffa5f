import type { LabelAccuracy } from '../src/core/compress/report';
import { formatPercent } from '../src/core/format';
import { type CountText, fill, fillCount } from './fill';
import { nameOf } from './nameOf';

/** How many answers are right before and after, of how many samples, by which labels. */
export function accuracyText(
  { before, after, samples, labels }: LabelAccuracy,
  { accuracyIs, sampleCount }: { readonly accuracyIs: string; readonly sampleCount: CountText },
): string {
  const count = fillCount(sampleCount, samples);
  return fill(accuracyIs, formatPercent(before), formatPercent(after), count, nameOf(labels));
}
