import { candidatesOf } from '../core/compress/candidates';
import type { Form, FormedLayer } from '../core/compress/layer';
import { type Choice, isGiven, type LayerOptions } from '../core/compress/makePlan';
import type { Candidate, MethodChoice, Series } from '../core/compress/method';
import type { Target } from '../core/compress/plan';
import type { Spectrum } from '../core/compress/spectrum';
import { spectrumSeries, type Unfolding } from '../core/compress/unfolding';
import type { CallOptions } from './engine';
import type { Pool } from './pool';
import {
  createProgress,
  inOrderOfWork,
  refusalOf,
  runTask,
  type TaskCall,
  untilAborted,
  type WeightFile,
} from './runTask';
import { runSplit } from './splitTask';

/** A call that may be one of many. */
interface MeasureCall extends TaskCall {
  /** Multiply-adds of all that is under way, this call's included. */
  readonly allWork?: number;
}

/** Weights whose spectra are kept; the least recently used one makes room. */
const MOST_WEIGHTS = 10_000;

/**
 * What was measured of weights, kept by their content: ranks can be planned again without touching a weight, and a
 * file that was written anew, copied or renamed costs no more than reading it.
 */
export interface Spectra {
  /** What can be done with each layer. Weights that can't be factored give a reason; everything else throws. */
  optionsOf<L extends FormedLayer>(
    file: WeightFile<L>,
    layers: readonly L[],
    choice: MethodChoice,
    call: Pick<CallOptions, 'signal'> & {
      readonly onLayer?: (done: number, layer: string) => void;
      /** What the options are for: where it gives the ranks, nothing is measured. */
      readonly target?: Target;
    },
  ): Promise<readonly LayerOptions<L>[]>;
  /** The singular values of one unfolding of a layer's weight. Throws WeightRefused and ModelErrors. */
  spectrum<L extends FormedLayer>(
    file: WeightFile<L>,
    layer: L,
    unfolding: Unfolding,
    call?: TaskCall,
  ): Promise<Spectrum>;
  /** The series of one method for one layer. Throws WeightRefused and ModelErrors. */
  measure<L extends FormedLayer>(
    file: WeightFile<L>,
    layer: L,
    candidate: Candidate,
    call?: MeasureCall,
  ): Promise<readonly Spectrum[]>;
}

