import { contractCores } from '../../tensor/coreChain';
import type { Numbers } from '../../tensor/matrix';
import { permuteAxes } from '../../tensor/permute';
import { type Tensor, tensor } from '../../tensor/tensor';
import type { MatMulForm } from '../layer';
import { type Candidate, type Cost, product, type Ranks } from '../method';
import type { Unfolding } from '../unfolding';
import { ringNodes } from './ringNodes';

/** Sizes of a matrix split into modes: inner = ∏ m, outer = ∏ n. */
export interface RingModes {
  readonly m: readonly number[];
  readonly n: readonly number[];
}

/** From this size on a matrix is split into three modes rather than two. */
const THREE_MODES = 512;

/** Inner and outer size as products of two or three factors as even as can be; undefined where one of them has none. */
export function ringModes({ inner, outer }: MatMulForm): RingModes | undefined {
  for (const count of Math.min(inner, outer) >= THREE_MODES ? [3, 2] : [2]) {
    const [m, n] = [balanced(inner, count), balanced(outer, count)];
    if (m && n) return { m, n };
  }
  return undefined;
}

/** `size` as a product of `count` factors above 1, the largest of them as small as can be, ascending. */
function balanced(size: number, count: number): readonly number[] | undefined {
  if (count === 1) return size > 1 ? [size] : undefined;
  let best: readonly number[] | undefined;
  for (let factor = 2; factor ** count <= size; factor++) {
    const rest = size % factor === 0 ? balanced(size / factor, count - 1) : undefined;
    if (rest && rest[0]! >= factor && (!best || rest.at(-1)! < best.at(-1)!)) best = [factor, ...rest];
  }
  return best;
}

/** What a train or a ring states; the rest follows from the modes. */
interface RingSpec
  extends Pick<
    Candidate,
    'rankNames' | 'fullRanks' | 'limits' | 'takes' | 'series' | 'error' | 'certainty' | 'within' | 'ofRank'
  > {
  /** r₀ … r₍d₋₁₎, from the ranks of the method. */
  bonds(ranks: Ranks): Ranks;
  decompose<T extends Numbers>(
    linalg: Parameters<Candidate['factor']>[0],
    x: Tensor<T>,
    ranks: Ranks,
    onProgress: (done: number) => void,
  ): readonly Tensor<T>[];
}

/** The candidate of a train or a ring over the modes of a matrix. */
export function matrixRing(
  form: MatMulForm,
  modes: RingModes,
  method: 'tt' | 'tr',
  { bonds, decompose, ...prediction }: RingSpec,
): Candidate {
  const { inner, outer, vectors } = form;
  const perVector = (amount: number) => (vectors === null ? null : amount * vectors);
  const shapes = (ranks: Ranks) => steps(modes, bonds(ranks)).map(({ rows, cols }) => [rows, cols]);
  return {
    method,
    ...prediction,
    dense: { parameters: inner * outer, macs: perVector(inner * outer), memory: perVector(inner + outer) },
    cost(ranks): Cost {
      const all = steps(modes, bonds(ranks));
      return {
        parameters: all.reduce((sum, { rows, cols }) => sum + rows * cols, 0),
        macs: perVector(all.reduce((sum, { count, rows, cols }) => sum + count * rows * cols, 0)),
        memory: perVector(Math.max(...all.map(({ count, rows, cols }) => count * (rows + cols)))),
      };
    },
    shapes,
    factor: (linalg, weight, ranks, onProgress = () => {}) =>
      written(decompose(linalg, asTensor(form, modes, weight), ranks, onProgress), modes),
    expand(linalg, factors, ranks) {
      const whole = contractCores(linalg, coresWritten(factors, modes, bonds(ranks)));
      return asWeight(form, modes, whole.data);
    },
    nodes: (node, weights, ranks, context) =>
      ringNodes(form, node, steps(modes, bonds(ranks)), weights, context),
  };
}

/** One product of the chain: `count` rows per vector times a constant rows × cols matrix; then `moved` columns go to the front. */
export interface RingStep {
  readonly count: number;
  readonly rows: number;
  readonly cols: number;
  readonly moved: number;
}

