import type { Node } from '../../onnx/model';
import type { NewNode } from '../../onnx/proto';
import { type Matrix, matrix, type Numbers, zerosLike } from '../../tensor/matrix';
import { permuteAxes } from '../../tensor/permute';
import { truncatedSvd } from '../../tensor/truncatedSvd';
import type { Candidate, Cost, NodeContext, Ranks } from '../method';
import { byTails } from '../prediction';
import { matricesOf, spectrumSeries, type Unfolding } from '../unfolding';

/** One or more constant matrices, each to become the product of a tall and a wide one. */
export interface PairSpec {
  /** How many matrices there are; their axes, as the factors keep them, are `lead`. */
  readonly lead: readonly number[];
  readonly rows: number;
  readonly cols: number;
  /** Stored as cols × rows. */
  readonly isTransposed: boolean;
  /** The factor that is applied first: L (rows × r) or R (r × cols). */
  readonly first: 'left' | 'right';
  readonly dense: Cost;
  cost(rank: number): Cost;
  nodes(node: Node, weights: readonly string[], context: NodeContext): readonly NewNode[];
}

/** W ≈ L · R by truncated singular value decomposition (Denton et al. 2014, §3.2), matrix by matrix. */
export function pair({ lead, rows, cols, isTransposed, first, dense, cost, nodes }: PairSpec): Candidate {
  const count = lead.reduce((a, b) => a * b, 1);
  const unfolding: Unfolding = {
    dims: isTransposed ? [count, cols, rows] : [count, rows, cols],
    permutation: isTransposed ? [0, 2, 1] : [0, 1, 2],
    batchAxes: 1,
    rowAxes: 1,
  };
  const fullRanks = [Math.min(rows, cols)];
  const inOrder = <T>(left: T, right: T): readonly [T, T] =>
    first === 'left' ? [left, right] : [right, left];
  return {
    method: 'svd',
    rankNames: ['rank'],
    fullRanks,
    ...byTails([spectrumSeries(unfolding)], fullRanks),
    dense,
    cost: ([rank = 0]) => cost(rank),
    shapes: ([rank = 0]) => inOrder([...lead, rows, rank], [...lead, rank, cols]),
    factor<T extends Numbers>(
      linalg: Parameters<Candidate['factor']>[0],
      weight: T,
      [rank = 0]: Ranks,
      onProgress = (_: number) => {},
    ) {
      const left = zerosLike(weight, count * rows * rank);
      const right = zerosLike(weight, count * rank * cols);
      for (const [i, a] of matricesOf(weight, unfolding).entries()) {
        const factors = truncatedSvd(linalg, a, rank, (done) => onProgress((i + done) / count));
        left.set(factors.left.data, i * rows * rank);
        right.set(factors.right.data, i * rank * cols);
      }
      return inOrder(left, right);
    },
    expand<T extends Numbers>(
      linalg: Parameters<Candidate['expand']>[0],
      factors: readonly T[],
      [rank = 0]: Ranks,
    ) {
      const [left, right] = inOrder(factors[0]!, factors[1]!);
      const out = zerosLike(left, count * rows * cols);
      const part = (data: T, i: number, r: number, c: number): Matrix<T> =>
        matrix(r, c, data.subarray(i * r * c, (i + 1) * r * c) as T);
      for (let i = 0; i < count; i++) {
        out.set(linalg.multiply(part(left, i, rows, rank), part(right, i, rank, cols)).data, i * rows * cols);
      }
      return isTransposed ? permuteAxes(out, [count, rows, cols], [0, 2, 1]) : out;
    },
    nodes: (node, weights, _, context) => nodes(node, weights, context),
  };
}
