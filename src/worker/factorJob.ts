import { candidateOf } from '../core/compress/candidates';
import { factorWeight } from '../core/compress/factor';
import type { Form } from '../core/compress/layer';
import type { Candidate, MethodId, Ranks } from '../core/compress/method';
import { gramPart, spectrumSeries, type Unfolding } from '../core/compress/unfolding';
import { effectiveWeight, type WeightRecipe } from '../core/compress/weight';
import { Element } from '../core/onnx/elements';
import type { ElementType } from '../core/onnx/model';
import { decodeFloats, encodeFloats } from '../core/onnx/tensorData';
import type { Linalg, OnProgress } from '../core/tensor/linalg';
import { type Matrix, matrix, zerosLike } from '../core/tensor/matrix';
import { withGram } from '../core/tensor/withGram';
import { type CalibrateResult, type CalibrateTask, runCalibrateTask } from './calibrate/calibrateTask';
import { openFile } from './fileSource';
import { sha256 } from './platform/sha256';

/** Where a thread finds a weight: a range of a file, or, for the few that are not stored plainly, the numbers. */
export type WeightSource =
  /** That range itself, for threads that can't read files. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly path: string; readonly offset: number; readonly length: number }
  | { readonly kind: 'values'; readonly values: Float32Array | Float64Array };

/** A weight, as a thread can get at it. */
export interface JobWeight {
  readonly weight: WeightSource;
  /** From the stored elements to the weight. */
  readonly recipe: WeightRecipe;
  /** Element type of the weight, and of the factors. */
  readonly type: ElementType;
}

/** What is to be done with a weight: plain data, so that it can be posted to a thread. */
export type FactorTask =
  /** Its content as a key: equal for equal weights. */
  | { readonly kind: 'hash' }
  /** One of the series of a method, by its index. */
  | { readonly kind: 'measure'; readonly form: Form; readonly method: MethodId; readonly series: number }
  /** The singular values of any unfolding, groups and batches added. */
  | { readonly kind: 'spectrum'; readonly unfolding: Unfolding }
  /** A part of the Gram matrix of an unfolding, over one of several equal shares of its longer side. */
  | { readonly kind: 'gram'; readonly unfolding: Unfolding; readonly part: number; readonly parts: number }
  | { readonly kind: 'factor'; readonly form: Form; readonly method: MethodId; readonly ranks: Ranks }
  /** With what data has shown of the layer; covariances are handed over, not copied. */
  | CalibrateTask;

/** One piece of work for a thread. */
export interface FactorJob extends JobWeight {
  readonly task: FactorTask;
  /** The Gram matrix that the task needs, where it was computed in parts; handed over, not copied. */
  readonly known?: KnownGram;
}

/** A Gram matrix as the sum of parts, and the number of columns of what it is of. */
export interface KnownGram {
  readonly parts: readonly Float64Array[];
  readonly columns: number;
}

/** What a task gives; arrays are handed over, not copied. */
export type FactorResult =
  | { readonly kind: 'hash'; readonly hash: string }
  | { readonly kind: 'measure' | 'spectrum'; readonly energies: Float64Array; readonly total: number }
  | { readonly kind: 'gram'; readonly gram: Float64Array }
  | {
      readonly kind: 'factor';
      /** ‖W − Ŵ‖ / ‖W‖ of the factors as encoded. */
      readonly weightError: number;
      /** In the order they are applied, in the element type of the model. */
      readonly factors: readonly Uint8Array[];
    }
  | CalibrateResult;

/**
 * Reads a weight and does what is asked with it, maybe in a scratch: the arrays of the result have buffers of their own.
 * Errors are LinalgErrors and ModelErrors.
 */
