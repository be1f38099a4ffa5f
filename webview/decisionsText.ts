import type { Decisions } from '../src/core/compress/report';
import { plural } from '../src/core/counted';
import { formatKept } from '../src/core/format';
import { type CountText, fill } from './fill';

/** What share of how many decisions is as before. */
export function decisionsText({ kept, count }: Decisions, text: CountText): string {
  return fill(plural(count, ...text), formatKept(kept, count), count);
}
