import { counted } from '../counted';
import { formatPercent } from '../format';
import type { Problem } from './analysis';
import type { CompressionReport } from './report';
import { type Damage, damageOf, type Judged, judgedError, missesGoal } from './worth';

/** What has to be said of a result, whoever wanted it: that it lost more than it is worth, and what its figures leave out. */
export function remarksOf(result: Judged & Pick<CompressionReport, 'accuracy'>): readonly Problem[] {
  const remarks: Problem[] = [];
  const damage = damageOf(result);
  const { outputError } = result;
  if (missesGoal(result)) remarks.push({ code: 'missed', message: 'It misses its goal.' });
  else if (damage) remarks.push({ code: 'damaged', message: textOf(damage) });
  if (!damage && judgedError(result) > outputError.relative) {
    const larger = formatPercent(judgedError(result));
    remarks.push({
      code: 'fitted-worse',
      message: `On the samples that it was fitted to the output error is larger: ${larger}.`,
    });
  }
  if (outputError.notFinite) {
    remarks.push({
      code: 'not-finite',
      message: `The original computes NaN or infinity for ${counted(outputError.notFinite, 'value')} of its outputs, which no comparison counts.`,
    });
  }
  return remarks;
}

function textOf({ kind, saved, changed, most }: Damage): string {
  const [share, gain, worth] = [changed, saved, most].map(formatPercent);
  switch (kind) {
    case 'outputs':
      return `The outputs change by ${share} to save ${gain}, which is worth ${worth} at most.`;
    case 'scores':
      return `The scores behind its probabilities change by ${share} to save ${gain}, which is worth ${worth} at most.`;
    case 'decisions':
      return `${share} of the decisions are others than before to save ${gain}, which is worth ${worth} at most.`;
  }
}
