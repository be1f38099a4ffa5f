import path from 'node:path';
import { analyzeModel } from '../../src/core/compress/analyzeModel';
import type { Layer } from '../../src/core/compress/layer';
import { effectiveWeight } from '../../src/core/compress/weight';
import type { Matrix } from '../../src/core/tensor/matrix';
import type { InputBatches } from '../../src/worker/activations/inputBatches';
import type { ActivationSink } from '../../src/worker/activations/sink';
import { readConstant, readStored, recipeOf } from '../../src/worker/constantValues';
import { channelScale, readNorm } from '../../src/worker/modelWeights';
import type { OpenModel } from '../../src/worker/openModel';
import { loadRuntime, type Runtime, type RuntimeSession } from '../../src/worker/runtime';
import type { Inputs } from './fullRank';
import { referenceRow } from './referencePatches';

/** ONNX Runtime, both of them. */
export const RUNTIMES: readonly (readonly [name: string, runtime: Runtime])[] = [
  ['native', loadRuntime(path.resolve('dist'))],
  ['WebAssembly', loadRuntime(path.resolve('dist'), false)],
];

/** The layers of an open model, normalisations folded in. */
export const layersIn = ({ model, openExternal }: OpenModel, foldNorms = true): readonly Layer[] =>
  analyzeModel(model, { dims: {}, openExternal, foldNorms }).layers;

/** All columns of one group of a layer, one array each. */
export interface Kept {
  readonly p: number[][];
  readonly y: number[][];
}

/** Batches that are in memory, of one sample each as far as anybody asks. */
export function inputBatches(batches: readonly Inputs[]): InputBatches {
  return {
    count: batches.length,
    async *[Symbol.asyncIterator]() {
      for (const [i, tensors] of batches.entries()) yield { tensors, samples: [i], padding: 0 };
    },
  };
}

/** A sink that keeps everything, by layer and group. */
export function keepingSink(): ActivationSink & {
  readonly kept: ReadonlyMap<Layer, readonly Kept[]>;
  /** Columns of each block that came. */
  readonly blocks: readonly number[];
  readonly finished: readonly Layer[];
} {
  const kept = new Map<Layer, Kept[]>();
  const blocks: number[] = [];
  const finished: Layer[] = [];
  const columns = ({ rows, cols, data }: Matrix) =>
    Array.from({ length: cols }, (_, j) => Array.from({ length: rows }, (_, i) => data[i * cols + j]!));
  return {
    kept,
    blocks,
    finished,
    add(layer, group, p, y) {
      const groups = kept.get(layer) ?? [];
      kept.set(layer, groups);
      groups[group] ??= { p: [], y: [] };
      groups[group].p.push(...columns(p));
      groups[group].y.push(...columns(y));
      blocks.push(p.cols);
    },
    finish: (layer) => {
      finished.push(layer);
    },
  };
}

/** Outputs that are looked at, evenly spread, in layers of many. */
const MOST_ROWS = 16;

/** How far W · p + b is from y over all columns of a layer, relative to the norm of y. */
export function productError(open: OpenModel, layer: Layer, kept: readonly Kept[]): number {
  const { form } = layer;
  if (form.kind !== 'conv' && form.kind !== 'matmul') throw new Error(`${layer.name} multiplies nothing.`);
  const norm = readNorm(open, layer);
  const recipe = { ...recipeOf(layer.weight), ...(norm ? { scale: channelScale(layer, norm) } : {}) };
  const weight = effectiveWeight(readStored(open, layer.weight), recipe);
  const bias = norm ? norm.bias : layer.bias && readConstant(open, layer.bias);
  const number = (name: string) => {
    const attribute = layer.node.attributes.get(name);
    return attribute?.kind === 'float' ? attribute.value : 1;
  };
  const biasScale = layer.node.opType === 'Gemm' ? number('beta') / number('alpha') : 1;
  let [difference, total] = [0, 0];
  for (const [g, { p, y }] of kept.entries()) {
    const outputs = y[0]?.length ?? 0;
    for (let s = 0; s < outputs; s += Math.ceil(outputs / MOST_ROWS)) {
      const row = referenceRow(form, weight, g, s);
      const index = form.kind === 'conv' ? g * outputs + s : s;
      const b = bias ? bias[bias.length === 1 ? 0 : index]! * biasScale : 0;
      for (const [j, column] of p.entries()) {
        const sum = row.reduce((before, w, k) => before + w * column[k]!, b);
        difference += (sum - y[j]![s]!) ** 2;
        total += y[j]![s]! ** 2;
      }
    }
  }
  return total === 0 ? Math.sqrt(difference) : Math.sqrt(difference / total);
}

/** A runtime that counts its sessions. */
export function countingRuntime(
  runtime: Runtime,
): Runtime & { readonly openNow: () => number; opened: number; runs: number } {
  let open = 0;
  const counting = {
    name: runtime.name,
    opened: 0,
    runs: 0,
    openNow: () => open,
    async open(...args: Parameters<Runtime['open']>): Promise<RuntimeSession> {
      const session = await runtime.open(...args);
      open++;
      counting.opened++;
      return {
        ...session,
        run(inputs) {
          counting.runs++;
          return session.run(inputs);
        },
        async release() {
          open--;
          await session.release();
        },
      };
    },
  };
  return counting;
}
