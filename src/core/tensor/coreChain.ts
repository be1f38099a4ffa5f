import type { Linalg } from './linalg';
import { matrix, type Numbers, zerosLike } from './matrix';
import { type Tensor, tensor, unfold } from './tensor';
import { sumOfSquares } from './tensorScale';

/** What tensor trains and tensor rings are made of: chains of cores r × n × r′, the last rank of each the first of the next. */

/** The product of a chain over its inner ranks: first rank × ∏ n × last rank. */
export function mergeCores<T extends Numbers>(linalg: Linalg, cores: readonly Tensor<T>[]): Tensor<T> {
  return cores.reduce((left, right) => {
    const [first, n, inner] = left.dims as [number, number, number];
    const [, m, last] = right.dims as [number, number, number];
    const product = linalg.multiply(matrix(first * n, inner, left.data), matrix(inner, m * last, right.data));
    return tensor([first, n * m, last], product.data);
  });
}

/**
 * The tensor that a closed chain of cores stands for, its last rank being its first one (1 in a tensor train): summed
 * over all ranks, the dimensions are the cores' n.
 */
export function contractCores<T extends Numbers>(linalg: Linalg, cores: readonly Tensor<T>[]): Tensor<T> {
  const dims = cores.map((core) => core.dims[1]!);
  const half = Math.ceil(cores.length / 2);
  const left = mergeCores(linalg, cores.slice(0, half));
  const right = cores.length === 1 ? identityCore(left) : mergeCores(linalg, cores.slice(half));
  // Entry (N, M) is the sum over both ranks of left(r, N, q) · right(q, M, r).
  return tensor(dims, linalg.multiply(unfold(left, [1]), unfold(right, [2, 0])).data);
}

/** The identity as a core, r × 1 × r: a chain without cores, to be merged with one that ends in r. */
export function identityCore<T extends Numbers>({ dims, data }: Tensor<T>): Tensor<T> {
  const r = dims.at(-1)!;
  const one = zerosLike(data, r * r);
  for (let i = 0; i < r; i++) one[i * r + i] = 1;
  return tensor([r, 1, r], one);
}

/**
 * The cores, scaled so that their norms are equal and their product is what it was divided by `scale`: so no core
 * leaves the range of half precision on account of the others. Cores of a zero product stay as they are.
 */
export function balanceCores<T extends Numbers>(
  cores: readonly Tensor<T>[],
  scale = 1,
): readonly Tensor<T>[] {
  const norms = cores.map(({ data }) => Math.sqrt(sumOfSquares(data)));
  if (norms.includes(0)) return cores;
  const logs = norms.reduce((sum, norm) => sum + Math.log(norm), -Math.log(scale));
  const target = Math.exp(logs / cores.length);
  return cores.map(({ dims, data }, i) => tensor(dims, data.map((x) => x * (target / norms[i]!)) as T));
}
