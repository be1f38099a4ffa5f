import { createAccumulator } from '../../src/core/compress/calibrated/accumulator';
import { type LayerRegressions, layerRegressions } from '../../src/core/compress/calibrated/layerRegressions';
import type { Moments } from '../../src/core/compress/calibrated/moments';
import type { OutputMetric } from '../../src/core/compress/calibrated/outputMetric';
import {
  type CalibratedForm,
  groupCount,
  groupSize,
  patchWeights,
} from '../../src/core/compress/calibrated/patchWeights';
import { candidateOf } from '../../src/core/compress/candidates';
import type { Candidate, MethodId } from '../../src/core/compress/method';
import { spatial } from '../../src/core/compress/methods/spatial';
import type { Linalg } from '../../src/core/tensor/linalg';
import { type Matrix, matrix, type Numbers } from '../../src/core/tensor/matrix';
import { transpose } from '../../src/core/tensor/transpose';
import { convForm as conv, matmulForm as matmul } from '../support/forms';
import { double, naive, normals, type Precision } from './linalgCases';

/** Inputs and outputs of one group, a sample per column. */
export interface Samples {
  readonly inputs: Matrix<Float64Array>;
  readonly outputs: Matrix<Float64Array>;
}

/** A layer with calibration data: `seen` is what it gets from a compressed model, `inputs` what it got before. */
export interface Scene {
  readonly form: CalibratedForm;
  readonly weight: Float64Array;
  readonly bias: Float64Array;
  /** One per group: the inputs it sees, and the outputs it had. */
  readonly groups: readonly Samples[];
}

/** Layers of every kind that is factored, small. */
export const forms: readonly (readonly [string, CalibratedForm])[] = [
  ['7 × 4 × 3 × 3', conv(7, 4, [3, 3])],
  ['4 × 7 × 3 × 2, transposed', conv(4, 7, [3, 2], { isTransposed: true })],
  ['two groups of 5 × 3 × 1 × 3', conv(10, 3, [1, 3], { groups: 2 })],
  ['two groups of 4 × 3 × 2 × 2, transposed', conv(8, 3, [2, 2], { groups: 2, isTransposed: true })],
  ['6 × 5 × 4', conv(6, 5, [4])],
  ['1 × 1, 9 × 12', conv(9, 12, [1, 1])],
  ['12 × 9', matmul(12, 9)],
  ['9 × 12, stored transposed', matmul(9, 12, { isTransposed: true })],
  ['8 × 10 on the left', matmul(10, 8, { side: 'left' })],
  ['three of 6 × 7', matmul(6, 7, { lead: [3] })],
];

/** All ways to factor a layer in the norm of the data, each with the candidate that writes its nodes. */
export function waysOf(form: CalibratedForm): { method: MethodId; axis: 0 | 1; candidate: Candidate }[] {
  const methods: MethodId[] = ['svd', 'channel', 'input-channel', 'spatial', 'tucker2'];
  return methods.flatMap((method) => {
    const candidate = candidateOf(form, method);
    if (typeof candidate === 'string') return [];
    const way = { method, axis: 0 as const, candidate };
    if (method !== 'spatial' || form.kind !== 'conv') return [way];
    return [way, { method, axis: 1 as const, candidate: spatial(form, 1) }];
  });
}

/** Correlated inputs of decaying variance about a mean, some of them cut off at zero, as activations are. */
export function activations(d: number, n: number, seed: number): Matrix<Float64Array> {
  const next = normals(seed);
  const mixing = matrix(d, d, Float64Array.from({ length: d * d }, next));
  const sources = matrix(
    d,
    n,
    Float64Array.from({ length: d * n }, (_, at) => next() / (1 + Math.floor(at / n))),
  );
  const mixed = naive(mixing, sources);
  const means = Float64Array.from({ length: d }, next);
  const data = mixed.data.map((value, at) => {
    const i = Math.floor(at / n);
    const shifted = value + means[i]!;
    return i % 3 === 0 ? shifted : Math.max(0, shifted);
  });
  return matrix(d, n, data);
}

/** W · p + b for every column p. */
export function layerOutputs(w: Matrix, bias: ArrayLike<number>, inputs: Matrix): Matrix<Float64Array> {
  const image = naive(w, inputs);
  image.data.forEach((value, at) => {
    image.data[at] = value + bias[Math.floor(at / inputs.cols)]!;
  });
  return image;
}

