import {
  createAccumulator,
  type MomentAccumulator,
  type MomentSizes,
} from '../../core/compress/calibrated/accumulator';
import type { Moments, PairMoments } from '../../core/compress/calibrated/moments';
import { type CalibratedForm, groupCount, groupSize } from '../../core/compress/calibrated/patchWeights';
import type { Layer } from '../../core/compress/layer';
import type { Linalg } from '../../core/tensor/linalg';
import type { Matrix } from '../../core/tensor/matrix';
import type { ActivationSink } from '../activations/sink';
import type { GroupData } from './calibrateTask';

/** What is summed up: inputs alone where y = W · p + b, or both where they are of different models. */
export type MomentKind = 'inputs' | 'pairs';

/** Takes the moments of a layer, one per group, or why they can't be used, as a sentence. What it returns is waited for. */
export type TakeMoments = (layer: Layer, data: readonly GroupData[] | string) => Promise<void>;

/** Columns that an accumulator gathers before it multiplies them. */
const KEPT_COLUMNS = 1024;

/** One of so many blocks of pairs is kept apart, to choose the ridge by; the first ones are not. */
const CHECK_EVERY = 6;
/** Inputs of a layer beyond which nothing is kept apart: their covariance would be held twice. */
const MOST_CHECKED = 3072;

/**
 * A sink that sums up what it is given, and hands it on when a layer has had everything. Blocks of a pass should be alike:
 * see `stridedBatches`.
 */
export function momentSink(linalg: Linalg, kind: MomentKind, take: TakeMoments): ActivationSink {
  const open = new Map<Layer, Group[]>();
  return {
    keptBytes: (layer) => {
      const form = multiplying(layer);
      const { inputs, all } = sizesOf(form, kind);
      const sums = 8 * inputs * (inputs + (kind === 'pairs' ? all : 0));
      const each = sums + 4 * KEPT_COLUMNS * (inputs + all);
      return groupCount(form) * (kind === 'pairs' && inputs <= MOST_CHECKED ? 2 : 1) * each;
    },
    add(layer, group, p, y) {
      const form = multiplying(layer);
      const groups = open.get(layer) ?? [];
      open.set(layer, groups);
      groups[group] ??= newGroup(linalg, sizesOf(form, kind));
      const own = groups[group];
      const isApart = kind === 'pairs' && p.rows <= MOST_CHECKED && ++own.blocks % CHECK_EVERY === 0;
      if (isApart) own.check ??= createAccumulator(linalg, sizesOf(form, kind));
      const moments = isApart ? own.check! : own.moments;
      if (kind === 'pairs') moments.add(p, y);
      else moments.add(p);
      addRows(own.sums, y);
    },
    async finish(layer) {
      const groups = open.get(layer) ?? [];
      open.delete(layer);
      const data: GroupData[] = [];
      for (const { moments, check: apart, sums } of groups) {
        const count = moments.count + (apart?.count ?? 0);
        const found = moments.finish();
        const check = apart?.finish();
        for (const part of [found, check]) if (part?.kind === 'unusable') return take(layer, part.reason);
        data.push({
          moments: found as Moments,
          outputMean: sums.map((sum) => sum / count),
          check: check as PairMoments | undefined,
        });
      }
      const form = multiplying(layer);
      await take(layer, data.length === groupCount(form) ? data : 'No calibration data reaches it.');
    },
  };
}

/** Bytes of what was summed up of a layer, as it is taken. */
export function momentBytes(data: Parameters<TakeMoments>[1]): number {
  if (typeof data === 'string') return 0;
  const bytes = (moments: Moments) =>
    moments.covariance.data.byteLength + (moments.kind === 'pairs' ? moments.cross.data.byteLength : 0);
  return data.reduce((sum, { moments, check }) => sum + bytes(moments) + (check ? bytes(check) : 0), 0);
}

interface Group {
  /** How many came. */
  blocks: number;
  readonly moments: MomentAccumulator;
  check?: MomentAccumulator;
  /** Σ y. */
  readonly sums: Float64Array;
}

function newGroup(linalg: Linalg, sizes: MomentSizes & { readonly all: number }): Group {
  return { blocks: 0, moments: createAccumulator(linalg, sizes), sums: new Float64Array(sizes.all) };
}

function sizesOf(form: CalibratedForm, kind: MomentKind): MomentSizes & { readonly all: number } {
  const { inputs, outputs } = groupSize(form);
  return { inputs, all: outputs, ...(kind === 'pairs' ? { outputs } : {}) };
}

function multiplying({ name, form }: Layer): CalibratedForm {
  if (form.kind === 'conv' || form.kind === 'matmul') return form;
  throw new Error(`${name} multiplies nothing.`);
}

function addRows(sums: Float64Array, { rows, cols, data }: Matrix): void {
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < cols; j++) sum += data[i * cols + j]!;
    sums[i] = sums[i]! + sum;
  }
}
