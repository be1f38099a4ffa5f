import { LinalgError } from './linalg';
import type { Numbers } from './matrix';
import type { Tensor } from './tensor';

/** A tensor brought to where its squares and the sums of a product stay in range. */
export interface ScaledTensor<T extends Numbers> {
  /** The tensor times {@link scale}: the caller's own, not a copy, where that is 1. */
  readonly x: Tensor<T>;
  /** A power of two. */
  readonly scale: number;
  /** The squared Frobenius norm of the scaled tensor. */
  readonly energy: number;
}

/**
 * Scales a tensor by a power of two so that its decomposition neither overflows nor underflows: exactly, and only
 * where its largest magnitude asks for it. Throws 'not-finite' when the tensor holds NaN or infinity; `task`
 * names the decomposition in that sentence.
 */
export function scaleTensor<T extends Numbers>(task: string, x: Tensor<T>): ScaledTensor<T> {
  const { dims, data } = x;
  let [largest, energy] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    energy += value * value;
    const magnitude = Math.abs(value);
    // Written so that NaN gets through, too.
    if (!(magnitude <= largest)) largest = magnitude;
    if (!(largest < Infinity))
      throw new LinalgError('not-finite', `${task}: the tensor holds NaN or infinity.`);
  }
  // A product adds many terms, and single precision ends at 2¹²⁸; squares are always doubles.
  const limit = data instanceof Float32Array ? 2 ** 60 : 2 ** 300;
  if (largest === 0 || (largest > 1 / limit && largest < limit)) return { x, scale: 1, energy };
  const scale = 2 ** Math.min(1023, -Math.floor(Math.log2(largest)));
  const scaled = data.map((value) => value * scale) as T;
  return { x: { dims, data: scaled }, scale, energy: sumOfSquares(scaled) };
}

/** Σ x², in double precision. */
export function sumOfSquares(data: Numbers): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! * data[i]!;
  return sum;
}

/** Σ (x − y)², in double precision. */
export function squaredDistance(x: Numbers, y: Numbers): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i]! - y[i]!) ** 2;
  return sum;
}
