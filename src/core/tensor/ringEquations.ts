import type { Linalg } from './linalg';
import { type Matrix, matrix } from './matrix';
import { permuteAxes } from './permute';
import { type Tensor, tensor, unfold } from './tensor';

/**
 * The normal equations of one core of a ring, G (q × n × r), with the cores before it merged to `before` (s × N × q)
 * and those after it to `after` (r × M × s), for x as N × n × M. The unknowns are the pairs (q, r).
 *
 * The matrix B of that least-squares problem, N · M × q · r, is never formed: for a kernel's axis between the channels it
 * would be hundreds of times x. BᵀB comes from the two parts' own Gram matrices, BᵀX from contracting x with one part
 * and then with the other.
 */
export function normalEquations(
  linalg: Linalg,
  x: Tensor<Float64Array>,
  before: Tensor<Float64Array>,
  n: number,
  after: Tensor<Float64Array>,
): { readonly normal: Matrix<Float64Array>; readonly target: Matrix<Float64Array> } {
  return { normal: normalMatrix(linalg, before, after), target: normalTarget(linalg, x, before, n, after) };
}

/** BᵀB, q · r × q · r: the sum over s and s′ of ⟨before(s, q), before(s′, q′)⟩ · ⟨after(r, s), after(r′, s′)⟩. */
function normalMatrix(
  linalg: Linalg,
  before: Tensor<Float64Array>,
  after: Tensor<Float64Array>,
): Matrix<Float64Array> {
  const [s, , q] = before.dims as [number, number, number];
  const r = after.dims[0]!;
  const left = tensor([s, q, s, q], linalg.gram(unfold(before, [0, 2])).data);
  const right = tensor([r, s, r, s], linalg.gram(unfold(after, [0, 2])).data);
  const product = linalg.multiply(unfold(left, [1, 3]), unfold(right, [0, 2]), { transposeB: true });
  return matrix(q * r, q * r, permuteAxes(product.data, [q, q, r, r], [0, 2, 1, 3]));
}

/** BᵀX, q · r × n: the longer part goes first, it shrinks x the most. */
function normalTarget(
  linalg: Linalg,
  x: Tensor<Float64Array>,
  before: Tensor<Float64Array>,
  n: number,
  after: Tensor<Float64Array>,
): Matrix<Float64Array> {
  const [s, rowsBefore, q] = before.dims as [number, number, number];
  const [r, colsAfter] = after.dims as [number, number, number];
  if (rowsBefore > colsAfter) {
    const first = linalg.multiply(unfold(before, [0, 2]), matrix(rowsBefore, n * colsAfter, x.data));
    const half = unfold(tensor([s, q, n, colsAfter], first.data), [1, 2]);
    const whole = linalg.multiply(half, unfold(after, [2, 1]));
    return matrix(q * r, n, permuteAxes(whole.data, [q, n, r], [0, 2, 1]));
  }
  const first = linalg.multiply(matrix(rowsBefore * n, colsAfter, x.data), unfold(after, [1]));
  const half = unfold(tensor([rowsBefore, n, r, s], first.data), [3, 0]);
  const whole = linalg.multiply(matrix(s * rowsBefore, q, before.data), half, { transposeA: true });
  return matrix(q * r, n, permuteAxes(whole.data, [q, n, r], [0, 2, 1]));
}
