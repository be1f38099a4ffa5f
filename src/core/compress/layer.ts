import type { Constant } from '../onnx/constants';
import type { Graph, Node } from '../onnx/model';

/** Sizes of one application of a convolution; null where unknown. */
export interface ConvCall {
  /** Images per inference, the trips of a loop around it included. */
  readonly batch: number | null;
  /** Spatial sizes in front of and behind the layer. */
  readonly inputSize: readonly number[] | null;
  readonly outputSize: readonly number[] | null;
}

/** A convolution: weight `[outChannels, groupChannels, ...kernel]`, or, transposed, `[channels, groupOut, ...kernel]`. */
export interface ConvForm {
  readonly kind: 'conv';
  readonly isTransposed: boolean;
  readonly outChannels: number;
  /** Input channels of one group. */
  readonly groupChannels: number;
  readonly groups: number;
  readonly kernel: readonly number[];
  /** One for each node that uses the weight. */
  readonly calls: readonly ConvCall[];
}

/** A product with constant matrices: `x · W` (side right, W is `inner × outer`) or `W · x` (left, `outer × inner`). */
export interface MatMulForm {
  readonly kind: 'matmul';
  readonly side: 'left' | 'right';
  /** transB of Gemm: the weight is stored with its axes swapped. */
  readonly isTransposed: boolean;
  /** Axes in front of the matrix: a batch of matrices, each factored by itself. */
  readonly lead: readonly number[];
  /** Length of the sums. */
  readonly inner: number;
  readonly outer: number;
  /** How many vectors each matrix multiplies per inference; null when unknown. */
  readonly vectors: number | null;
  /** The node is one of com.microsoft's that do more than multiply. */
  readonly isFused: boolean;
  /** Number of axes of x; null when unknown, or not the same for all uses of the weight. */
  readonly inputOrder: number | null;
}

/** Rows of a constant `count × width` matrix, looked up by index. */
export interface EmbeddingForm {
  readonly kind: 'embedding';
  readonly count: number;
  readonly width: number;
  /** Look-ups per inference; null when unknown. */
  readonly lookups: number | null;
}

export type Form = ConvForm | MatMulForm | EmbeddingForm;

/** A BatchNormalization that reads nothing but a layer's output, and can be folded into its weight. */
export interface FoldableNorm {
  readonly node: Node;
  readonly scale: Constant;
  readonly shift: Constant;
  readonly mean: Constant;
  readonly variance: Constant;
  readonly epsilon: number;
}

/** What planning needs to know of a layer, be it of a model or of a checkpoint. */
export interface FormedLayer {
  /** Unique in the file. */
  readonly name: string;
  /** Elements of weight and bias. */
  readonly parameters: number;
  /** Of one element of the weight and its factors; missing where it is not known. */
  readonly elementBytes?: number;
  /** How it may be factored, or why it can't be. */
  readonly form: Form | NoForm;
}

/** A node and the constant it multiplies: the unit that is compressed. Named by its node, else by its output. */
export interface Layer extends FormedLayer {
  readonly node: Node;
  /** The graph the node stands in. */
  readonly graph: Graph;
  readonly weight: Constant;
  /** Index of the weight among the node's inputs. */
  readonly weightInput: number;
  /** The bias, where it is a constant. */
  readonly bias: Constant | undefined;
  /** Further layers with the very same weight, used in the same way: they are factored along with this one. */
  readonly twins: readonly Layer[];
  readonly norm: FoldableNorm | undefined;
  /** The Add behind a product of matrices that is its bias: see `findSum.ts`. Another bias takes its place. */
  readonly sum?: Node | undefined;
}

/** Why a layer stays as it is, as a sentence. */
export interface NoForm {
  readonly kind: 'none';
  readonly reason: string;
}
