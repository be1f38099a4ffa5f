import { blockTermStart } from './blockTermStart';
import { type Blocks, blockTermAlternation, type ChannelTensor } from './blockTermSweep';
import { compressModes } from './compressModes';
import { createDescent } from './descent';
import { type Linalg, LinalgError, type OnProgress } from './linalg';
import { requireThat } from './linalgInput';
import { type Matrix, matrix, type Numbers, zerosLike } from './matrix';
import { permuteAxes } from './permute';
import { type Tensor, tensor } from './tensor';
import { scaleTensor, squaredDistance, sumOfSquares } from './tensorScale';

/** How far {@link blockTerm} goes. */
export interface BlockTermOptions {
  /** Sweeps end when each of five in a row lowers the error by less than this share of it. Default 1e-5. */
  readonly tolerance?: number;
  /** Default 50. */
  readonly maxSweeps?: number;
  /** The least weight λ of the blocks' squared norms, see {@link blockTerm}. Default 1e-4. */
  readonly damping?: number;
  /** Refuse a result whose {@link BlockTerm.degeneracy} is above this. Default 20. */
  readonly maxDegeneracy?: number;
  readonly onProgress?: OnProgress;
}

/** `x[s, c, ·] ≈ Σ over g, a, b of left[s, g·rs + a] · cores[g, a, b, ·] · right[c, g·rc + b]`, in the precision of x. */
export interface BlockTerm<T extends Numbers> {
  /** S × (G · rs); the columns of a block orthogonal, of equal norm. */
  readonly left: Matrix<T>;
  /** C × (G · rc); the same. */
  readonly right: Matrix<T>;
  /** [G, rs, rc, ...k]. The norm of a block is spread evenly over left, core and right. */
  readonly cores: Tensor<T>;
  /** ‖X − X̂‖ / ‖X‖ of these factors, measured on the difference itself; 0 for a zero tensor. */
  readonly error: number;
  /** The same after each sweep, never increasing; by a shorter formula, which float32 lets see errors above some 1e-3 only. */
  readonly errors: readonly number[];
  readonly sweeps: number;
  /** √(Σ ‖block‖²) / ‖X‖: 1 or less for orthogonal blocks, large where large blocks cancel each other. */
  readonly degeneracy: number;
}

/** The share of the sweeps that the compressed tensor takes. */
const COMPRESSED_SHARE = 0.7;

/**
 * The decomposition of a convolution's weight [S, C, ...k] into `blocks` terms of multilinear rank (rs, rc, ·) (De
 * Lathauwer 2008, "Decompositions of a higher-order tensor in block terms, Part II", the terms of its type 2): G parallel Tucker-2
 * approximations, which run as a 1 × 1 convolution, a grouped k × k one and a 1 × 1 one (Wang & Cheng 2016,
 * "Accelerating convolutional neural networks for mobile applications"). G = 1 is Tucker-2, CP is rs = rc = 1 with
 * a full kernel. `ranks` are rs in 1…S and rc in 1…C; G · rs may exceed S, and G · rc C.
 *
 * It starts from Tucker-2 approximations of what earlier blocks have left, and improves all by alternating least
 * squares, damped and extrapolated as in `cp`, with the norms of whole blocks in the place of those of rank-one terms.
 * Blocks whose norms diverge while they cancel are refused likewise. The result is a local optimum, or near it.
 *
 * Throws a LinalgError: 'not-finite', 'bad-argument', 'degenerate', or the engine's.
 */