export function runFactorJob(engine: Linalg, job: FactorJob, onProgress: OnProgress): FactorResult {
  const linalg = job.known ? withGram(engine, sumOf(job.known), job.known.columns) : engine;
  const weight = effectiveWeight(readWeight(job), job.recipe);
  const { task } = job;
  switch (task.kind) {
    case 'hash': {
      const bytes = new Uint8Array(weight.buffer, weight.byteOffset, weight.byteLength);
      const hash = sha256();
      hash.update(bytes);
      return { kind: 'hash', hash: hash.digest('base64') };
    }
    case 'measure': {
      const series = candidateFor(task.form, task.method).series[task.series]!;
      const { energies, total } = series.measure(linalg, weight, onProgress);
      return { kind: 'measure', energies: owned(energies), total };
    }
    case 'spectrum': {
      const { energies, total } = spectrumSeries(task.unfolding).measure(linalg, weight, onProgress);
      return { kind: 'spectrum', energies: owned(energies), total };
    }
    case 'gram':
      return { kind: 'gram', gram: owned(gramPart(linalg, weight, task.unfolding, task, onProgress).data) };
    case 'factor': {
      // Through the model's own element type and back; the kind of array is the one the weight was read into.
      const written: Uint8Array[] = [];
      const round = <T extends Float32Array | Float64Array>(factor: T) => {
        const bytes = encodeFloats(job.type, factor);
        written.push(bytes);
        return decodeFloats(job.type, bytes) as T;
      };
      const candidate = candidateFor(task.form, task.method);
      const { weightError } = factorWeight(linalg, weight, candidate, task.ranks, round, onProgress);
      return { kind: 'factor', weightError, factors: written };
    }
    case 'calibrate':
    case 'calibratedFactor':
    case 'refit':
      return runCalibrateTask(linalg, weight, job.type, task, onProgress);
  }
}

/** An array with a buffer of its own, which can be handed over: a copy of one that shares it. */
function owned(values: Float64Array): Float64Array {
  return values.byteLength === values.buffer.byteLength ? values : values.slice();
}

/** The arrays of a result, which can be handed over to another thread. */
export function buffersOf(result: FactorResult): ArrayBuffer[] {
  switch (result.kind) {
    case 'hash':
      return [];
    case 'measure':
    case 'spectrum':
      return [result.energies.buffer as ArrayBuffer];
    case 'gram':
      return [result.gram.buffer as ArrayBuffer];
    case 'calibrate':
      return result.probes.flatMap(({ factors }) => factors.map(({ buffer }) => buffer as ArrayBuffer));
    case 'factor':
    case 'calibratedFactor':
    case 'refit':
      return result.factors.map((factor) => factor.buffer as ArrayBuffer);
  }
}

function sumOf({ parts: [first, ...others] }: KnownGram): Matrix<Float64Array> {
  const sum = first!;
  for (const part of others) for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + part[i]!;
  const order = Math.round(Math.sqrt(sum.length));
  return matrix(order, order, sum);
}

function candidateFor(form: Form, method: MethodId): Candidate {
  const candidate = candidateOf(form, method);
  if (typeof candidate === 'string') throw new Error(candidate);
  return candidate;
}

/** The element types that files hold as typed arrays do. */
const FLOATS = new Map<ElementType, Float32Array | Float64Array>([
  [Element.float, new Float32Array(0)],
  [Element.double, new Float64Array(0)],
]);

function readWeight({ weight, recipe }: JobWeight): Float32Array | Float64Array {
  if (weight.kind === 'values') return weight.values;
  if (weight.kind === 'bytes') return decodeFloats(recipe.storedType, weight.bytes);
  const file = openFile(weight.path);
  try {
    const { offset, length } = weight;
    const like = FLOATS.get(recipe.storedType);
    if (!like) return decodeFloats(recipe.storedType, file.read(offset, length));
    // Read to where they are computed with.
    const values = zerosLike(like, length / like.BYTES_PER_ELEMENT);
    file.read(offset, length, new Uint8Array(values.buffer, values.byteOffset, length));
    return values;
  } finally {
    file.close();
  }
}