/**
 * The products, last mode first. What has been contracted stands in front: [n_{i+1} … n_d, r₀, m₁ … mᵢ, rᵢ], whose last
 * two meet core i. The columns of core i are (rᵢ₋₁, nᵢ), and a transposition brings nᵢ to the front; with the last
 * mode goes r₀, which the first core takes up again.
 */
function steps({ m, n }: RingModes, bonds: Ranks): readonly RingStep[] {
  const last = m.length - 1;
  return m
    .map((mode, i): RingStep => {
      const isFirst = i === last;
      const isLast = i === 0;
      const contracted = product(n.slice(i + 1)) * (isFirst || isLast ? 1 : bonds[0]!);
      const moved = n[i]! * (isFirst ? bonds[0]! : 1);
      return {
        count: contracted * product(m.slice(0, i)),
        rows: mode * (isFirst ? 1 : bonds[i + 1]!) * (isLast ? bonds[0]! : 1),
        cols: moved * (isLast ? 1 : bonds[i]!),
        moved,
      };
    })
    .reverse();
}

/** mᵢ · nᵢ. */
export function pairSizes({ m, n }: RingModes): readonly number[] {
  return m.map((mode, i) => mode * n[i]!);
}

/** Elements of all cores. */
export function parametersOf(modes: RingModes, bonds: Ranks): number {
  return steps(modes, bonds).reduce((sum, { rows, cols }) => sum + rows * cols, 0);
}

/** Axes of the stored weight, split into modes, in the order (m₁, n₁, m₂, n₂, …). */
function pairOrder({ isTransposed }: MatMulForm, { m, n }: RingModes) {
  const count = m.length;
  const [firstM, firstN] = isTransposed ? [count, 0] : [0, count];
  return {
    dims: isTransposed ? [...n, ...m] : [...m, ...n],
    permutation: m.flatMap((_, i) => [firstM + i, firstN + i]),
  };
}

/** The unfolding between the first `after` pairs of modes and the others. */
export function cut(form: MatMulForm, modes: RingModes, after: number): Unfolding {
  return { ...pairOrder(form, modes), batchAxes: 0, rowAxes: 2 * after };
}

/** The weight as a tensor over pairs of modes. */
export function asTensor<T extends Numbers>(form: MatMulForm, modes: RingModes, weight: T): Tensor<T> {
  const { dims, permutation } = pairOrder(form, modes);
  return tensor(pairSizes(modes), permuteAxes(weight, dims, permutation));
}

function asWeight<T extends Numbers>(form: MatMulForm, modes: RingModes, data: T): T {
  const { dims, permutation } = pairOrder(form, modes);
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  return permuteAxes(
    data,
    permutation.map((axis) => dims[axis]!),
    inverse,
  );
}

/** For core i, `[rᵢ₋₁, mᵢ, nᵢ, rᵢ]`, the order of its axes as written: rows (r₀ of the first,) mᵢ, rᵢ, columns (rᵢ₋₁,) nᵢ (, r₀ of the last). */
function writtenOrder(i: number, last: number): readonly number[] {
  if (i === last) return [1, 0, 2, 3];
  return i === 0 ? [0, 1, 3, 2] : [1, 3, 0, 2];
}

function written<T extends Numbers>(cores: readonly Tensor<T>[], { m, n }: RingModes): readonly T[] {
  const last = m.length - 1;
  return cores
    .map(({ dims, data }, i) => permuteAxes(data, [dims[0]!, m[i]!, n[i]!, dims[2]!], writtenOrder(i, last)))
    .reverse();
}

function coresWritten<T extends Numbers>(
  factors: readonly T[],
  { m, n }: RingModes,
  bonds: Ranks,
): readonly Tensor<T>[] {
  const last = m.length - 1;
  return [...factors].reverse().map((data, i) => {
    const dims = [bonds[i]!, m[i]!, n[i]!, bonds[(i + 1) % bonds.length]!];
    const order = writtenOrder(i, last);
    const inverse = order.map((_, axis) => order.indexOf(axis));
    const core = permuteAxes(
      data,
      order.map((axis) => dims[axis]!),
      inverse,
    );
    return tensor([dims[0]!, m[i]! * n[i]!, dims[3]!], core);
  });
}
