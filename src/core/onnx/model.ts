import type { ByteSource } from './byteSource';

/** A half-open byte range `[start, end)` of the model file. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where one length-delimited field stands: tag at `start`, payload from `payload` to `end`. */
export interface FieldSpan extends Span {
  readonly payload: number;
}

/** A sub-message whose length must be written anew when something inside it changes (see `splice.ts`). */
export interface Container extends FieldSpan {
  readonly parent: Container | undefined;
}

/** The number ONNX gives a tensor element type (TensorProto.DataType); names and sizes are in `elements.ts`. */
export type ElementType = number;

/** Where the elements of a tensor are. Nothing is read before somebody asks (`tensorData.ts`). */
export type TensorData =
  /** Little-endian elements in the model file: raw_data, or one packed run of float_data / double_data. */
  | { readonly kind: 'raw'; readonly span: Span }
  /** Typed fields other than one packed float run: onnx-proto decodes the whole message when asked. */
  | { readonly kind: 'typed'; readonly message: Span }
  /** In a file beside the model. Unchecked, as the model states it. */
  | {
      readonly kind: 'external';
      readonly location: string;
      readonly offset: string | undefined;
      readonly length: string | undefined;
    }
  /** No payload at all, which is right for tensors without elements only. */
  | { readonly kind: 'none' };

/** A constant tensor: an initializer, or the value of an attribute. */
export interface Tensor {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: TensorData;
  /** The field that holds it, tag included. */
  readonly span: FieldSpan;
}

/** A sparse tensor: its elements stay in the file. */
export interface SparseTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
}

/** One attribute of a node. */
export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'graph'; readonly value: Graph }
  | { readonly kind: 'graphs'; readonly value: readonly Graph[] }
  /** In the body of a function: takes the value of the caller's attribute of this name. */
  | { readonly kind: 'reference'; readonly value: string }
  | { readonly kind: 'sparse'; readonly value: SparseTensor }
  | { readonly kind: 'type'; readonly value: DeclaredType }
  /** Kept in the file, not interpreted: lists of tensors, of sparse ones, of types. */
  | { readonly kind: 'other' };

export interface Node {
  /** May be empty, and need not be unique. */
  readonly name: string;
  readonly opType: string;
  /** '' is the standard domain, ai.onnx. */
  readonly domain: string;
  /** Value names; '' is an absent optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly span: Span;
}

/** A dimension as a file declares it: a size, a symbol, or unknown. */
export type DeclaredDim = number | string | null;

/** A type as a file declares it. */
export interface DeclaredType {
  readonly kind: 'tensor' | 'sequence' | 'optional' | 'map' | 'other';
  /** Of the tensor, or of the keys of a map; 0 where the file does not say, and for all other kinds. */
  readonly type: ElementType;
  /** null: the file does not say how many dimensions there are. */
  readonly shape: readonly DeclaredDim[] | null;
  /** What a sequence, an optional or a map holds. */
  readonly element?: DeclaredType;
}

/** The declared type of a graph input, output or intermediate. */
export interface ValueInfo extends DeclaredType {
  readonly name: string;
  readonly span: Span;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly initializers: readonly Tensor[];
  /** Names bound by sparse_initializer: known, but not interpreted. */
  readonly sparseInitializers: readonly string[];
  /** What those names are bound to. */
  readonly sparseTensors?: readonly SparseTensor[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Declared types of intermediates. */
  readonly valueInfo: readonly ValueInfo[];
  /** Names that quantization_annotation mentions: tensors it binds must stay. */
  readonly annotated: readonly string[];
  readonly container: Container;
}

/** A model-local function: `nodes` are its body, in terms of `inputs`, `outputs` and `attributes`. */
export interface ModelFunction {
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly Node[];
  readonly opsets: ReadonlyMap<string, number>;
}

/** An ONNX file, scanned but not loaded: structure and small values are here, payloads are byte ranges. */
export interface Model {
  readonly source: ByteSource;
  readonly irVersion: number;
  readonly producer: string;
  /** Domain → version; the standard domain is ''. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: Graph;
  readonly functions: readonly ModelFunction[];
  /** training_info is present (kept verbatim; layers it binds are left alone). */
  readonly hasTraining: boolean;
}
