import { type Matrix, matrix } from './matrix';

/** A + μI, of a square matrix. */
export function withRidge({ rows, cols, data }: Matrix<Float64Array>, mu: number): Matrix<Float64Array> {
  const shifted = data.slice();
  for (let i = 0; i < rows; i++) shifted[i * cols + i] = shifted[i * cols + i]! + mu;
  return matrix(rows, cols, shifted);
}
