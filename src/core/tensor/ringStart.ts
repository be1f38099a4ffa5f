import type { Linalg, OnProgress } from './linalg';
import { matrix, type Numbers, zerosLike } from './matrix';
import { type Tensor, tensor } from './tensor';
import { sumOfSquares } from './tensorScale';
import { tensorTrain } from './tensorTrain';
import { transpose } from './transpose';
import { truncatedSvd } from './truncatedSvd';

/**
 * Where a tensor ring starts: the first core from a truncated singular value decomposition of rank r₀ · r₁, the others
 * as the tensor train of what it leaves, r₁ · n₁ × n₂ × … × n_{d−1} · r₀ (Zhao et al. 2016, Algorithm 1, with given
 * ranks). With r₀ = 1 that is the tensor train itself. Ranks that the tensor leaves no directions for are filled up
 * with seeded random numbers on one side and zeros on the other: the product is the same, and least squares find
 * something to start from.
 */
export function ringStart<T extends Numbers>(
  linalg: Linalg,
  x: Tensor<T>,
  ranks: readonly number[],
  onProgress: OnProgress,
): readonly Tensor<T>[] {
  if (ranks[0] === 1) return tensorTrain(linalg, x, ranks.slice(1), { onProgress }).cores;
  const { dims, data } = x;
  const [r0, r1, n] = [ranks[0]!, ranks[1]!, dims[0]!];
  const rest = data.length / n;
  const random = uniformNumbers(1);
  const possible = Math.min(r0 * r1, n, rest);
  const svd = truncatedSvd(linalg, matrix(n, rest, data), possible, (done) => onProgress(done / 2));
  const first = zerosLike(data, r0 * n * r1);
  const carried = zerosLike(data, r0 * r1 * rest);
  for (let c = 0; c < r0 * r1; c++) {
    // Column c of U, for the pair of ranks (⌊c / r₁⌋, c mod r₁), and row c of Σ · Vᵀ.
    const root = c < possible ? Math.sqrt(svd.sigma[c]!) : 0;
    const at = Math.floor(c / r1) * n * r1 + (c % r1);
    for (let i = 0; i < n; i++) {
      first[at + i * r1] = root === 0 ? random() / Math.sqrt(n) : svd.left.data[i * possible + c]! / root;
    }
    if (root === 0) continue;
    const row = c * rest;
    for (let j = 0; j < rest; j++) carried[row + j] = svd.right.data[row + j]! * root;
  }
  // r₀ × (r₁ · rest) turned, so that r₀ comes last: it closes the ring.
  const open = transpose(matrix(r0, r1 * rest, carried)).data;
  const sizes = dims.slice(1);
  sizes[0] = sizes[0]! * r1;
  sizes[sizes.length - 1] = sizes.at(-1)! * r0;
  const train = tensorTrain(linalg, tensor(sizes, open), ranks.slice(2), {
    onProgress: (done) => onProgress(0.5 + done / 2),
  });
  const cores = train.cores.map((core, k) =>
    padded(
      tensor([train.ranks[k - 1] ?? r1, dims[k + 1]!, train.ranks[k] ?? r0], core.data),
      ranks[k + 1]!,
      ranks[k + 2] ?? r0,
      random,
    ),
  );
  return [tensor([r0, n, r1], first), ...cores];
}

/** The core with more ranks: zeros for the new first ones, for the new last ones random numbers of the size of its others. */
function padded<T extends Numbers>(
  core: Tensor<T>,
  first: number,
  last: number,
  random: () => number,
): Tensor<T> {
  const [r, n, q] = core.dims as [number, number, number];
  if (r === first && q === last) return core;
  const data = zerosLike(core.data, first * n * last);
  const size = Math.sqrt(sumOfSquares(core.data) / core.data.length);
  for (let row = 0; row < r * n; row++) {
    for (let j = 0; j < last; j++) data[row * last + j] = j < q ? core.data[row * q + j]! : random() * size;
  }
  return tensor([first, n, last], data);
}

/** Cores of independent random numbers of mean 0, the same for the same seed. */
export function randomRing(
  dims: readonly number[],
  ranks: readonly number[],
  seed: number,
): readonly Tensor<Float64Array>[] {
  const random = uniformNumbers(seed);
  return dims.map((n, k) => {
    const shape = [ranks[k]!, n, ranks[(k + 1) % ranks.length]!] as const;
    return tensor(shape, Float64Array.from({ length: shape[0] * n * shape[2] }, random));
  });
}

/** Numbers from −1 to 1, the same for the same seed (xorshift, Marsaglia 2003). */
function uniformNumbers(seed: number): () => number {
  let state = (seed * 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
}
