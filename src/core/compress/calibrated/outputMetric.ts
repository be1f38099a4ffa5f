import { choleskyOrNothing } from '../../tensor/choleskyOrNothing';
import type { Linalg } from '../../tensor/linalg';
import { type Matrix, matrix } from '../../tensor/matrix';
import { transpose } from '../../tensor/transpose';
import { explainedVariances, inCoordinates } from './explained';
import type { Regression } from './regression';

/** How much errors of a group's outputs count, as M = L · Lᵀ: an error δ counts as δᵀMδ. */
export interface OutputMetric {
  /** L, S × S, lower triangular. */
  readonly lower: Matrix<Float64Array>;
}

/** Share of the metric in which all outputs count alike. */
const EVEN = 0.1;

/**
 * The metric of outputs whose steps move those of the model by `reactions` (S × S, any scale). A part of it stays even, as
 * what a few samples show of small steps is not all there is. undefined where nothing moves.
 */
export function outputMetric(
  linalg: Linalg,
  { rows: size, data }: Matrix,
  even = EVEN,
): OutputMetric | undefined {
  let mean = 0;
  for (let i = 0; i < size; i++) mean += data[i * (size + 1)]! / size;
  if (!(mean > 0 && mean < Infinity)) return undefined;
  const scaled = matrix(
    size,
    size,
    Float64Array.from(data, (value) => ((1 - even) * value) / mean),
  );
  for (let i = 0; i < size; i++) scaled.data[i * (size + 1)] = scaled.data[i * (size + 1)]! + even;
  const lower = choleskyOrNothing(linalg, scaled);
  return lower && { lower };
}

/**
 * The same regression in the coordinates Lᵀy, where the metric is plain: factors that minimise its plain error minimise
 * E δᵀMδ of the outputs' own errors δ, and {@link unscaleOutputs} brings them back. Itself where all outputs count alike.
 * With the Fisher information of the outputs as M it is the error's effect on the model's output, to second order, as
 * far as it does not hang together with the inputs (Martens & Grosse 2015, §3; for weights by themselves: Hassibi & Stork
 * 1993). What the coordinates do not see of y is left as uncorrelated noise.
 */
export function scaleOutputs(linalg: Linalg, regression: Regression): Regression {
  const { outputMetric: metric, weight, best, cross, explained, variances, lambda } = regression;
  if (!metric) return regression;
  const { lower } = metric;
  const rows = (m: Matrix<Float64Array>) => linalg.multiply(lower, m, { transposeA: true });
  const scaled = rows(weight);
  const both = inCoordinates(linalg, explained, lower);
  const [before, after] = [explained, both].map(explainedVariances);
  let total = 0;
  for (let i = 0; i < variances.length; i++) {
    const own = variances[i]! + lambda * squaredRow(weight, i) - before![i]!;
    total += after![i]! + squaredRow(lower, i) * Math.max(0, own);
  }
  let ridge = 0;
  for (let i = 0; i < scaled.rows; i++) ridge += lambda * squaredRow(scaled, i);
  return {
    ...regression,
    weight: scaled,
    best: rows(best),
    cross: rows(cross),
    explained: both,
    variance: total - ridge,
    total,
  };
}

function squaredRow({ cols, data }: Matrix<Float64Array>, row: number): number {
  let sum = 0;
  for (let at = row * cols; at < (row + 1) * cols; at++) sum += data[at]! ** 2;
  return sum;
}

/** The regression in the coordinates in which ranks are cut. */
export function scaledOutputs(regression: Regression): Regression {
  return regression.scaled ?? regression;
}

/** Rows over the scaled outputs, as rows over the outputs themselves. */
export function unscaleOutputs(
  linalg: Linalg,
  { outputMetric: metric }: Regression,
  rows: Matrix<Float64Array>,
): Matrix<Float64Array> {
  return metric ? transpose(linalg.solveLower(metric.lower, transpose(rows), { transpose: true })) : rows;
}
