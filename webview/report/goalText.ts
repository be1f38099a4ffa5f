import { printTarget, type Target } from '../../src/core/compress/plan';
import { formatMs, formatPercent } from '../../src/core/format';
import { fill, fillCount } from '../fill';
import type { ReportTexts } from './reportTexts';

/** A goal in words. */
export function goalText(goal: Target, texts: ReportTexts): string {
  switch (goal.kind) {
    case 'parameters':
      return fill(texts.goalParameters, formatPercent(goal.share));
    case 'macs':
      return fill(texts.goalMacs, formatPercent(goal.share));
    case 'bytes':
      return fill(texts.goalBytes, formatPercent(goal.share));
    case 'time':
      return fill(texts.goalTime, formatPercent(goal.share));
    case 'ms':
      return fill(texts.goalMs, formatMs(goal.ms));
    case 'error':
      return fill(texts.goalError, formatPercent(goal.error));
    case 'accuracy':
      return fillCount(texts.goalAccuracy, goal.points);
    case 'ratio':
      return fill(texts.goalRatio, formatPercent(goal.ratio));
    case 'evbmf':
      return goal.weakening === 0 ? texts.goalEvbmf : fill(texts.goalEvbmfWeakened, goal.weakening);
    case 'energy':
      return fill(texts.goalEnergy, formatPercent(goal.energy));
    case 'rank':
      return fill(texts.goalRank, goal.rank);
    default:
      // Goals come faster than words for them.
      return printTarget(goal);
  }
}
