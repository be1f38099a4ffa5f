import { plural } from '../counted';
import type { Node } from '../onnx/model';
import type { NewNode } from '../onnx/proto';
import type { Linalg, OnProgress } from '../tensor/linalg';
import type { Numbers } from '../tensor/matrix';
import type { Spectrum } from './spectrum';
import type { Unfolding } from './unfolding';

/** All decompositions, in the order they are offered; each is a file in `methods/`. */
export const METHOD_IDS = [
  'svd',
  'channel',
  'input-channel',
  'spatial',
  'tucker2',
  'cp',
  'cp3',
  'tt',
  'tr',
  'btd',
  'group',
  'dcf',
] as const;

/** One of the decompositions. */
export type MethodId = (typeof METHOD_IDS)[number];

/** The methods 'auto' chooses from: those whose error the singular values tell, without nodes that only move data. */
export const AUTO_METHODS: readonly MethodId[] = ['svd', 'channel', 'input-channel', 'spatial', 'tucker2'];

/** The methods whose error is known only after trying them, which takes seconds for a large layer. */
export const TRIED_METHODS: readonly MethodId[] = ['cp', 'cp3', 'tr', 'btd'];

/** What a user asks for: a method, or the best one for each layer. */
export type MethodChoice = 'auto' | MethodId;

/** The ranks of a decomposition, as many as its `rankNames`. */
export type Ranks = readonly number[];

/** What a layer costs; null where the sizes are unknown. */
export interface Cost {
  /** Elements of the weights, without the bias. */
  readonly parameters: number;
  /** Multiply-adds of one inference. */
  readonly macs: number | null;
  /** Elements of activations alive at once, at the most: input and output of the widest of the nodes. */
  readonly memory: number | null;
}

/** Something to be known of a weight before ranks can be chosen for it. */
export interface Series {
  /** The same for equal series of one layer, so that methods share what was computed. */
  readonly key: string;
  /** Multiply-adds it takes, roughly: for progress. */
  readonly work: number;
  /** The unfolding whose singular values these are, if that is what they are. */
  readonly unfolding?: Unfolding;
  /** `weight` is the effective weight as the layer holds it. Throws LinalgErrors. */
  measure(linalg: Linalg, weight: Numbers, onProgress: OnProgress): Spectrum;
}

/** What a predicted error is: that of the factors, the most it can be, or read between settings that were tried. */
export type Certainty = 'exact' | 'bound' | 'estimate';

/** What a sum of such errors is. */
export function leastCertain(parts: readonly Certainty[]): Certainty {
  return parts.find((each) => each === 'estimate') ?? parts.find((each) => each === 'bound') ?? 'exact';
}

/** How the error of a method follows from its ranks. */
export interface Prediction {
  readonly series: readonly Series[];
  /** Predicted ‖W − Ŵ‖² at these ranks; `known` holds one spectrum per series. See {@link certainty}. */
  error(known: readonly Spectrum[], ranks: Ranks): number;
  /** What `error` is at these ranks. */
  certainty(ranks: Ranks): Certainty;
  /** The ranks of the least price whose predicted ‖W − Ŵ‖² is at most `budget`; undefined when none are. */
  within(known: readonly Spectrum[], budget: number, price: (ranks: Ranks) => number): Ranks | undefined;
  /** The most each rank may be; infinite where the factors may outgrow the weight. */
  readonly limits: Ranks;
  /** What "rank r in every layer" may mean here: each rank r, or the most there is. */
  ofRank(rank: number): readonly Ranks[];
}

/** The wanted name, or one like it that nothing in the model has. */
export type FreshName = (wanted: string) => string;

/** What new nodes may ask of the model they go to. */
export interface NodeContext {
  readonly fresh: FreshName;
  /** Version of the standard operator set. */
  readonly opset: number;
  /** Adds a constant vector of int64 and returns its name. */
  ints(wanted: string, values: readonly number[]): string;
  /** Adds a constant scalar of the weight's element type and returns its name. */
  scalar(wanted: string, value: number): string;
}

/** One method applied to one layer: everything that follows from the shapes alone, and how to do it. */
export interface Candidate extends Prediction {
  readonly method: MethodId;
  /** What each of its ranks counts. */
  readonly rankNames: readonly string[];
  /** The largest ranks that make sense. */
  readonly fullRanks: Ranks;
  /** Why it can't have ranks that are within the limits, as a sentence; undefined when it can. */
  takes?(ranks: Ranks): string | undefined;
  /** The layer as it is. */
  readonly dense: Cost;
  /** The factors. */
  cost(ranks: Ranks): Cost;
  /** The multiply-adds that kernels have time for meanwhile, where tiles are known: see `chainWork`. */
  work?(ranks: Ranks): number | null;
  /** Dimensions of the factors as written, in the order they are applied. */
  shapes(ranks: Ranks): readonly (readonly number[])[];
  /** The factors as written, in the order they are applied. Throws LinalgErrors, 'degenerate' among them. */
  factor<T extends Numbers>(linalg: Linalg, weight: T, ranks: Ranks, onProgress?: OnProgress): readonly T[];
  /** The weight that these factors stand for. */
  expand<T extends Numbers>(linalg: Linalg, factors: readonly T[], ranks: Ranks): T;
  /** The nodes that take the place of `node`; `weights` names the factors. */
  nodes(node: Node, weights: readonly string[], ranks: Ranks, context: NodeContext): readonly NewNode[];
}

/** Whether these ranks save parameters and, where they are known, MACs. */
export function saves(candidate: Candidate, ranks: Ranks): boolean {
  const { parameters, macs } = candidate.cost(ranks);
  const { dense } = candidate;
  return (
    parameters < dense.parameters &&
    (macs === null || dense.macs === null || dense.macs === 0 || macs < dense.macs)
  );
}

/** Why a method can't have these ranks, as a sentence; undefined when it can. */
export function checkRanks(
  { method, rankNames, limits, takes }: Candidate,
  ranks: Ranks,
): string | undefined {
  if (ranks.length !== rankNames.length) {
    const names = rankNames.join(', ');
    return `${method} takes ${plural(rankNames.length, 'one rank', `${rankNames.length} ranks (${names})`)}, not ${ranks.length}.`;
  }
  for (const [i, rank] of ranks.entries()) {
    if (!Number.isInteger(rank) || rank < 1) return 'Ranks are whole numbers of at least 1.';
    if (rank > limits[i]!)
      return `${rankNames[i] === 'rank' ? 'The rank' : `"${rankNames[i]}"`} is at most ${limits[i]} here, not ${rank}.`;
  }
  return takes?.(ranks);
}

/** The largest rank that saves anything, of a method with a single rank; 0 if none does, undefined for other methods. */
export function breakEvenRank(candidate: Candidate): number | undefined {
  const [full, ...more] = candidate.fullRanks;
  if (full === undefined || more.length > 0) return undefined;
  let low = 0;
  let high = full;
  // Cost grows with the rank: halve to the last that saves.
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (saves(candidate, [middle])) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function product(values: readonly number[]): number {
  return values.reduce((a, b) => a * b, 1);
}
