import { type Matrix, matrix, type Numbers, zerosLike } from './matrix';

/** The transpose, copied in square tiles so that neither side is walked against the cache. */
export function transpose<T extends Numbers>({ rows, cols, data }: Matrix<T>): Matrix<T> {
  const out = zerosLike(data, data.length);
  const tile = 32;
  for (let i0 = 0; i0 < rows; i0 += tile) {
    for (let j0 = 0; j0 < cols; j0 += tile) {
      for (let i = i0; i < Math.min(rows, i0 + tile); i++) {
        for (let j = j0; j < Math.min(cols, j0 + tile); j++) out[j * rows + i] = data[i * cols + j]!;
      }
    }
  }
  return matrix(cols, rows, out);
}
