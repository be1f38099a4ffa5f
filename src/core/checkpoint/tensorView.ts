import { counted } from '../counted';
import { formatNumber } from '../format';
import { elementCount } from '../onnx/elements';
import { ModelError } from '../onnx/modelError';
import { isSequence } from './pickleBuild';
import type { PickleTensor, PickleValue } from './pickleValue';

/** Where a tensor stands in its storage. */
export interface TensorView {
  readonly dims: readonly number[];
  /** In elements; undefined where the elements stand row by row. */
  readonly strides: readonly number[] | undefined;
  /** First byte in the storage, and bytes up to the end of the last element that the strides reach. */
  readonly start: number;
  readonly length: number;
}

/** PyTorch's own limit. */
const MAX_DIMS = 64;

/**
 * Holds what a pickle says of a tensor against the `storageBytes` there are. Throws {@link ModelError} where
 * sizes or strides are no sizes or strides, or reach outside. `label` names file and tensor.
 */
export function viewOf(tensor: PickleTensor, storageBytes: number, label: string): TensorView {
  const { type, storage } = tensor;
  const fail = (what: string) => new ModelError('malformed', `${label} ${what}.`);
  const dims = counts(tensor.dims);
  const strides = counts(tensor.strides);
  const { offset } = tensor;
  if (!dims || !strides || dims.length !== strides.length || !isCount(offset) || !isCount(storage.count)) {
    throw fail('has sizes or strides that are no lists of whole numbers');
  }
  const count = elementCount(dims);
  if (!Number.isSafeInteger(count * type.bits)) {
    throw fail(`claims ${dims.join(' × ')}, more elements than can be counted`);
  }
  const bytes = type.bits / 8;
  const claimed = storage.count * (storage.type ? storage.type.bits / 8 : 1);
  if (claimed > storageBytes) {
    throw new ModelError(
      'truncated',
      `${label} stands in a storage of ${counted(claimed, 'byte')}, but data/${storage.key.slice(0, 200)} has only ${formatNumber(storageBytes)}.`,
    );
  }
  // A slice without elements may begin wherever it likes.
  if (count === 0) return { dims, strides: undefined, start: 0, length: 0 };
  const reach = 1 + dims.reduce((sum, size, d) => sum + (size - 1) * strides[d]!, 0);
  if ((offset + reach) * bytes > claimed) {
    throw fail(
      `needs the bytes ${offset * bytes} to ${(offset + reach) * bytes} of its storage, which has ${claimed}`,
    );
  }
  return {
    dims,
    strides: isRowMajor(dims, strides) ? undefined : strides,
    start: offset * bytes,
    length: reach * bytes,
  };
}

/** Whether the last dimension runs fastest and nothing is left out. Strides of single elements mean nothing. */
function isRowMajor(dims: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let d = dims.length - 1; d >= 0; d--) {
    if (dims[d] !== 1 && strides[d] !== expected) return false;
    expected *= dims[d]!;
  }
  return true;
}

function counts(value: PickleValue): readonly number[] | undefined {
  if (!isSequence(value) || value.items.length > MAX_DIMS) return undefined;
  return value.items.every(isCount) ? (value.items as number[]) : undefined;
}

function isCount(value: PickleValue): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
