import { type CalibratedForm, groupCount, groupSize } from '../../core/compress/calibrated/patchWeights';
import {
  type OutputMeaning,
  type ReactionModel,
  reactionModel,
} from '../../core/compress/calibrated/reactionModel';
import type { Layer } from '../../core/compress/layer';
import { ModelError } from '../../core/onnx/modelError';
import { type Matrix, matrix } from '../../core/tensor/matrix';
import { seededUniform } from '../../core/tensor/seeded';
import { toActivation } from '../activations/activation';
import { bytesOf } from '../activations/exposedSession';
import { calibrationBatches, type InputBatches, samplesPerRun, spread } from '../activations/inputBatches';
import { layerUses } from '../activations/layerUses';
import { shapedModel } from '../activations/shapedModel';
import type { Batch } from '../calibration/batches';
import { runBatches } from '../parts/runBatches';
import { pause } from '../platform/pause';
import type { Runtime, RuntimeTensor } from '../runtime';
import type { GroupData } from './calibrateTask';
import { identityOf } from './kept';
import type { CalibratedOn, CalibrateTools } from './tools';

/** By layer, for each of its groups, how much steps of its outputs move those of the model: S × S, symmetric. */
export type OutputReactions = ReadonlyMap<Layer, readonly Matrix<Float32Array>[]>;

/** Multiply-adds that it may take: some seconds. */
const WORK = 1.5e11;
const MOST_DRAWS = 4;
const FEWEST_SAMPLES = 8;
/** Outputs of a layer beyond which it is not asked: the matrix has as many elements as that squared. */
const MOST_OUTPUTS = 1024;

