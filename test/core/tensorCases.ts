import { matrix, type Numbers } from '../../src/core/tensor/matrix';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { fold, type Tensor, tensor, unfold } from '../../src/core/tensor/tensor';
import { double, normals, type Precision, random } from './linalgCases';

/** A tensor of normally distributed numbers. */
export function randomTensor<T extends Numbers>(
  precision: Precision<T>,
  dims: readonly number[],
  seed = 1,
): Tensor<T> {
  const next = normals(seed);
  const count = dims.reduce((a, b) => a * b, 1);
  return tensor(dims, precision.from(Array.from({ length: count }, next)));
}

/** A tensor whose multilinear singular values fall off like 1 / i^power in every mode, along random directions. */
export function decaying(dims: readonly number[], power: number, seed = 1): Tensor<Float64Array> {
  const linalg = createMlMatrix();
  let x = randomTensor(double, dims, seed);
  for (const [mode, n] of dims.entries()) {
    const { q } = linalg.qr(random(double, n, n, seed + mode + 1));
    const a = unfold(x, [mode]);
    const weighted = a.data.map((value, at) => value * (Math.floor(at / a.cols) + 1) ** -power);
    x = fold(linalg.multiply(q, matrix(n, a.cols, weighted)), [mode], dims);
  }
  return x;
}

/** Cores of a random train or ring: `ranks` holds one more than `dims`. */
export function randomCores(
  dims: readonly number[],
  ranks: readonly number[],
  seed = 1,
): Tensor<Float64Array>[] {
  return dims.map((n, k) => randomTensor(double, [ranks[k]!, n, ranks[k + 1]!], seed + k));
}

/** ‖x − y‖ / ‖x‖. */
export function relativeDistance(x: Tensor, y: Tensor): number {
  let [distance, energy] = [0, 0];
  for (let i = 0; i < x.data.length; i++) {
    distance += (x.data[i]! - y.data[i]!) ** 2;
    energy += x.data[i]! ** 2;
  }
  return Math.sqrt(distance / energy);
}

/** Frobenius norms. */
export function coreNorms(cores: readonly Tensor[]): number[] {
  return cores.map(({ data }) => Math.sqrt([...data].reduce((sum, value) => sum + value * value, 0)));
}
