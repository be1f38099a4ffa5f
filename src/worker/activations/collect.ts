import type { Layer } from '../../core/compress/layer';
import type { Batch } from '../calibration/batches';
import { pause } from '../platform/pause';
import type { Runtime } from '../runtime';
import { createModelMemory, type ShapedModel } from './exposedSession';
import type { InputBatches } from './inputBatches';
import { layerActivations } from './layerActivations';
import { createScratch, layerCollector } from './layerCollector';
import { layerUses, type Refusal, refusal } from './layerUses';
import type { ModelPair, UsedLayer } from './modelPair';
import { passCosts } from './passCosts';
import { type PassLimits, passes } from './passes';
import { shapedModel } from './shapedModel';
import type { ActivationSink } from './sink';
import { unreadable } from './unreadable';

/** Bounds on memory and work. */
export interface CollectLimits extends PassLimits {
  /** Bytes of one block of columns, p and y together. */
  readonly blockBytes: number;
  /** Columns per group and layer, for d inputs and S outputs. */
  columns(d: number, s: number): number;
}

const MIB = 2 ** 20;

/** The limits that hold unless others are given: see `bench/memory.ts` for what they come to. */
export const COLLECT_LIMITS: CollectLimits = {
  runBytes: 96 * MIB,
  keptBytes: 256 * MIB,
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
  /**
   * Tensors of y's own size that are added to y behind some layers (the shortcut of a residual branch): with a
   * compressed model y is raised by what that lacks of them. Not for weights with several uses.
   */
  readonly shortcuts?: ReadonlyMap<Layer, string>;
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
  { original, compressed, layers, shortcuts, batches, sink, ...request }: CollectRequest,
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
    else found.push({ layer, uses, shortcut: uses.length === 1 ? shortcuts?.get(layer) : undefined });
  }
  const reasonOf = unreadable(pair, found, first);
  const used = found.filter((one) => {
    const reason = reasonOf(one);
    if (reason !== undefined) outcomes.set(one.layer, refusal(reason));
    return reason === undefined;
  });
  signal?.throwIfAborted();
  const costOf = await passCosts(runtime, pair, used, first.tensors, sink);
  const shared = passes(used, costOf, limits);
  const breath = breathing(signal);
  const memory = createModelMemory();
  const options = { ...limits, sink, batches: batches.count, scratch: createScratch() };
  for (const [number, own] of shared.entries()) {
    const collectors = new Map(own.map((one) => [one, layerCollector(one, options)]));
    const whole = batches.count * own.reduce((sum, { uses }) => sum + uses.length, 0);
    let done = 0;
    for await (const activations of layerActivations(runtime, pair, own, batches, signal, memory)) {
      await collectors.get(activations.layer)!.add(activations, breath);
      onProgress((number + ++done / whole) / shared.length);
    }
    for (const [{ layer }, { columns, available }] of collectors) {
      outcomes.set(layer, { kind: 'collected', columns, available });
      await sink.finish?.(layer);
    }
  }
  return { outcomes, passes: shared.map((own) => own.map(({ layer }) => layer)) };
}

async function firstOf(batches: InputBatches): Promise<Batch | undefined> {
  for await (const batch of batches) return batch;
  return undefined;
}

/** How long nobody else is listened to. */
const TURN_MS = 40;

/** Lets messages in every now and then, so that a cancel is heard. */
function breathing(signal: AbortSignal | undefined): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > TURN_MS) {
      await pause();
      last = performance.now();
    }
    signal?.throwIfAborted();
  };
}
