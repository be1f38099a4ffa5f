import type { LabelAccuracy } from '../../core/compress/report';
import { counted } from '../../core/counted';
import { ModelError } from '../../core/onnx/modelError';
import { toActivation } from '../activations/activation';
import type { Labels } from '../calibration/labels';
import type { RuntimeTensor } from '../runtime';

/** Counts how often two models' first choice is the label. */
export interface RightCount {
  /** Outputs of both on the same samples, one row each. Throws 'bad-data' where they have no scores, or fewer classes than there are labels. */
  add(
    expected: ReadonlyMap<string, RuntimeTensor>,
    actual: ReadonlyMap<string, RuntimeTensor>,
    samples: readonly number[],
  ): void;
  result(): LabelAccuracy;
}

/** Top-1: of equal scores the first counts. The scores are the first output that has at least two numbers for each sample and nothing else. */
export function countRight({ file, classes, highest }: Labels, model: string): RightCount {
  const right = [0, 0];
  let seen = 0;
  return {
    add(expected, actual, samples) {
      const found = [...expected].find(
        ([, { type, dims }]) => type !== 'string' && isScores(dims, samples.length),
      );
      if (!found) {
        throw new ModelError(
          'bad-data',
          `${model} has no output of one score for each class, so ${file} can't be held against it.`,
        );
      }
      const [name, scores] = found;
      for (const [i, tensor] of [scores, actual.get(name)!].entries()) {
        const { data } = toActivation(tensor)!;
        const width = data.length / samples.length;
        if (highest >= width) {
          throw new ModelError(
            'bad-data',
            `${file} has the label ${highest}, but "${name}" of ${model} has scores for ${counted(width, 'class', 'classes')}, numbered from 0.`,
          );
        }
        for (const [row, sample] of samples.entries()) {
          const own = data.subarray(row * width, (row + 1) * width);
          let best = 0;
          for (let k = 1; k < width; k++) if (own[k]! > own[best]!) best = k;
          if (best === classes[sample]) right[i] = right[i]! + 1;
        }
      }
      seen += samples.length;
    },
    result: () => ({ before: right[0]! / seen, after: right[1]! / seen, samples: seen, labels: file }),
  };
}

/** [N, classes], or with further axes of length 1 behind the samples'. */
function isScores([rows, ...rest]: readonly number[], samples: number): boolean {
  return rows === samples && rest.filter((extent) => extent !== 1).length === 1;
}
