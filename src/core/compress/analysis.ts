import type { MethodId, Ranks } from './method';

/** Sizes for symbolic dimensions, by name: `{ N: 1, 'x[2]': 640 }`. */
export type DimBindings = Readonly<Record<string, number>>;

/** Something a person should know about a model or a run; never a reason to stop. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

/** Ranks worth taking, and what they bring. */
export interface Suggestion {
  readonly method: MethodId;
  readonly ranks: Ranks;
  /** Of the layer after factoring. */
  readonly parameters: number;
  /** Of the layer after factoring; null where the shapes are not known. */
  readonly macs: number | null;
  /** Elements of activations alive at once, at the most, in the nodes that take the layer's place; null where unknown. */
  readonly memory: number | null;
  /** Share of ‖W‖² that is kept, or more: for methods with several ranks a lower bound. */
  readonly energy: number;
}

/** The spectrum of a layer's weight in a few figures. */
export interface SpectrumSummary {
  /** The method whose unfolding it is of. */
  readonly method: MethodId;
  /** The rank at which nothing is lost. */
  readonly fullRank: number;
  /** The last rank that saves anything; 0 if none does. */
  readonly breakEven: number;
  /** The smallest ranks that keep these shares of Σ σ². */
  readonly keeping: readonly { readonly energy: number; readonly rank: number }[];
}

/** A node with the constant it multiplies. */
export interface LayerInfo {
  /** Unique in the model: the node's name, or what it computes. */
  readonly name: string;
  readonly op: string;
  /** Name of the tensor that holds the weight. */
  readonly weight: string;
  /** As the node sees it. */
  readonly weightShape: readonly number[];
  /** Elements of the weight, and of the bias where there is one. */
  readonly parameters: number;
  /** Multiply-adds of one inference; null where shapes are not known. */
  readonly macs: number | null;
  /** The MACs per symbol where they depend on dimensions without a size; else null. */
  readonly macsFormula: string | null;
  /** MACs per byte that the layer reads and writes, weights included; null where unknown. */
  readonly intensity: number | null;
  /** Symbols by name, null for unknown; null where not even the order is known. */
  readonly outputShape: readonly (number | string | null)[] | null;
  readonly status: 'compressible' | 'skipped';
  /** Why it is skipped, as a sentence. */
  readonly reason?: string;
  readonly suggestion?: Suggestion;
  /** Why there is none although the layer could be factored. */
  readonly noSuggestion?: string;
  /** Comes with the suggestions: what the singular values say. */
  readonly spectrum?: SpectrumSummary;
}

/** The type of one tensor in the graph. */
export interface TensorInfo {
  readonly type: string;
  readonly shape: readonly (number | string | null)[] | null;
}

/** What reading a model tells, before any weight is touched (but for `suggestion`). */
export interface Analysis {
  readonly file: string;
  /** Checkpoints hold weights but no graph: they are analysed, never rewritten. */
  readonly format: 'onnx' | 'safetensors' | 'pytorch';
  /** Version of the standard operator set; null for checkpoints. */
  readonly opset: number | null;
  /** Of the model file and the external ranges it refers to. */
  readonly bytes: number;
  /**
   * Elements of floating-point constants: `stored` once each, `used` once per use. Running means and variances of
   * BatchNormalization are `statistics` and in neither.
   */
  readonly parameters: { readonly stored: number; readonly used: number; readonly statistics: number };
  /** Multiply-adds of the nodes that could be counted; null when none of them could. */
  readonly macs: number | null;
  /** 2 × macs. */
  readonly flops: number | null;
  /** The MACs per symbol, "2.1 G × N", where they depend on dimensions without a size; else null. */
  readonly macsFormula: string | null;
  /** Operations outside the MACs (normalisation, activation, pooling, …), one each as `otherOps.ts` defines. */
  readonly otherOps: number | null;
  /** Bytes of intermediate values that are alive at once, at the most, run in the order of the file. */
  readonly activationBytes: number | null;
  /** Bytes of the stored constants by element type, largest first. */
  readonly bytesByType: Readonly<Record<string, number>>;
  /** Names of the nodes that multiply but could not be counted. */
  readonly unknownMacs: readonly string[];
  /** Symbolic dimensions of the inputs that no binding gives a size, and that counting needs. */
  readonly freeDims: readonly string[];
  /** Symbolic batch sizes (first axis of an input) that nobody bound: counted as 1. */
  readonly assumedDims: DimBindings;
  readonly layers: readonly LayerInfo[];
  readonly tensors?: Readonly<Record<string, TensorInfo>>;
  readonly problems: readonly Problem[];
}
