import type { Problem } from '../analysis';
import type { MethodId, Ranks } from '../method';
import type { Verification } from '../report';

/** What became of a layer on the way from one model to the other. */
export type ChangeKind =
  /** The same operator with a weight of the same shape and element type. */
  | 'same'
  /** The same shape, other values; known only once weights were read. */
  | 'values'
  /** One layer before, its factors after. */
  | 'factored'
  /** Factors before, one layer after. */
  | 'merged'
  /** One layer on both sides, with another operator, shape or element type. */
  | 'changed'
  /** Only in the model before. */
  | 'removed'
  /** Only in the model after. */
  | 'added';

/** By what two layers were held to be the same. */
export type MatchedBy =
  /** They compute the tensor of the same name from tensors of the same names. */
  | 'tensors'
  /** Their nodes have the same name. */
  | 'name'
  /** Their weights have the same name. */
  | 'weight'
  /** Same operator and shape, in the same order: a guess. */
  | 'shape';

/** A figure of both models; null where a side has none, or it is unknown. */
export interface BothSides<T = number | null> {
  readonly before: T;
  readonly after: T;
}

/** One row of a comparison: a layer, or what takes its place. */
export interface LayerChange {
  readonly kind: ChangeKind;
  /** The layer's name: in the first model, or for those that were added in the second. */
  readonly name: string;
  readonly op: string;
  readonly matchedBy: MatchedBy | null;
  /** Names of the layers on each side. */
  readonly layers: BothSides<readonly string[]>;
  /** Shapes of the weights on each side, in the order they are applied. */
  readonly shapes: BothSides<readonly (readonly number[])[]>;
  /** The decomposition whose factors have these shapes; null where none has, or nothing was factored. */
  readonly method: MethodId | null;
  readonly ranks: Ranks | null;
  /** Elements of weights and biases. */
  readonly parameters: BothSides;
  readonly macs: BothSides;
  /** Of weights and biases. */
  readonly bytes: BothSides;
  /**
   * ‖W − Ŵ‖ / ‖W‖ (Frobenius) where both weights were read; of a factored layer, with the weight that its factors stand for. Null
   * where they were not read, or don't compare.
   */
  readonly weightError: number | null;
}

/** One of the two models as a whole. */
export interface ComparedFigures {
  readonly file: string;
  readonly bytes: number;
  readonly parameters: number;
  readonly macs: number | null;
  readonly activationBytes: number | null;
  readonly opset: number;
  /** Nodes in all graphs. */
  readonly nodes: number;
  readonly layers: number;
}

/** Two models held against each other, from what their files say. */
export interface ModelComparison {
  readonly before: ComparedFigures;
  readonly after: ComparedFigures;
  /** In the order of the first model, with what the second adds where it adds it. */
  readonly layers: readonly LayerChange[];
  /** Where what they take and give differs. */
  readonly problems: readonly Problem[];
  /** Whether the weights were read, so that equal ones are known to be. */
  readonly weights: boolean;
  /** Both run on the same input, or why they can't be; missing where nobody asked. */
  readonly run?: Verification | { readonly refusal: string };
}

/** Whether anything about the layer is different, as far as is known. */
export function isChanged({ kind }: Pick<LayerChange, 'kind'>): boolean {
  return kind !== 'same';
}
