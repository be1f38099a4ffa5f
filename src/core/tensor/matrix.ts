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

/** A fresh zero array of the same precision as `like`. */
export function zerosLike<T extends Numbers>(like: T, length: number): T {
  return (like instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)) as T;
}
