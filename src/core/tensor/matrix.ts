import { takeScratch } from './scratch';

/** The element storage of a dense matrix: single or double precision. */
export type Numbers = Float32Array | Float64Array;

/** A dense `rows × cols` matrix, row-major: element (i, j) is `data[i * cols + j]`. */
export interface Matrix<T extends Numbers = Numbers> {
  readonly rows: number;
  readonly cols: number;
  readonly data: T;
}

/** Wraps `data` (row-major, `rows · cols` elements) as a matrix. Throws a RangeError when the length does not fit. */
export function matrix<T extends Numbers>(rows: number, cols: number, data: T): Matrix<T> {
  if (data.length !== rows * cols) {
    throw new RangeError(`A ${rows} × ${cols} matrix needs ${rows * cols} elements, not ${data.length}.`);
  }
  return { rows, cols, data };
}

/** A zero array of the same precision as `like`: its own, or in the scratch of the computation that runs (`scratch.ts`). */
export function zerosLike<T extends Numbers>(like: T, length: number): T {
  const place = takeScratch(length * like.BYTES_PER_ELEMENT);
  const isSingle = like instanceof Float32Array;
  if (!place) return (isSingle ? new Float32Array(length) : new Float64Array(length)) as T;
  const { buffer, offset } = place;
  const array = isSingle
    ? new Float32Array(buffer, offset, length)
    : new Float64Array(buffer, offset, length);
  return array.fill(0) as T;
}
