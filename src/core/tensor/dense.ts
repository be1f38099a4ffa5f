import { type Matrix, matrix, type Numbers, zerosLike } from './matrix';

/** The matrix in the precision of `like`; itself where it is that already. */
export function inPrecision<T extends Numbers>(like: T, a: Matrix): Matrix<T> {
  if (a.data.BYTES_PER_ELEMENT === like.BYTES_PER_ELEMENT) return a as Matrix<T>;
  const data = zerosLike(like, a.data.length);
  data.set(a.data);
  return matrix(a.rows, a.cols, data);
}

/** The columns first … first + count, a copy unless they are all. */
export function columnsOf<T extends Numbers>(a: Matrix<T>, first: number, count: number): Matrix<T> {
  if (first === 0 && count === a.cols) return a;
  const data = zerosLike(a.data, a.rows * count);
  for (let i = 0; i < a.rows; i++) {
    const from = i * a.cols + first;
    data.set(a.data.subarray(from, from + count), i * count);
  }
  return matrix(a.rows, count, data);
}

/** Σ aᵢbᵢ, in double precision. */
export function dot(a: Numbers, b: Numbers): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
