import type { Target } from '../src/core/compress/plan';
import { formatPercent } from '../src/core/format';

/** A target in words. */
export function targetText(target: Target): string {
  switch (target.kind) {
    case 'parameters':
      return `at most ${formatPercent(target.share)} of the parameters`;
    case 'macs':
      return `at most ${formatPercent(target.share)} of the MACs`;
    case 'energy':
      return `${formatPercent(target.energy)} of each layer’s energy`;
    case 'rank':
      return `rank ${target.rank} in every layer`;
  }
}