export function blockTerm<T extends Numbers>(
  linalg: Linalg,
  x: Tensor<T>,
  blocks: number,
  ranks: readonly [number, number],
  options: BlockTermOptions = {},
): BlockTerm<T> {
  const { tolerance = 1e-5, maxSweeps = 50, damping = 1e-4, maxDegeneracy = 20 } = options;
  const { onProgress = () => {} } = options;
  const task = `Block-term decomposition of a ${x.dims.join(' × ')} tensor`;
  requireThat(x.dims.length >= 2, task, 'it takes output and input channels at least.');
  requireThat(Number.isInteger(blocks) && blocks >= 1, task, `${blocks} blocks cannot be.`);
  for (const [axis, rank] of ranks.entries()) {
    requireThat(
      Number.isInteger(rank) && rank >= 1 && rank <= x.dims[axis]!,
      task,
      `the rank of mode ${axis} must be a whole number from 1 to ${x.dims[axis]}, not ${rank}.`,
    );
  }
  const { x: scaled, scale, energy } = scaleTensor(task, x);
  const [outputs, inputs, ...kernel] = x.dims as [number, number, ...number[]];
  const positions = kernel.reduce((a, b) => a * b, 1);
  const [rs, rc] = ranks;
  if (energy === 0) {
    const zeros = (length: number) => zerosLike(x.data, length);
    return {
      left: matrix(outputs, blocks * rs, zeros(outputs * blocks * rs)),
      right: matrix(inputs, blocks * rc, zeros(inputs * blocks * rc)),
      cores: tensor([blocks, rs, rc, ...kernel], zeros(blocks * rs * rc * positions)),
      ...{ error: 0, errors: [], sweeps: 0, degeneracy: 0 },
    };
  }
  const single = x.data instanceof Float32Array;
  const descent = createDescent(energy, single, { tolerance, maxSweeps, damping, onProgress });
  const whole: ChannelTensor<T> = {
    ...{ outputs, positions, inputs },
    data: permuteAxes(scaled.data, [outputs, inputs, positions], [0, 2, 1]),
  };
  // One block starts at its optimum, for which X itself is needed.
  const small =
    blocks === 1
      ? undefined
      : compressModes(linalg, tensor([outputs, positions, inputs], whole.data), [
          ...[blocks * rs, positions, blocks * rc],
        ]);
  let from: { readonly start: Blocks; readonly residual: number };
  if (small) {
    const [outputs, positions, inputs] = small.core.dims as [number, number, number];
    const core: ChannelTensor<T> = { data: small.core.data, outputs, positions, inputs };
    const { start, residual } = blockTermStart(linalg, core, blocks, ranks);
    const alternation = blockTermAlternation(linalg, core, blocks);
    const found = descent.run(alternation, start, residual, Math.floor(COMPRESSED_SHARE * maxSweeps));
    from = {
      start: { ...found, left: small.expand(0, found.left), right: small.expand(2, found.right) },
      residual: (descent.errors.at(-1) ?? Infinity) ** 2 * energy,
    };
  } else {
    from = blockTermStart(linalg, whole, blocks, ranks);
  }
  const alternation = blockTermAlternation(linalg, whole, blocks);
  const state = descent.run(alternation, from.start, from.residual, maxSweeps);
  const held = state.cores.reduce((sum, core) => sum + sumOfSquares(core.data), 0);
  const degeneracy = Math.sqrt(held / energy);
  if (degeneracy > maxDegeneracy) {
    throw new LinalgError(
      'degenerate',
      `${task}: ${blocks} blocks of ranks ${rs} and ${rc} are ${degeneracy.toPrecision(3)} times as large as the tensor and cancel each other; a best approximation of these ranks may not exist.`,
    );
  }
  const result = balanced(state, positions, x.data, kernel);
  const distance = squaredDistance(whole.data, reconstructed(linalg, result, whole, blocks));
  onProgress(1);
  const cores = { dims: result.cores.dims, data: result.cores.data.map((value) => value / scale) as T };
  return {
    ...(scale === 1 ? result : { ...result, cores }),
    error: Math.sqrt(distance / energy),
    errors: descent.errors,
    sweeps: descent.errors.length,
    degeneracy,
  };
}

/** As the caller gets them: columns instead of rows, the norm of each block spread evenly, in the precision of `like`. */
function balanced<T extends Numbers>(
  { left, right, cores }: Blocks,
  positions: number,
  like: T,
  kernel: readonly number[],
): Pick<BlockTerm<T>, 'left' | 'right' | 'cores'> {
  const count = cores.length;
  const [rs, rc] = [left.rows / count, right.rows / count];
  // With orthonormal sides the norm of a block is its core's.
  const norms = cores.map(({ data }) => Math.sqrt(sumOfSquares(data)));
  const scales = norms.map((norm) => norm ** (1 / 3));
  const side = (rows: Matrix<Float64Array>, rank: number): Matrix<T> => {
    const out = zerosLike(like, rows.data.length);
    for (let r = 0; r < rows.rows; r++) {
      const scale = scales[Math.floor(r / rank)]!;
      for (let i = 0; i < rows.cols; i++) out[i * rows.rows + r] = scale * rows.data[r * rows.cols + i]!;
    }
    return matrix(rows.cols, rows.rows, out);
  };
  const data = zerosLike(like, count * rs * rc * positions);
  for (const [g, core] of cores.entries()) {
    const turned = permuteAxes(core.data, [rs, positions, rc], [0, 2, 1]);
    const scale = norms[g] === 0 ? 0 : 1 / scales[g]! ** 2;
    for (let i = 0; i < turned.length; i++) data[g * turned.length + i] = turned[i]! * scale;
  }
  return { left: side(left, rs), right: side(right, rc), cores: tensor([count, rs, rc, ...kernel], data) };
}

/** X̂ in the layout of `x`, from the rounded factors. */
function reconstructed<T extends Numbers>(
  linalg: Linalg,
  { left, right, cores }: Pick<BlockTerm<T>, 'left' | 'right' | 'cores'>,
  x: ChannelTensor<T>,
  count: number,
): T {
  const { positions, inputs } = x;
  const [rs, rc] = [left.cols / count, right.cols / count];
  const turned = permuteAxes(cores.data, [count * rs, rc, positions], [0, 2, 1]);
  const images = zerosLike(x.data, left.cols * positions * inputs);
  for (let g = 0; g < count; g++) {
    const size = rs * positions;
    const core = matrix(size, rc, turned.subarray(g * size * rc, (g + 1) * size * rc) as T);
    const own = matrix(inputs, rc, zerosLike(x.data, inputs * rc));
    for (let c = 0; c < inputs; c++) {
      own.data.set(right.data.subarray(c * right.cols + g * rc, c * right.cols + (g + 1) * rc), c * rc);
    }
    images.set(linalg.multiply(core, own, { transposeB: true }).data, g * size * inputs);
  }
  return linalg.multiply(left, matrix(left.cols, positions * inputs, images)).data;
}
