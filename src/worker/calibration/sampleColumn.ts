import { elementCount } from '../../core/onnx/elements';
import type { ElementType } from '../../core/onnx/model';
import { readEntries, type StoredArray } from './storedArray';

/** The values of one input, sample by sample, read when somebody asks. */
export interface SampleColumn {
  /** For messages: where they come from. */
  readonly label: string;
  /** How many samples there are. */
  readonly count: number;
  /** Of one sample. */
  readonly shape: readonly number[];
  /** As the values are stored: uint8 is what preprocessing scales. */
  readonly type: ElementType;
  /** Reads the samples with these indices (rising, none twice) one after the other, each in C order. */
  read(indices: readonly number[], out: Float64Array): void;
}

/** The entries of an array along an axis, in the given shape of as many elements. */
export function columnAlong(
  array: StoredArray,
  axis: number,
  shape: readonly number[] = array.shape.filter((_, i) => i !== axis),
): SampleColumn {
  return {
    label: array.label,
    count: array.shape[axis]!,
    shape,
    type: array.type,
    read: (indices, out) => readEntries(array, axis, indices, out),
  };
}

/** One value that serves each of `count` samples. */
export function repeated(column: SampleColumn, count: number): SampleColumn {
  return {
    ...column,
    count,
    read(indices, out) {
      const length = elementCount(column.shape);
      if (indices.length === 0) return;
      column.read([0], out.subarray(0, length));
      for (let k = 1; k < indices.length; k++) out.copyWithin(k * length, 0, length);
    },
  };
}

/** Columns of samples of one shape, one behind the other. */
export function joined(columns: readonly SampleColumn[]): SampleColumn {
  const first = columns[0]!;
  if (columns.length === 1) return first;
  const starts: number[] = [];
  let count = 0;
  for (const column of columns) {
    starts.push(count);
    count += column.count;
  }
  const length = elementCount(first.shape);
  return {
    ...first,
    count,
    read(indices, out) {
      let part = 0;
      for (let k = 0; k < indices.length; ) {
        while (indices[k]! >= starts[part]! + columns[part]!.count) part++;
        const end = starts[part]! + columns[part]!.count;
        const within: number[] = [];
        const from = k;
        for (; k < indices.length && indices[k]! < end; k++) within.push(indices[k]! - starts[part]!);
        columns[part]!.read(within, out.subarray(from * length, k * length));
      }
    },
  };
}
