import { candidatesOf } from '../core/compress/candidates';
import type { Spectrum } from '../core/compress/factor';
import type { Layer } from '../core/compress/layer';
import type { Choice, LayerOptions } from '../core/compress/makePlan';
import type { Candidate, Fold, MethodChoice } from '../core/compress/method';
import { type ChannelScale, type FoldedNorm, foldNorm } from '../core/compress/weight';
import type { Constant } from '../core/onnx/constants';
import { ModelError } from '../core/onnx/modelError';
import { locateStored, readConstant, readStored, recipeOf } from './constantValues';
import type { CallOptions } from './engine';
import type { FactorJob, FactorResult, WeightSource } from './factorJob';
import type { OpenModel } from './openModel';
import { type Pool, WeightRefused } from './pool';

/** Models whose spectra are kept; the least recently used one makes room. */
const MOST_MODELS = 8;

/** The singular values of every weight of a model, computed once and kept as long as the file does not change. */
export interface Spectra {
  /** What can be done with each layer. Weights that can't be factored give a reason; everything else throws. */
  optionsOf(
    open: OpenModel,
    layers: readonly Layer[],
    choice: MethodChoice,
    call: Pick<CallOptions, 'signal'> & { readonly onLayer?: (done: number, layer: string) => void },
  ): Promise<readonly LayerOptions[]>;
}

export function createSpectra(pool: Pool): Spectra {
  const models = new Map<string, Map<string, Spectrum>>();

  function cacheOf(open: OpenModel): Map<string, Spectrum> {
    const key = `${open.path}|${open.version}`;
    const cache = models.get(key) ?? new Map<string, Spectrum>();
    models.delete(key);
    models.set(key, cache);
    const oldest = models.keys().next().value;
    if (models.size > MOST_MODELS && oldest !== undefined) models.delete(oldest);
    return cache;
  }

  return {
    async optionsOf(open, layers, choice, { signal, onLayer }) {
      const cache = cacheOf(open);
      const progress = createProgress(
        layers.map((layer) => layerWork(layer, choice)),
        onLayer,
      );
      return Promise.all(
        layers.map(async (layer, i): Promise<LayerOptions> => {
          if (layer.form.kind === 'none') return { layer, choices: [], reason: layer.form.reason };
          const candidates = candidatesOf(layer, choice);
          if (candidates.length === 0)
            return { layer, choices: [], reason: `The method ${choice} does not fit it.` };
          try {
            const choices: Choice[] = [];
            for (const candidate of candidates) {
              const key = `${layer.name}|${candidate.method}${layer.norm ? '|folded' : ''}`;
              const known = cache.get(key);
              const spectrum =
                known ??
                (await runJob(pool, open, layer, candidate, 0, signal, (done) =>
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
export function runJob(
  pool: Pool,
  open: OpenModel,
  layer: Layer,
  candidate: Candidate,
  rank: number,
  signal: AbortSignal | undefined,
  onProgress: (done: number) => void,
): Promise<FactorResult> {
  const norm = readNorm(open, layer);
  const folds: readonly Fold[] = rank === 0 ? [] : candidate.folds(rank);
  const job: FactorJob = {
    weight: weightSource(open, layer),
    recipe: { ...recipeOf(layer.weight), ...(norm ? { scale: channelScale(layer, norm) } : {}) },
    type: layer.weight.type,
    unfolding: candidate.unfolding,
    rank,
    folds,
  };
  return pool.run(job, signal, onProgress);
}

/** A thread reads a plainly stored weight itself; only the rare others travel as numbers. */
function weightSource(open: OpenModel, { weight }: Layer): WeightSource {
  const location = locateStored(open, weight);
  if (!location) return { kind: 'values', values: readStored(open, weight) };
  return { kind: 'file', path: location.source.name, offset: location.offset, length: location.length };
}

/** A folded normalisation as the recipe of the layer's weight carries it. */
export function channelScale({ form }: Layer, { factors }: FoldedNorm): ChannelScale {
  if (form.kind !== 'conv')
    throw new Error(`A normalisation is folded into convolutions only, not into ${form.kind}.`);
  return { factors, isTransposed: form.isTransposed, groups: form.groups };
}

/** The normalisation behind a layer as factors and a bias; undefined where there is none to fold. */
export function readNorm(open: OpenModel, { norm, bias }: Layer): FoldedNorm | undefined {
  if (!norm) return undefined;
  const read = (constant: Constant) => readConstant(open, constant);
  const { scale, shift, mean, variance } = norm;
  return foldNorm(norm, {
    scale: read(scale),
    shift: read(shift),
    mean: read(mean),
    variance: read(variance),
    bias: bias && read(bias),
  });
}

/** A measure of the time a layer takes: the multiply-adds of its Gram matrices and their eigenproblems. */
function layerWork(layer: Layer, choice: MethodChoice): number {
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