export function createSpectra(pool: Pool): Spectra {
  /** Content of a weight by file version and layer, and what is known of it by content, the least recently used first. */
  const contents = new Map<string, Promise<string>>();
  const known = new Map<string, Map<string, Promise<Spectrum>>>();

  /** What `key` stands for, made when nobody did yet. Of several that wait for it only the first one makes it. */
  async function remember<T>(
    map: Map<string, Promise<T>>,
    key: string,
    signal: AbortSignal | undefined,
    make: () => Promise<T>,
  ): Promise<T> {
    for (let shared = map.get(key); shared; shared = map.get(key)) {
      try {
        return await untilAborted(shared, signal);
      } catch (error) {
        // The one who made it was cancelled, or failed: whoever still wants it tries for himself.
        signal?.throwIfAborted();
        if (map.get(key) === shared) throw error;
      }
    }
    const made = make();
    map.set(key, made);
    try {
      return await made;
    } catch (error) {
      map.delete(key);
      throw error;
    }
  }

  async function contentOf<L extends FormedLayer>(file: WeightFile<L>, layer: L, call: TaskCall) {
    const key = `${file.path}|${file.version}|${layer.name}`;
    const content = await remember(contents, key, call.signal, async () => {
      const { hash } = await runTask(pool, file, layer, { kind: 'hash' }, { signal: call.signal });
      return hash;
    });
    trim(contents);
    return content;
  }

  function seriesOf(content: string): Map<string, Promise<Spectrum>> {
    const series = known.get(content) ?? new Map<string, Promise<Spectrum>>();
    known.delete(content);
    known.set(content, series);
    trim(known);
    return series;
  }

  async function measure<L extends FormedLayer>(
    file: WeightFile<L>,
    layer: L,
    candidate: Candidate,
    { signal, onProgress: report, allWork = workOf([candidate]) }: MeasureCall = {},
  ): Promise<readonly Spectrum[]> {
    const { form } = layer;
    if (form.kind === 'none') throw new Error(form.reason);
    const series = seriesOf(await contentOf(file, layer, { signal }));
    const work = candidate.series.map((each) => each.work);
    const progress = createProgress(work, (done) => report?.(done));
    return Promise.all(
      candidate.series.map(async (each, index) => {
        const { unfolding, work: own } = each;
        const task = { kind: 'measure', form, method: candidate.method, series: index } as const;
        const onProgress = (done: number) => progress(index, done, '');
        const spectrum = await remember(series, keyOf(each, form), signal, async () => {
          const share = own / (allWork || 1);
          const split = { signal, onProgress };
          const { energies, total } = await runSplit(pool, file, layer, task, unfolding, share, split);
          return { energies, total };
        });
        onProgress(1);
        return spectrum;
      }),
    );
  }

  return {
    measure,
    async spectrum(file, layer, unfolding, call = {}) {
      const series = seriesOf(await contentOf(file, layer, call));
      return remember(series, spectrumSeries(unfolding).key, call.signal, async () => {
        const task = { kind: 'spectrum', unfolding } as const;
        const { energies, total } = await runSplit(pool, file, layer, task, unfolding, 1, call);
        return { energies, total };
      });
    },
    async optionsOf<L extends FormedLayer>(
      file: WeightFile<L>,
      layers: readonly L[],
      choice: MethodChoice,
      { signal, onLayer, target }: Parameters<Spectra['optionsOf']>[3],
    ) {
      const fits = layers.map((layer) => candidatesOf(layer, choice));
      const work = fits.map(({ candidates }) => workOf(candidates));
      const progress = createProgress(work, onLayer);
      const allWork = work.reduce((a, b) => a + b, 0);
      return inOrderOfWork(work, async (i): Promise<LayerOptions<L>> => {
        const layer = layers[i]!;
        const { candidates, reason } = fits[i]!;
        if (reason !== undefined) return { layer, choices: [], reason };
        if (target && isGiven(target, candidates)) {
          return { layer, choices: candidates.map((candidate) => ({ candidate, known: [] })) };
        }
        const parts = createProgress(
          candidates.map((candidate) => workOf([candidate])),
          (done) => progress(i, done, layer.name),
        );
        try {
          const choices = await Promise.all(
            candidates.map(async (candidate, k): Promise<Choice> => {
              const onProgress = (done: number) => parts(k, done, '');
              return {
                candidate,
                known: await measure(file, layer, candidate, { signal, onProgress, allWork }),
              };
            }),
          );
          progress(i, 1, layer.name);
          return { layer, choices };
        } catch (error) {
          return { layer, choices: [], reason: refusalOf(error) };
        }
      });
    },
  };
}

/** An unfolding's key says all there is to it; any other series is one of this form only. */
function keyOf({ key, unfolding }: Series, form: Form): string {
  if (unfolding) return key;
  // How often a weight is used does not matter, nor how large the images are.
  const shape = JSON.stringify(form, (name, value) =>
    ['calls', 'vectors'].includes(name) ? undefined : value,
  );
  return `${key}|${shape}`;
}

/** Multiply-adds of all different series, roughly. */
function workOf(candidates: readonly Candidate[]): number {
  const work = new Map(
    candidates.flatMap(({ series }) => series.map((each) => [each.key, each.work] as const)),
  );
  return [...work.values()].reduce((sum, amount) => sum + amount, 0);
}

function trim(map: Map<string, unknown>): void {
  const oldest = map.keys().next().value;
  if (map.size > MOST_WEIGHTS && oldest !== undefined) map.delete(oldest);
}
