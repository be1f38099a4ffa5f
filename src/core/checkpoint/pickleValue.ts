import type { TensorType } from './tensorType';

/**
 * What the pickle machine can build: plain data, and descriptions of tensors. Anything else in a pickle is a
 * {@link PickleObject}, of which only the name of its class is known. Values may hold each other in circles.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleSequence
  | PickleDict
  | PickleGlobal
  | PickleStorage
  | PickleTensor
  | PickleObject;

/** A list, tuple, set or `torch.Size`. */
export interface PickleSequence {
  readonly kind: 'list' | 'tuple' | 'set';
  readonly items: PickleValue[];
}

/** A dict, OrderedDict, defaultdict or Counter, in the order of insertion. Keys are compared as a Map does. */
export interface PickleDict {
  readonly kind: 'dict';
  readonly entries: Map<PickleValue, PickleValue>;
}

/** A class or function, by name only: `module.name`. Nothing is ever imported or called. */
export interface PickleGlobal {
  readonly kind: 'global';
  readonly name: string;
}

/** A torch storage: a run of bytes in the archive that tensors are views of. */
export interface PickleStorage {
  readonly kind: 'storage';
  /** null for an untyped one: its elements are bytes, and its tensors name their own type. */
  readonly type: TensorType | null;
  /** Of the entry `data/<key>`. */
  readonly key: string;
  /** Such as "cpu" or "cuda:0"; "meta" has no data. */
  readonly device: string;
  /** Elements: bytes where it is untyped. As the file claims, unchecked. */
  readonly count: PickleValue;
}

/** A view of a storage. Offset, dims and strides are in elements, as the file claims, unchecked. */
export interface PickleTensor {
  readonly kind: 'tensor';
  readonly storage: PickleStorage;
  readonly type: TensorType;
  readonly offset: PickleValue;
  readonly dims: PickleValue;
  readonly strides: PickleValue;
}

/** Something of a class that is not known here. */
export interface PickleObject {
  readonly kind: 'object';
  /** Of the class, or of the function that would have made it. */
  readonly className: string;
  /** Its attributes, when it got any. */
  state: PickleValue | undefined;
  /** When things were put into it by key, as into a dict. */
  entries: Map<PickleValue, PickleValue> | undefined;
}
