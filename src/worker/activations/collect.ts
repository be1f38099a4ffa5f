import type { Layer } from '../../core/compress/layer';
import { type Matrix, matrix } from '../../core/tensor/matrix';
import type { Batch } from '../calibration/batches';
import type { Runtime, RuntimeTensor } from '../runtime';
import { type ColumnSampler, columnSampler } from './columnSampler';
import { gather, rowsOf } from './columns';
import type { ShapedModel } from './exposedSession';
import type { InputBatches } from './inputBatches';
import { type LayerActivations, layerActivations, type ModelPair, type UsedLayer } from './layerActivations';
import { layerColumns } from './layerColumns';
import { type LayerUse, layerUses, type Refusal, refusal } from './layerUses';
import { type PassCost, passes } from './passes';
import { shapedModel } from './shapedModel';
import { tensorSizes } from './tensorSizes';
import { unreadable } from './unreadable';

/** Takes what is collected, block by block: moments are summed up there. */
export interface ActivationSink {
  /** Bytes that are kept for a layer while its pass lasts. Without it none are counted. */
  keptBytes?(layer: Layer): number;
  /**
   * Columns of one group of a layer: p (d × n) and y (S × n) with y = W · p + b, W being the group's weight as S × d,
   * a folded normalisation included. They are valid until it returns, or what it returns is settled.
   */
  add(layer: Layer, group: number, p: Matrix<Float32Array>, y: Matrix<Float32Array>): void | Promise<void>;
  /** The layer has had all its columns. */
  finish?(layer: Layer): void | Promise<void>;
}

/** Bounds on memory and work. */
export interface CollectLimits {
  /** Bytes of tensors that one run gives out; the runtime holds them once, and JavaScript once more. */
  readonly runBytes: number;
  /** Bytes that the sink keeps at the same time. */
  readonly keptBytes: number;
  /** Bytes of one block of columns, p and y together. */
  readonly blockBytes: number;
  /** Columns per group and layer, for d inputs and S outputs. */
  columns(d: number, s: number): number;
}

const MIB = 2 ** 20;

/** The limits that hold unless others are given. */
export const COLLECT_LIMITS: CollectLimits = {
  runBytes: 256 * MIB,
  keptBytes: 512 * MIB,
  blockBytes: 16 * MIB,
  columns: enoughColumns,
};

/** Multiply-adds per layer that moments may take before columns are left away: some ten seconds. */
const FREE_WORK = 5e10;
/** Columns per input that are used in any case. */
const PER_INPUT = 64;

/**
 * All columns, unless their moments took more than 5 · 10¹⁰ multiply-adds; then as many as that allows, but not below 64
 * for each of the d inputs. In the sample VGG (d = 288 and 576) the variance that a cut to S / 8 … S / 2 principal
 * components loses is above that of all columns by 0.1 … 0.4 % with 64 for each input, by 0.3 … 1.6 % with 16, and by
 * 1 … 7 % with 4.
 */
export function enoughColumns(d: number, s: number): number {
  return Math.max(PER_INPUT * d, Math.floor(FREE_WORK / (d * (d / 2 + s))));
}

export interface CollectRequest {
  /** The model that the layers are of. y is read here. */
  readonly original: ShapedModel['source'];
  /** The model as it is compressed so far: p is read here, by the names of the original. */
  readonly compressed?: ShapedModel['source'];
  /** In the order of the model, so that a pass runs no further than it must. */
  readonly layers: readonly Layer[];
  readonly batches: InputBatches;
  readonly sink: ActivationSink;
  readonly limits?: Partial<CollectLimits>;
}

/** What became of a layer. */
export type Outcome =
  | {
      readonly kind: 'collected';
      /** Columns that each group had, and those that there would have been. */
      readonly columns: number;
      readonly available: number;
    }
  | Refusal;

export interface Collected {
  readonly outcomes: ReadonlyMap<Layer, Outcome>;
  /** The layers of each pass over the data. */
  readonly passes: readonly (readonly Layer[])[];
}

export interface CollectOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the finished share of the work, 0…1. */
  readonly onProgress?: (done: number) => void;
}

/**
 * Runs a model on calibration data and hands the inputs and outputs of its layers to a sink, as columns. Layers go in
 * passes, so that memory stays bounded however large the model and the data; each pass runs the model on all the
 * data as far as its last layer. Sizes are those of the first batch: later ones should not be much larger.
 * Layers without columns are refused as data. Throws ModelErrors, and the signal's reason within one run or block.
 */
