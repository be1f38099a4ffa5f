import { formatShape } from '../../core/format';
import { elementCount } from '../../core/onnx/elements';
import type { DeclaredDim } from '../../core/onnx/model';
import { dataError } from './dataError';
import { declaredShape, type ModelInput } from './modelInput';
import { columnAlong, type SampleColumn } from './sampleColumn';
import type { StoredArray } from './storedArray';

/** An array as the samples of an input. */
export interface FittedArray {
  readonly column: SampleColumn;
  /** Axis of the input along which samples are put together; null: a sample is the whole value. */
  readonly axis: number | null;
  /** The array is one value without an axis of samples: the same for all. */
  readonly isSingle: boolean;
  /** What the array says about open dimensions. */
  readonly sizes: readonly (readonly [symbol: string, size: number])[];
}

/**
 * Finds the samples in an array. In this order: the shape of the input, with any number of entries along `axis`; the
 * input's own shape where it has no such axis; values stacked along one more axis in front; a single sample; samples
 * without the input's axes of size 1; samples of an input of two axes in their own shape. Throws {@link ModelError}
 * ('bad-data') naming both shapes where none fits.
 */
export function fitArray(input: ModelInput, axis: number | null, array: StoredArray): FittedArray {
  const { shape } = array;
  const declared = input.shape;
  if (declared === null) {
    if (shape.length > 0) return { column: columnAlong(array, 0), axis: 0, isSingle: false, sizes: [] };
    return { ...single(array), sizes: [] };
  }
  const others = axis === null ? declared : declared.filter((_, i) => i !== axis);
  if (shape.length === declared.length) {
    if (axis === null) {
      const sizes = matched(declared, shape);
      if (sizes) return { ...single(array), sizes };
    } else {
      const rest = shape.filter((_, i) => i !== axis);
      const sizes = matched(others, rest);
      if (sizes) return { column: columnAlong(array, axis), axis, isSingle: false, sizes };
    }
  }
  if (shape.length === declared.length + 1) {
    const sizes = matched(declared, shape.slice(1));
    if (sizes) return { column: columnAlong(array, 0), axis: null, isSingle: false, sizes };
  }
  if (axis === null) {
    // One number a sample, for an input that takes a list of one.
    const sizes = declared[0] === 1 ? matched(declared.slice(1), shape.slice(1)) : undefined;
    if (sizes && shape.length === declared.length) {
      const column = columnAlong(array, 0, [1, ...shape.slice(1)]);
      return { column, axis: null, isSingle: false, sizes };
    }
  } else {
    const sizes = shape.length === others.length ? matched(others, shape) : undefined;
    if (sizes) {
      const column = columnAlong({ ...array, shape: [1, ...shape] }, 0);
      return { column, axis, isSingle: false, sizes };
    }
    const reshaped = shape.length > 0 ? reshapedSamples(others, shape.slice(1)) : undefined;
    if (reshaped) {
      return { column: columnAlong(array, 0, reshaped.shape), axis, isSingle: false, sizes: reshaped.sizes };
    }
  }
  throw dataError(
    array.label,
    `it holds ${formatShape(shape)} numbers, but the input "${input.name}" takes ${declaredShape(input)}${hint(declared, shape)}`,
  );
}

function single(array: StoredArray): Pick<FittedArray, 'column' | 'axis' | 'isSingle'> {
  const column = columnAlong({ ...array, shape: [1, ...array.shape] }, 0);
  return { column, axis: null, isSingle: true };
}

type Sizes = FittedArray['sizes'];

/** The sizes that symbols take where a shape fits a declared one. */
function matched(declared: readonly DeclaredDim[], shape: readonly number[]): Sizes | undefined {
  if (declared.length !== shape.length) return undefined;
  if (!declared.every((dim, axis) => typeof dim !== 'number' || dim === shape[axis])) return undefined;
  return declared.flatMap((dim, axis) => (typeof dim === 'string' ? [[dim, shape[axis]!] as const] : []));
}

/** Samples that lack axes of size 1 (grey pictures without a channel), or are to be one flat list. */
function reshapedSamples(
  declared: readonly DeclaredDim[],
  sample: readonly number[],
): { readonly shape: readonly number[]; readonly sizes: Sizes } | undefined {
  const sizes = matched(
    declared.filter((dim) => dim !== 1),
    sample.filter((size) => size !== 1),
  );
  if (sizes) {
    const rest = sample.filter((size) => size !== 1);
    return { shape: declared.map((dim) => (dim === 1 ? 1 : rest.shift()!)), sizes };
  }
  const [flat] = declared;
  if (declared.length === 1 && flat === elementCount(sample)) return { shape: [flat], sizes: [] };
  return undefined;
}

/** Pictures with their channels at the other end are the usual mistake. */
function hint(declared: readonly DeclaredDim[], shape: readonly number[]): string {
  if (declared.length !== 4 || shape.length !== 4) return '';
  const [, a, b, c] = shape as [number, number, number, number];
  const [n] = shape as [number];
  if (matched(declared.slice(1), [c, a, b])) {
    return `; its channels stand last, and numpy.transpose(x, (0, 3, 1, 2)) puts them first (${formatShape([n, c, a, b])})`;
  }
  if (matched(declared.slice(1), [b, c, a])) {
    return `; its channels stand first, and numpy.transpose(x, (0, 2, 3, 1)) puts them last (${formatShape([n, b, c, a])})`;
  }
  return '';
}
