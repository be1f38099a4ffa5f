import type { FormedLayer } from '../core/compress/layer';
import { ModelError } from '../core/onnx/modelError';
import type { FactorResult, FactorTask, JobWeight, KnownGram } from './factorJob';
import { expectManyListeners } from './platform/manyListeners';
import { type Pool, WeightRefused } from './pool';

/** A file of weights, as factoring needs it. */
export interface WeightFile<L extends FormedLayer> {
  readonly path: string;
  /** Changes whenever the file does. */
  readonly version: string;
  /** Where a layer's weight is and what it is made of. Throws ModelErrors. */
  weightOf(layer: L): JobWeight;
}

/** How a task is watched and stopped. */
export interface TaskCall {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number) => void;
}

/** The same for a single task, which may be given a Gram matrix that is known already. */
export interface SingleCall extends TaskCall {
  readonly known?: KnownGram;
}

/** Runs one task for one layer's weight on the pool. */
export async function runTask<L extends FormedLayer, K extends FactorTask['kind']>(
  pool: Pool,
  file: WeightFile<L>,
  layer: L,
  task: FactorTask & { readonly kind: K },
  { signal, onProgress, known }: SingleCall = {},
): Promise<FactorResult & { readonly kind: K }> {
  const job = { ...file.weightOf(layer), task, ...(known ? { known } : {}) };
  const result = await pool.run(job, signal, onProgress);
  return result as FactorResult & { readonly kind: K };
}

/** The sentence of an error that concerns one weight only; others are thrown on. */
export function refusalOf(error: unknown): string {
  if (error instanceof WeightRefused) return error.message;
  if (error instanceof ModelError && error.code !== 'engine-stopped' && error.code !== 'damaged')
    return error.message;
  throw error;
}

/** What somebody else makes; whoever no longer wants it need not wait for it. */
export function untilAborted<T>(shared: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return shared;
  if (signal.aborted) {
    // Nobody waits for it.
    shared.catch(() => {});
    return Promise.reject(signal.reason);
  }
  expectManyListeners(signal);
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    shared.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

/** Does something for each index, the largest work first, so that no thread is left with it at the end; results in their own order. */
export async function inOrderOfWork<R>(
  work: readonly number[],
  run: (index: number) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Array<Promise<R>>(work.length);
  for (const index of [...work.keys()].sort((a, b) => work[b]! - work[a]!)) results[index] = run(index);
  return Promise.all(results);
}

/** Adds up the progress of things that run side by side, weighted by their work; the sum never falls. */
export function createProgress(
  work: readonly number[],
  report: ((done: number, label: string) => void) | undefined,
): (index: number, done: number, label: string) => void {
  const total = work.reduce((a, b) => a + b, 0) || 1;
  const finished = work.map(() => 0);
  return (index, done, label) => {
    finished[index] = Math.max(finished[index]!, done * work[index]!);
    report?.(Math.min(1, finished.reduce((a, b) => a + b, 0) / total), label);
  };
}