export async function collectActivations(
  runtime: Runtime,
  { original, compressed, layers, batches, sink, ...request }: CollectRequest,
  { signal, onProgress = () => {} }: CollectOptions = {},
): Promise<Collected> {
  const limits = { ...COLLECT_LIMITS, ...request.limits };
  const outcomes = new Map<Layer, Outcome>();
  const first = await firstOf(batches);
  if (!first) {
    for (const layer of layers) outcomes.set(layer, refusal('There is no calibration data.'));
    return { outcomes, passes: [] };
  }
  const pair: ModelPair = {
    original: shapedModel(original, first.tensors),
    compressed: compressed && shapedModel(compressed, first.tensors),
  };
  const found: UsedLayer[] = [];
  for (const layer of layers) {
    const uses = layerUses(layer, original.model.graph);
    if ('reason' in uses) outcomes.set(layer, uses);
    else found.push({ layer, uses });
  }
  const reasonOf = unreadable(
    pair,
    found.flatMap(({ uses }) => uses),
  );
  const used = found.filter(({ layer, uses }) => {
    const reason = uses.map(reasonOf).find((one) => one !== undefined);
    if (reason !== undefined) outcomes.set(layer, refusal(reason));
    return reason === undefined;
  });
  signal?.throwIfAborted();
  const cost = await costs(runtime, pair, used, first.tensors, sink);
  const shared = passes(used, cost, limits);
  const breath = breathing(signal);
  const scratch = { p: reusable(), y: reusable() };
  for (const [number, own] of shared.entries()) {
    const collectors = new Map(
      own.map((one) => [one.layer, collector(one, batches.count, sink, limits, scratch)]),
    );
    let done = 0;
    const whole = batches.count * own.reduce((sum, { uses }) => sum + uses.length, 0);
    for await (const activations of layerActivations(runtime, pair, own, batches, signal)) {
      await collectors.get(activations.layer)!.add(activations, breath);
      onProgress((number + ++done / whole) / shared.length);
    }
    for (const { layer } of own) {
      outcomes.set(layer, collectors.get(layer)!.outcome());
      await sink.finish?.(layer);
    }
  }
  return { outcomes, passes: shared.map((own) => own.map(({ layer }) => layer)) };
}

async function firstOf(batches: InputBatches): Promise<Batch | undefined> {
  for await (const batch of batches) return batch;
  return undefined;
}

async function costs(
  runtime: Runtime,
  { original, compressed }: ModelPair,
  layers: readonly UsedLayer[],
  inputs: ReadonlyMap<string, RuntimeTensor>,
  sink: ActivationSink,
): Promise<(layer: UsedLayer) => PassCost> {
  const uses = layers.flatMap((layer) => layer.uses);
  const [xs, ys] = [uses.map(({ x }) => x), uses.map(({ y }) => y)];
  const ofOriginal = await tensorSizes(runtime, original, compressed ? ys : [...xs, ...ys], inputs);
  const ofCompressed = compressed && (await tensorSizes(runtime, compressed, xs, inputs));
  return ({ layer, uses: own }) => {
    const tensors = new Map<string, number>();
    for (const { x, y } of own) {
      tensors.set(`original ${y}`, ofOriginal.get(y) ?? 0);
      if (ofCompressed) tensors.set(`compressed ${x}`, ofCompressed.get(x) ?? 0);
      else tensors.set(`original ${x}`, ofOriginal.get(x) ?? 0);
    }
    return { tensors, kept: sink.keptBytes?.(layer) ?? 0 };
  };
}

/** Memory for the block at hand. */
interface Scratch {
  p(length: number): Float32Array;
  y(length: number): Float32Array;
}

function reusable(): (length: number) => Float32Array {
  let memory = new Float32Array(0);
  return (length) => {
    if (memory.length < length) memory = new Float32Array(length);
    return memory;
  };
}

interface Collector {
  add(activations: LayerActivations, breath: () => Promise<void>): Promise<void>;
  outcome(): Outcome;
}

/** Makes columns of one layer's activations, all batches through. */
function collector(
  { layer, uses }: UsedLayer,
  batches: number,
  sink: ActivationSink,
  limits: CollectLimits,
  scratch: Scratch,
): Collector {
  const samplers = new Map<LayerUse, ColumnSampler>();
  let [columns, available] = [0, 0];
  return {
    async add({ batch, use, x, y }, breath) {
      const { groups, count: all, p: pSource, y: ySource, scale } = layerColumns(use, x.dims, y.dims);
      const count = withoutPadding(all, y.dims, batch);
      const [d, s] = [rowsOf(pSource), rowsOf(ySource)];
      // Uses of one weight share its columns equally.
      const limit = Math.max(1, Math.floor(limits.columns(d, s) / uses.length));
      const sampler = samplers.get(use) ?? columnSampler(all * batches, limit);
      samplers.set(use, sampler);
      const chosen = sampler.take(count);
      available += count;
      columns += chosen.length;
      const width = Math.min(chosen.length, Math.max(1, Math.floor(limits.blockBytes / (4 * (d + s)))));
      const p = scratch.p(d * width);
      const out = scratch.y(s * width);
      for (let group = 0; group < groups; group++) {
        for (let from = 0; from < chosen.length; from += width) {
          const block = chosen.subarray(from, from + width);
          gather(pSource, x.data, group, block, p);
          gather(ySource, y.data, group, block, out);
          if (scale !== 1) for (let i = 0; i < s * block.length; i++) out[i] = out[i]! / scale;
          await sink.add(
            layer,
            group,
            matrix(d, block.length, p.subarray(0, d * block.length)),
            matrix(s, block.length, out.subarray(0, s * block.length)),
          );
          await breath();
        }
      }
    },
    outcome: () => ({ kind: 'collected', columns, available }),
  };
}

/**
 * How many of the columns are of samples, not of rows that only fill up a run: these come last, as long as the batch is
 * the outermost axis. Where it can be seen that it is not, repeated samples weigh as much as others.
 */
function withoutPadding(count: number, [first = 1]: readonly number[], { samples, padding }: Batch): number {
  const rows = samples.length + padding;
  const isOutermost = first % rows === 0 && count % rows === 0;
  return isOutermost ? (count / rows) * samples.length : count;
}

/** How long nobody else is listened to. */
const TURN_MS = 40;

/** Lets messages in every now and then, so that a cancel is heard. */
function breathing(signal: AbortSignal | undefined): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > TURN_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      last = performance.now();
    }
    signal?.throwIfAborted();
  };
}
