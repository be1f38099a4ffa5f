import { candidateOf } from '../core/compress/candidates';
import { type Unfolding, unfoldedSize } from '../core/compress/unfolding';
import { elementCount } from '../core/onnx/elements';
import type { CalibrateTask } from './calibrate/calibrateTask';
import type { FactorJob, FactorTask } from './factorJob';

/** A slab of a weight in LAPACK's memory, what a thread takes without any weight, and what earlier jobs left it with. */
const FIXED = 160 * 2 ** 20;

/**
 * About how much memory a job needs at its worst, in bytes: the weight as it is read, unfolded and approximated, and
 * the Gram matrix of its shorter side (in JavaScript, in LAPACK's memory, and once more while it is reduced).
 * Measured peaks of large matrices stay below it (`bench/memory.ts`).
 */
export function jobBytes({ recipe, task }: FactorJob): number {
  const elements = elementCount(recipe.storedDims);
  if (task.kind === 'hash') return 12 * elements + FIXED;
  if ('data' in task) return 64 * elements + calibratedBytes(task) + FIXED;
  const order = Math.max(0, ...unfoldingsOf(task).map(shortSide));
  return 16 * elements + 24 * order ** 2 + FIXED;
}

/** Covariances, with what a regression and the largest basis of features make of one of them. */
function calibratedBytes({ data }: CalibrateTask): number {
  const squares = data.map(({ moments }) => moments.mean.length ** 2);
  const sum = squares.reduce((a, b) => a + b, 0);
  // A metric of the outputs, its factor, and W* and R in its coordinates.
  const metrics = data.map(({ moments, reactions }) =>
    reactions ? 24 * reactions.rows ** 2 + 24 * reactions.rows * moments.mean.length : 0,
  );
  return 16 * sum + 64 * Math.max(0, ...squares) + metrics.reduce((a, b) => a + b, 0);
}

function unfoldingsOf(task: Exclude<FactorTask, CalibrateTask>): readonly Unfolding[] {
  switch (task.kind) {
    case 'hash':
      return [];
    case 'gram':
    case 'spectrum':
      return [task.unfolding];
    case 'measure':
    case 'factor': {
      const candidate = candidateOf(task.form, task.method);
      return typeof candidate === 'string'
        ? []
        : candidate.series.flatMap(({ unfolding }) => (unfolding ? [unfolding] : []));
    }
  }
}

function shortSide(unfolding: Unfolding): number {
  const { rows, cols } = unfoldedSize(unfolding);
  return Math.min(rows, cols);
}