/** A layer and samples; with a distortion its inputs are no longer those that its outputs came from. */
export function scene(form: CalibratedForm, { n = 300, seed = 1, distortion = 0 } = {}): Scene {
  const next = normals(seed + 17);
  const { outputs, inputs } = groupSize(form);
  const count = groupCount(form);
  const weight = Float64Array.from({ length: count * outputs * inputs }, () => next() / Math.sqrt(inputs));
  const bias = Float64Array.from({ length: count * outputs }, next);
  const groups = patchWeights(form, weight).map((w, i) => {
    const p = activations(inputs, n, seed + 100 * i);
    const own = bias.subarray(i * outputs, (i + 1) * outputs);
    const spread = Math.sqrt(p.data.reduce((sum, value) => sum + value * value, 0) / p.data.length);
    const seen = p.data.map((value) => value * (1 - distortion / 4) + distortion * spread * next());
    return { inputs: matrix(inputs, n, seen), outputs: layerOutputs(w, own, p) };
  });
  return { form, weight, bias, groups };
}

/** The moments of every group: of pairs, or where `pairs` is false of the inputs alone. */
export function momentsOf(
  linalg: Linalg,
  { groups }: Scene,
  { precision = double as Precision, pairs = true } = {},
): Moments[] {
  return groups.map(({ inputs, outputs }) => {
    const accumulator = createAccumulator(linalg, {
      inputs: inputs.rows,
      ...(pairs ? { outputs: outputs.rows } : {}),
    });
    const cast = ({ rows, cols, data }: Matrix) => matrix<Numbers>(rows, cols, precision.from(data));
    accumulator.add(cast(inputs), pairs ? cast(outputs) : undefined);
    const moments = accumulator.finish();
    if (moments.kind === 'unusable') throw new Error(moments.reason);
    return moments;
  });
}

/** The regressions of a scene. */
export function regressionsOf(
  linalg: Linalg,
  layer: Scene,
  options: Parameters<typeof layerRegressions>[4] & { pairs?: boolean; precision?: Precision } = {},
): LayerRegressions {
  const regressions = layerRegressions(linalg, layer.form, layer.weight, momentsOf(linalg, layer, options), {
    bias: layer.bias,
    ...options,
  });
  if (regressions.kind === 'unusable') throw new Error(regressions.reason);
  return regressions;
}

/** E|y − Ŵp − b̂|² over the samples themselves; with a metric L · Lᵀ that of Lᵀ(y − ŷ). */
export function residualOf(
  w: Matrix,
  bias: ArrayLike<number>,
  { inputs, outputs }: Samples,
  metric?: OutputMetric,
): number {
  const image = layerOutputs(w, bias, inputs);
  const { rows, cols } = image;
  const errors = matrix(
    rows,
    cols,
    image.data.map((value, at) => outputs.data[at]! - value),
  );
  const { data } = metric ? naive(transpose(metric.lower), errors) : errors;
  return data.reduce((sum, value) => sum + value * value, 0) / inputs.cols;
}

/** Metrics of outputs that are far from alike, one for each group; `mixed`: that do not stand for themselves either. */
export function unevenMetrics(form: CalibratedForm, mixed: boolean): readonly OutputMetric[] {
  const next = normals(23);
  const { outputs } = groupSize(form);
  return Array.from({ length: groupCount(form) }, () => {
    const data = new Float64Array(outputs * outputs);
    for (let i = 0; i < outputs; i++) {
      data[i * (outputs + 1)] = Math.exp(next() / 2);
      for (let j = 0; j < i && mixed; j++) data[i * outputs + j] = next() / 3;
    }
    return { lower: matrix(outputs, outputs, data) };
  });
}

/** The mean column. */
export function meanOf({ rows, cols, data }: Matrix): Float64Array {
  const mean = new Float64Array(rows);
  data.forEach((value, at) => {
    mean[Math.floor(at / cols)]! += value / cols;
  });
  return mean;
}

/** The columns less their mean. */
export function centred({ rows, cols, data }: Matrix): Matrix<Float64Array> {
  const mean = meanOf({ rows, cols, data });
  return matrix(
    rows,
    cols,
    Float64Array.from(data, (value, at) => value - mean[Math.floor(at / cols)]!),
  );
}
