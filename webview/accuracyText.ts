import type { LabelAccuracy } from '../src/core/compress/report';
import { formatPercent } from '../src/core/format';
import { fill } from './fill';
import { nameOf } from './nameOf';

/** How many answers are right before and after, of how many samples, by which labels: what the template says of that. */
export function accuracyText({ before, after, samples, labels }: LabelAccuracy, template: string): string {
  return fill(template, formatPercent(before), formatPercent(after), samples, nameOf(labels));
}
