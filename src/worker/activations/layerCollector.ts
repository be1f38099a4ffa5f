import { matrix } from '../../core/tensor/matrix';
import type { Batch } from '../calibration/batches';
import { type ColumnSampler, columnSampler } from './columnSampler';
import { gather, rowsOf } from './columns';
import type { LayerActivations } from './layerActivations';
import { layerColumns } from './layerColumns';
import type { LayerUse } from './layerUses';
import type { UsedLayer } from './modelPair';
import type { ActivationSink } from './sink';

/** Makes columns of one layer's activations, all batches through. */
export interface LayerCollector {
  /** Hands the columns of one use in one run to the sink; `breath` is awaited after each block. */
  add(activations: LayerActivations, breath: () => Promise<void>): Promise<void>;
  /** Columns that each group has had. */
  readonly columns: number;
  /** Columns that there would have been. */
  readonly available: number;
}

/** What the collectors of a pass have in common. */
export interface CollectorOptions {
  readonly sink: ActivationSink;
  /** How many batches there will be. */
  readonly batches: number;
  /** Bytes of one block of columns, p and y together. */
  readonly blockBytes: number;
  /** Columns per group and layer, for d inputs and S outputs. */
  columns(d: number, s: number): number;
  /** Memory for the block at hand. */
  readonly scratch: Scratch;
}

/** Two buffers that are used again and again. */
export interface Scratch {
  p(length: number): Float32Array;
  y(length: number): Float32Array;
}

/** Buffers that grow to the largest length asked for. */
export function createScratch(): Scratch {
  const reusable = () => {
    let memory = new Float32Array(0);
    return (length: number) => {
      if (memory.length < length) memory = new Float32Array(length);
      return memory;
    };
  };
  return { p: reusable(), y: reusable() };
}

/** A collector for one layer. */
export function layerCollector(
  { layer, uses }: UsedLayer,
  { sink, batches, blockBytes, columns: limitOf, scratch }: CollectorOptions,
): LayerCollector {
  const samplers = new Map<LayerUse, ColumnSampler>();
  let [columns, available] = [0, 0];
  return {
    async add({ batch, use, x, y }, breath) {
      const { groups, count: all, p: pSource, y: ySource, scale } = layerColumns(use, x.dims, y.dims);
      const count = withoutPadding(all, y.dims, batch);
      const [d, s] = [rowsOf(pSource), rowsOf(ySource)];
      // Uses of one weight share its columns equally.
      const limit = Math.max(1, Math.floor(limitOf(d, s) / uses.length));
      const sampler = samplers.get(use) ?? columnSampler(all * batches, limit);
      samplers.set(use, sampler);
      const chosen = sampler.take(count);
      available += count;
      columns += chosen.length;
      const width = Math.min(chosen.length, Math.max(1, Math.floor(blockBytes / (4 * (d + s)))));
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
    get columns() {
      return columns;
    },
    get available() {
      return available;
    },
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
