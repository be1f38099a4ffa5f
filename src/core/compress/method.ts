import type { Node } from '../onnx/model';
import type { NewNode } from '../onnx/proto';

/** The decompositions on offer; each is a file in `methods/`. */
export type MethodId = 'svd' | 'channel' | 'spatial';

/** What a user asks for: a method, or the best one for each layer. */
export type MethodChoice = 'auto' | MethodId;

/** All methods, in the order they are offered. */
export const METHOD_IDS: readonly MethodId[] = ['svd', 'channel', 'spatial'];

/**
 * How a weight is laid out as matrices, one per group: the weight of a group, taken as a tensor, has its
 * axes permuted, and the first `rowAxes` of them become the rows.
 */
export interface Unfolding {
  readonly groups: number;
  /** Dimensions of the weight of one group. */
  readonly dims: readonly number[];
  readonly permutation: readonly number[];
  readonly rowAxes: number;
}

/** How the left (rows × r) or right (r × cols) factor of each group becomes one tensor of the new graph. */
export interface Fold {
  readonly side: 'left' | 'right';
  /** The factor of one group as a tensor, before its axes are permuted. */
  readonly dims: readonly number[];
  readonly permutation: readonly number[];
  /** As written: the groups stand one behind the other along the first axis. */
  readonly shape: readonly number[];
}

/** One method applied to one layer: everything that follows from the shapes alone. */
export interface Candidate {
  readonly method: MethodId;
  readonly unfolding: Unfolding;
  /** Of each group's matrix. */
  readonly rows: number;
  readonly cols: number;
  /** min(rows, cols): with this rank the factorisation is exact. */
  readonly maxRank: number;
  /** Elements and multiply-adds of the layer as it is, without its bias. */
  readonly dense: Cost;
  /** The same for the factors at this rank. */
  cost(rank: number): Cost;
  /** The largest rank that saves parameters and, where they are known, MACs too; 0 if there is none. */
  readonly breakEven: number;
  /** The factors as tensors, in the order they are applied. */
  folds(rank: number): readonly [Fold, Fold];
  /** The nodes that take the place of `node`; `weights` names the folded factors, `fresh` makes names unique. */
  nodes(node: Node, weights: readonly [string, string], fresh: FreshName): readonly NewNode[];
}

/** The wanted name, or one like it that nothing in the model has. */
export type FreshName = (wanted: string) => string;

export interface Cost {
  readonly parameters: number;
  /** null where the sizes are unknown. */
  readonly macs: number | null;
}

/** What a method file states; {@link candidate} derives the rest. */
export interface CandidateSpec extends Pick<Candidate, 'method' | 'unfolding' | 'dense' | 'folds' | 'nodes'> {
  /** Of one rank: both are linear in it. */
  readonly perRank: Cost;
}

export function candidate({ perRank, ...spec }: CandidateSpec): Candidate {
  const sizes = spec.unfolding.permutation.map((axis) => spec.unfolding.dims[axis]!);
  const rows = product(sizes.slice(0, spec.unfolding.rowAxes));
  const cols = product(sizes.slice(spec.unfolding.rowAxes));
  const maxRank = Math.min(rows, cols);
  return {
    ...spec,
    rows,
    cols,
    maxRank,
    cost: (rank) => ({
      parameters: rank * perRank.parameters,
      macs: perRank.macs === null ? null : rank * perRank.macs,
    }),
    breakEven: breakEvenRank(maxRank, spec.dense, perRank),
  };
}

/** The largest rank whose cost is strictly below the dense layer's, in every measure that is known. */
function breakEvenRank(maxRank: number, dense: Cost, perRank: Cost): number {
  const below = (budget: number, price: number) => Math.ceil(budget / price) - 1;
  const byParameters = below(dense.parameters, perRank.parameters);
  const byMacs = dense.macs && perRank.macs ? below(dense.macs, perRank.macs) : byParameters;
  return Math.max(0, Math.min(maxRank, byParameters, byMacs));
}

export function product(values: readonly number[]): number {
  return values.reduce((a, b) => a * b, 1);
}

/** Axes in their own order. */
export function identityPermutation(order: number): readonly number[] {
  return Array.from({ length: order }, (_, i) => i);
}
