import type { Linalg, OnProgress } from '../tensor/linalg';
import { type Matrix, matrix, type Numbers, zerosLike } from '../tensor/matrix';
import { permuteAxes } from '../tensor/permute';
import { truncatedSvd } from '../tensor/truncatedSvd';
import { product, type Series } from './method';
import type { Spectrum } from './spectrum';

/**
 * How a weight is laid out as matrices: its axes are permuted; the first `batchAxes` of them count separate
 * matrices (groups, batches), the next `rowAxes` are rows, the rest columns.
 */
export interface Unfolding {
  readonly dims: readonly number[];
  readonly permutation: readonly number[];
  readonly batchAxes: number;
  readonly rowAxes: number;
}

/** Number and size of the matrices of an unfolding. */
export function unfoldedSize({ dims, permutation, batchAxes, rowAxes }: Unfolding) {
  const sizes = permutation.map((axis) => dims[axis]!);
  return {
    count: product(sizes.slice(0, batchAxes)),
    rows: product(sizes.slice(batchAxes, batchAxes + rowAxes)),
    cols: product(sizes.slice(batchAxes + rowAxes)),
  };
}

/** The matrices of an unfolding; they share the memory of one permuted copy, or that of the weight. */
export function matricesOf<T extends Numbers>(weight: T, unfolding: Unfolding): readonly Matrix<T>[] {
  const { count, rows, cols } = unfoldedSize(unfolding);
  const data = permuteAxes(weight, unfolding.dims, unfolding.permutation);
  const size = rows * cols;
  return Array.from({ length: count }, (_, i) =>
    matrix(rows, cols, data.subarray(i * size, (i + 1) * size) as T),
  );
}

/** All singular values of an unfolding, as a series: step k is rank k + 1. */
export function spectrumSeries(unfolding: Unfolding): Series {
  const { count, rows, cols } = unfoldedSize(unfolding);
  const [small, large] = [Math.min(rows, cols), Math.max(rows, cols)];
  const { dims, permutation, batchAxes, rowAxes } = unfolding;
  return {
    unfolding,
    key: `${dims.join('x')}:${permutation.join()}:${batchAxes}+${rowAxes}`,
    work: count * small * small * (large + 3 * small),
    measure: (linalg, weight, onProgress) => spectrumOf(linalg, weight, unfolding, onProgress),
  };
}

function spectrumOf(linalg: Linalg, weight: Numbers, unfolding: Unfolding, onProgress: OnProgress): Spectrum {
  const matrices = matricesOf(weight, unfolding);
  const { rows, cols } = unfoldedSize(unfolding);
  const energies = new Float64Array(Math.min(rows, cols));
  for (const [i, a] of matrices.entries()) {
    const { sigma } = truncatedSvd(linalg, a, 0, (done) => onProgress((i + done) / matrices.length));
    for (let k = 0; k < sigma.length; k++) energies[k] = energies[k]! + sigma[k]! ** 2;
  }
  return { energies, total: energies.reduce((sum, e) => sum + e, 0) };
}

/** Multiply-adds of the Gram matrix of an unfolding. */
export function gramWork(unfolding: Unfolding): number {
  const { count, rows, cols } = unfoldedSize(unfolding);
  return count * rows * cols * Math.min(rows, cols);
}

/** The Gram matrix of the shorter side, summed over one of `parts` equal shares of the longer one. For a single matrix. */
export function gramPart(
  linalg: Linalg,
  weight: Numbers,
  unfolding: Unfolding,
  { part, parts }: { readonly part: number; readonly parts: number },
  onProgress: OnProgress,
): Matrix<Float64Array> {
  const [a] = matricesOf(weight, unfolding);
  const { rows, cols } = a!;
  const [from, to] = [part, part + 1].map((k) => Math.floor((k * Math.max(rows, cols)) / parts)) as [
    number,
    number,
  ];
  const length = to - from;
  if (rows > cols) {
    const block = matrix(length, cols, a!.data.subarray(from * cols, to * cols));
    return linalg.gram(block, onProgress, { transposeFirst: true });
  }
  const block = zerosLike(weight, rows * length);
  for (let i = 0; i < rows; i++) block.set(a!.data.subarray(i * cols + from, i * cols + to), i * length);
  return linalg.gram(matrix(rows, length, block), onProgress);
}
