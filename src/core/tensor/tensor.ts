import { type Matrix, matrix, type Numbers } from './matrix';
import { permuteAxes } from './permute';

/** A dense tensor of any order, row-major: the last axis runs fastest. */
export interface Tensor<T extends Numbers = Numbers> {
  readonly dims: readonly number[];
  readonly data: T;
}

/** Wraps `data` (∏ dims elements) as a tensor. Throws a RangeError when the length does not fit. */
export function tensor<T extends Numbers>(dims: readonly number[], data: T): Tensor<T> {
  const count = dims.reduce((a, b) => a * b, 1);
  if (data.length !== count) {
    throw new RangeError(`A ${dims.join(' × ')} tensor needs ${count} elements, not ${data.length}.`);
  }
  return { dims, data };
}

/**
 * The unfolding with these axes as rows, in the order given, and all others as columns, in their own order
 * (Kolda & Bader 2009, §2.4, but with the last axis running fastest). A copy, unless nothing moves.
 */
export function unfold<T extends Numbers>({ dims, data }: Tensor<T>, rowAxes: readonly number[]): Matrix<T> {
  const permutation = [...rowAxes, ...otherAxes(dims.length, rowAxes)];
  const rows = rowAxes.reduce((count, axis) => count * dims[axis]!, 1);
  return matrix(rows, rows === 0 ? 0 : data.length / rows, permuteAxes(data, dims, permutation));
}

/** The tensor of these dimensions whose {@link unfold}ing by the same axes is `m`. A copy, unless nothing moves. */
export function fold<T extends Numbers>(
  m: Matrix<T>,
  rowAxes: readonly number[],
  dims: readonly number[],
): Tensor<T> {
  const permutation = [...rowAxes, ...otherAxes(dims.length, rowAxes)];
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  const permuted = permutation.map((axis) => dims[axis]!);
  return tensor(dims, permuteAxes(m.data, permuted, inverse));
}

function otherAxes(order: number, axes: readonly number[]): readonly number[] {
  return Array.from({ length: order }, (_, axis) => axis).filter((axis) => !axes.includes(axis));
}