/** What is asked of a model's reactions. */
export interface ReactionRequest {
  /** What of its outputs counts. */
  readonly meaning: OutputMeaning;
  /** Whether layers give what a normalisation behind them makes of it. */
  readonly foldNorms: boolean;
  /** Where random signs come from; default 1. */
  readonly seed?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * How the outputs of a model react to those of its layers, from its own derivatives on samples of the data
 * (`reactionModel`). Layers that it can't be told of are left out; so are all where the model has operators in the way or
 * the runtime does not run it. `layers` are all of the model, so that whoever asks gets the same numbers; they are kept.
 */
export async function outputReactions(
  tools: Pick<CalibrateTools, 'runtime' | 'kept'>,
  on: CalibratedOn,
  layers: readonly Layer[],
  { meaning, foldNorms, seed = 1, signal }: ReactionRequest,
): Promise<OutputReactions> {
  const key = `reactions ${await identityOf(on, signal)} ${meaning} ${foldNorms} ${seed}`; // no text
  const byName = await tools.kept.get(
    key,
    async () => {
      const made = await measured(tools, on, layers, { meaning, seed, signal });
      return new Map([...made].map(([{ name }, matrices]) => [name, matrices]));
    },
    (value) => {
      let bytes = 0;
      for (const matrices of value.values()) for (const { data } of matrices) bytes += data.byteLength;
      return bytes;
    },
  );
  return new Map(
    layers.flatMap((layer) => {
      const matrices = byName.get(layer.name);
      return matrices ? [[layer, matrices]] : [];
    }),
  );
}

async function measured(
  tools: Pick<CalibrateTools, 'runtime'>,
  { open, data, macs }: CalibratedOn,
  layers: readonly Layer[],
  {
    meaning,
    seed,
    signal,
  }: Required<Pick<ReactionRequest, 'meaning' | 'seed'>> & Pick<ReactionRequest, 'signal'>,
): Promise<OutputReactions> {
  const found = new Map<Layer, readonly Matrix<Float32Array>[]>();
  const affordable = WORK / (4 * (macs ?? Infinity));
  const count = Math.min(data.fit.length, Math.max(FEWEST_SAMPLES, Math.floor(affordable)));
  // Sizes are those of whole batches, so few samples shall be left over.
  const rows = data.fixedRows ?? Math.floor(count / Math.ceil(count / samplesPerRun(macs)));
  const watched = layers.flatMap((layer) => {
    const uses = layerUses(layer, open.model.graph);
    if ('reason' in uses) return [];
    return uses.flatMap(({ form, y }) => {
      const outputs = outputsOf(form);
      return outputs <= MOST_OUTPUTS ? [{ layer, form, tensor: y, outputs }] : [];
    });
  });
  const [first] = data.batches(data.fit.slice(0, rows), rows);
  if (!first || watched.length === 0) return found;
  const shaped = shapedModel(open, first.tensors);
  const model = reactionModel(open.model, shaped.shapes, watched, meaning);
  if (!model) return found;
  const draws = Math.min(MOST_DRAWS, Math.max(1, Math.floor(affordable / count)));
  const samples = spread(data.fit, count);
  const uniform = seededUniform(seed);
  const sums = watched.map(({ outputs }) => new Float32Array(outputs * outputs));
  const batches = calibrationBatches(data, samples, rows);
  try {
    for (let draw = 0; draw < draws; draw++)
      await addRuns(tools.runtime(), open, model, { batches, rows, uniform, signal }, sums);
  } catch (error) {
    // Derivatives take more memory than the model does, and operators that a runtime may lack.
    if (error instanceof ModelError && error.code === 'runtime-failed') return found;
    throw error;
  }
  const byLayer = new Map<Layer, Float32Array | undefined>();
  watched.forEach(({ layer }, i) => {
    const known = byLayer.get(layer);
    // Of a weight that is used more than once the uses are summed; one that can't be told of spoils it.
    const isKnown = model.places[i] !== undefined && !(byLayer.has(layer) && !known);
    byLayer.set(layer, isKnown ? sums[i]!.map((value, k) => value + (known?.[k] ?? 0)) : undefined);
  });
  for (const [layer, sum] of byLayer) {
    const form = layer.form as CalibratedForm;
    if (sum?.every(Number.isFinite) && sum.some((value) => value > 0)) found.set(layer, blocks(form, sum));
  }
  return found;
}

/** Adds what a run over the samples gives to the sums. */
async function addRuns(
  runtime: Runtime,
  { path, externalFiles }: CalibratedOn['open'],
  { segments, signs, places }: ReactionModel,
  {
    batches,
    rows,
    uniform,
    signal,
  }: {
    readonly batches: InputBatches;
    /** Samples of a whole batch, which sizes are those of. */
    readonly rows: number;
    uniform(): number;
    readonly signal: AbortSignal | undefined;
  },
  sums: readonly Float32Array[],
): Promise<void> {
  async function* signed(): AsyncGenerator<Batch> {
    for await (const batch of batches) {
      if (batch.samples.length + batch.padding !== rows) continue;
      const drawn = signs.map(({ name, dims }): [string, RuntimeTensor] => {
        const length = dims.reduce((a, b) => a * b, 1);
        const data = Float32Array.from({ length }, () => (uniform() < 0.5 ? -1 : 1));
        return [name, { type: 'float32', dims, data }];
      });
      yield { ...batch, tensors: new Map([...batch.tensors, ...drawn]) };
    }
  }
  const session = await runtime.open(path, externalFiles, bytesOf(segments, path));
  try {
    for await (const { outputs } of runBatches([session], signed(), signal)) {
      for (const [i, place] of places.entries()) {
        const own = place === undefined ? undefined : outputs[0]!.get(place);
        const values = own && toActivation(own)?.data;
        const sum = sums[i]!;
        // A sample that the model computes no number for says nothing, and shall not silence the others.
        if (values?.every(Number.isFinite))
          for (let k = 0; k < sum.length; k++) sum[k] = sum[k]! + values[k]!;
      }
      // Runs are synchronous inside: whoever wants to cancel is listened to here.
      await pause();
    }
  } finally {
    await session.release();
  }
}

function outputsOf(form: CalibratedForm): number {
  return form.kind === 'conv' ? groupSize(form).outputs * groupCount(form) : groupSize(form).outputs;
}

/** What belongs to the outputs of each group. */
function blocks(form: CalibratedForm, sum: Float32Array): readonly Matrix<Float32Array>[] {
  const { outputs: size } = groupSize(form);
  const groups = groupCount(form);
  const all = size * groups;
  return Array.from({ length: groups }, (_, group) => {
    const own = new Float32Array(size * size);
    for (let i = 0; i < size; i++) {
      const from = (group * size + i) * all + group * size;
      own.set(sum.subarray(from, from + size), i * size);
    }
    return matrix(size, size, own);
  });
}

/** What data has shown of a layer's groups, with how its outputs count. */
export function withReactions(
  groups: readonly GroupData[],
  reactions: readonly Matrix<Float32Array>[] | undefined,
): readonly GroupData[] {
  return reactions ? groups.map((group, i) => ({ ...group, reactions: reactions[i] })) : groups;
}
