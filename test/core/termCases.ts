import { type Matrix, matrix, type Numbers } from '../../src/core/tensor/matrix';
import { type Tensor, tensor } from '../../src/core/tensor/tensor';
import { double, norm, normals, type Precision } from './linalgCases';
import { randomTensor } from './tensorCases';

/** Normally distributed factors, nᵢ × rank for each mode. */
export function randomFactors(dims: readonly number[], rank: number, seed = 1): Matrix<Float64Array>[] {
  const next = normals(seed);
  return dims.map((n) => matrix(n, rank, Float64Array.from({ length: n * rank }, next)));
}

/** Σᵣ of the outer products of the columns r, by the definition, in double. */
export function sumOfOuterProducts(factors: readonly Matrix[]): Tensor<Float64Array> {
  const dims = factors.map(({ rows }) => rows);
  const rank = factors[0]!.cols;
  // One row for each index so far, one column for each term.
  let products = new Float64Array(rank).fill(1);
  for (const { rows, data } of factors) {
    const longer = new Float64Array(products.length * rows);
    for (let at = 0; at < longer.length; at++) {
      const [r, index] = [at % rank, Math.floor(at / rank)];
      longer[at] = products[Math.floor(index / rows) * rank + r]! * data[(index % rows) * rank + r]!;
    }
    products = longer;
  }
  const sums = new Float64Array(products.length / rank);
  for (let at = 0; at < products.length; at++) sums[Math.floor(at / rank)]! += products[at]!;
  return tensor(dims, sums);
}

/** Σ over blocks g of left · core · right, by the definition, in double. [S, C, ...k]. */
export function sumOfBlocks(left: Matrix, right: Matrix, cores: Tensor): Tensor<Float64Array> {
  const [blocks, rs, rc, ...kernel] = cores.dims as [number, number, number, ...number[]];
  const positions = kernel.reduce((a, b) => a * b, 1);
  const [outputs, inputs] = [left.rows, right.rows];
  const sums = new Float64Array(outputs * inputs * positions);
  const half = new Float64Array(rc * positions);
  for (let s = 0; s < outputs; s++) {
    for (let g = 0; g < blocks; g++) {
      half.fill(0);
      for (let a = 0; a < rs; a++) {
        const weight = left.data[s * left.cols + g * rs + a]!;
        const from = (g * rs + a) * half.length;
        for (let i = 0; i < half.length; i++) half[i]! += weight * cores.data[from + i]!;
      }
      for (let c = 0; c < inputs; c++) {
        for (let b = 0; b < rc; b++) {
          const weight = right.data[c * right.cols + g * rc + b]!;
          const to = (s * inputs + c) * positions;
          for (let k = 0; k < positions; k++) sums[to + k]! += weight * half[b * positions + k]!;
        }
      }
    }
  }
  return tensor([outputs, inputs, ...kernel], sums);
}

/**
 * A weight [S, C, ...kernel] like a trained convolution's: the energy of its channel directions and of its spatial
 * patterns falls by a power law, all in random directions.
 */
export function convLike<T extends Numbers>(
  { from }: Precision<T>,
  dims: readonly number[],
  decay = 0.5,
  seed = 1,
): Tensor<T> {
  const positions = dims.slice(2).reduce((a, b) => a * b, 1);
  const shape = [dims[0]!, dims[1]!, positions];
  const data = randomTensor(double, shape, seed).data;
  for (let at = 0; at < data.length; at++) {
    const k = at % positions;
    const c = Math.floor(at / positions) % dims[1]!;
    const s = Math.floor(at / (positions * dims[1]!));
    data[at] = data[at]! * ((1 + s) * (1 + c)) ** -decay * (1 + k) ** -0.5;
  }
  // Reflections of each mode, two of them random, mix the directions and keep the spectra.
  const next = normals(seed + 1);
  let stride = data.length;
  for (const n of shape) {
    stride /= n;
    for (let turn = 0; turn < 2; turn++) {
      const v = Float64Array.from({ length: n }, next);
      const unit = norm(v);
      for (let at = 0; at < data.length; at++) {
        if (Math.floor(at / stride) % n !== 0) continue;
        let sum = 0;
        for (let i = 0; i < n; i++) sum += (data[at + i * stride]! * v[i]!) / unit;
        for (let i = 0; i < n; i++) data[at + i * stride]! -= (2 * sum * v[i]!) / unit;
      }
    }
  }
  return tensor(dims, from(data));
}
