import { candidatesOf } from '../core/compress/candidates';
import type { Spectrum } from '../core/compress/factor';
import type { FormedLayer } from '../core/compress/layer';
import type { Choice, LayerOptions } from '../core/compress/makePlan';
import type { Candidate, Fold, MethodChoice } from '../core/compress/method';
import { ModelError } from '../core/onnx/modelError';
import type { CallOptions } from './engine';
import type { FactorJob, FactorResult } from './factorJob';
import { type Pool, WeightRefused } from './pool';

/** Files whose spectra are kept; the least recently used one makes room. */
const MOST_FILES = 8;

/** A file of weights, as factoring needs it. */
export interface WeightFile<L extends FormedLayer> {
  readonly path: string;
  /** Changes whenever the file does. */
  readonly version: string;
  /** Where a layer's weight is and what it is made of. Throws ModelErrors. */
  weightOf(layer: L): Pick<FactorJob, 'weight' | 'recipe' | 'type'>;
}

/** The singular values of every weight of a file, computed once and kept as long as the file does not change. */
export interface Spectra {
  /** What can be done with each layer. Weights that can't be factored give a reason; everything else throws. */
  optionsOf<L extends FormedLayer>(
    file: WeightFile<L>,
    layers: readonly L[],
    choice: MethodChoice,
    call: Pick<CallOptions, 'signal'> & { readonly onLayer?: (done: number, layer: string) => void },
  ): Promise<readonly LayerOptions<L>[]>;
}

export function createSpectra(pool: Pool): Spectra {
  const files = new Map<string, Map<string, Spectrum>>();

  function cacheOf({ path, version }: WeightFile<never>): Map<string, Spectrum> {
    const key = `${path}|${version}`;
    const cache = files.get(key) ?? new Map<string, Spectrum>();
    files.delete(key);
    files.set(key, cache);
    const oldest = files.keys().next().value;
    if (files.size > MOST_FILES && oldest !== undefined) files.delete(oldest);
    return cache;
  }

  return {
    async optionsOf<L extends FormedLayer>(
      file: WeightFile<L>,
      layers: readonly L[],
      choice: MethodChoice,
      { signal, onLayer }: Parameters<Spectra['optionsOf']>[3],
    ) {
      const cache = cacheOf(file);
      const progress = createProgress(
        layers.map((layer) => layerWork(layer, choice)),
        onLayer,
      );
      return Promise.all(
        layers.map(async (layer, i): Promise<LayerOptions<L>> => {
          if (layer.form.kind === 'none') return { layer, choices: [], reason: layer.form.reason };
          const candidates = candidatesOf(layer, choice);
          if (candidates.length === 0)
            return { layer, choices: [], reason: `The method ${choice} does not fit it.` };
          try {
            const choices: Choice[] = [];
            for (const candidate of candidates) {
              const key = `${layer.name}|${candidate.method}`;
              const known = cache.get(key);
              const spectrum =
                known ??
                (await runJob(pool, file, layer, candidate, 0, signal, (done) =>
                  progress(i, (choices.length + done) / candidates.length, layer.name),
                ));
              cache.set(key, { energies: spectrum.energies, total: spectrum.total });
              choices.push({ candidate, spectrum });
            }
            progress(i, 1, layer.name);
            return { layer, choices };
          } catch (error) {
            return { layer, choices: [], reason: refusalOf(error) };
          }
        }),
      );
    },
  };
}

/** The sentence of an error that concerns one weight only; others are thrown on. */
export function refusalOf(error: unknown): string {
  if (error instanceof WeightRefused) return error.message;
  if (error instanceof ModelError && error.code !== 'engine-stopped') return error.message;
  throw error;
}

/** Factors one weight on the pool; rank 0 computes its spectrum. */
export function runJob<L extends FormedLayer>(
  pool: Pool,
  file: WeightFile<L>,
  layer: L,
  candidate: Candidate,
  rank: number,
  signal: AbortSignal | undefined,
  onProgress: (done: number) => void,
): Promise<FactorResult> {
  const folds: readonly Fold[] = rank === 0 ? [] : candidate.folds(rank);
  const job: FactorJob = { ...file.weightOf(layer), unfolding: candidate.unfolding, rank, folds };
  return pool.run(job, signal, onProgress);
}

/** A measure of the time a layer takes: the multiply-adds of its Gram matrices and their eigenproblems. */
function layerWork(layer: FormedLayer, choice: MethodChoice): number {
  return candidatesOf(layer, choice).reduce((sum, c) => {
    const small = Math.min(c.rows, c.cols);
    return sum + c.unfolding.groups * small * small * (Math.max(c.rows, c.cols) + 3 * small);
  }, 0);
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
