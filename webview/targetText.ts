import type { Target } from '../src/core/compress/plan';
import { formatPercent } from '../src/core/format';

/** A target in words. */
export function targetText(target: Target): string {
  switch (target.kind) {
    case 'parameters':
      return `at most ${formatPercent(target.share)} of the parameters`;
    case 'macs':
      return `at most ${formatPercent(target.share)} of the MACs`;
    case 'bytes':
      return `at most ${formatPercent(target.share)} of the bytes`;
    case 'error':
      return `an estimated output error of at most ${formatPercent(target.error)}`;
    case 'accuracy':
      return `at most ${target.points} points of accuracy lost on held-back samples`;
    case 'ratio':
      return `at most ${formatPercent(target.ratio)} of each layer’s parameters`;
    case 'evbmf':
      return target.weakening === 0
        ? 'the ranks that EVBMF suggests'
        : `EVBMF’s ranks, weakened by ${target.weakening}`;
    case 'energy':
      return `${formatPercent(target.energy)} of each layer’s energy`;
    case 'rank':
      return `rank ${target.rank} in every layer`;
  }
}
