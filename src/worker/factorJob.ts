import { factorWeight } from '../core/compress/factor';
import type { Fold, Unfolding } from '../core/compress/method';
import { effectiveWeight, type WeightRecipe } from '../core/compress/weight';
import type { ElementType } from '../core/onnx/model';
import { decodeFloats, encodeFloats } from '../core/onnx/tensorData';
import type { Linalg, OnProgress } from '../core/tensor/linalg';
import { openFile } from './fileSource';

/** Where a thread finds a weight: a range of a file, or, for the few that are not stored plainly, the numbers. */
export type WeightSource =
  | { readonly kind: 'file'; readonly path: string; readonly offset: number; readonly length: number }
  | { readonly kind: 'values'; readonly values: Float32Array | Float64Array };

/** One weight to be factored by one method: plain data, so that it can be posted to a thread. */
export interface FactorJob {
  readonly weight: WeightSource;
  /** From the stored elements to the weight. */
  readonly recipe: WeightRecipe;
  /** Element type of the weight, and of the factors. */
  readonly type: ElementType;
  readonly unfolding: Unfolding;
  /** 0: the spectrum only. */
  readonly rank: number;
  readonly folds: readonly Fold[];
}

/** What a job gives; the arrays are handed over, not copied. */
export interface FactorResult {
  readonly energies: Float64Array;
  readonly total: number;
  /** ‖W − Ŵ‖ / ‖W‖ of the factors as encoded. */
  readonly weightError: number;
  /** One per fold, in the element type of the model. */
  readonly factors: readonly Uint8Array[];
}

/** Reads a weight, factors it and encodes the factors. Errors are LinalgErrors and ModelErrors. */
export function runFactorJob(linalg: Linalg, job: FactorJob, onProgress: OnProgress): FactorResult {
  const weight = effectiveWeight(readWeight(job), job.recipe);
  // Through the model's own element type and back; the kind of array is the one the weight was read into.
  const round = <T extends Float32Array | Float64Array>(factor: T) =>
    decodeFloats(job.type, encodeFloats(job.type, factor)) as T;
  const { spectrum, factors, weightError } = factorWeight(
    linalg,
    weight,
    job.unfolding,
    job.rank,
    job.folds,
    round,
    onProgress,
  );
  return { ...spectrum, weightError, factors: factors.map((factor) => encodeFloats(job.type, factor)) };
}

function readWeight({ weight, recipe }: FactorJob): Float32Array | Float64Array {
  if (weight.kind === 'values') return weight.values;
  const file = openFile(weight.path);
  try {
    return decodeFloats(recipe.storedType, file.read(weight.offset, weight.length));
  } finally {
    file.close();
  }
}
