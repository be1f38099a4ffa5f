import type { Linalg } from './linalg';
import { type Matrix, matrix } from './matrix';
import { permuteAxes } from './permute';
import { type Tensor, tensor, unfold } from './tensor';

/*
 * The normal equations of one core of a ring, G (q × n × r), for x as N × n × M: `before` are the cores before it,
 * merged (s × N × q), `after` those after it (r × M × s). The unknowns are the pairs (q, r).
 *
 * The matrix B of that least-squares problem, N · M × q · r, is never formed: for a kernel's axis between the channels
 * it would be hundreds of times x. BᵀB comes from the two parts' own Gram matrices. BᵀX comes from x contracted with
 * all cores of the other half of the ring, which all cores of this half share: a dimension tree (Phan, Tichavský &
 * Cichocki 2013, "Fast alternating LS algorithms for high order CANDECOMP/PARAFAC") of two levels.
 */

/** BᵀB, q · r × q · r: the sum over s and s′ of ⟨before(s, q), before(s′, q′)⟩ · ⟨after(r, s), after(r′, s′)⟩. */
export function normalMatrix(
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

/** x contracted with the second half of a ring (u × M × s): a matrix, elements of the first half × u · s. */
export function contractSecondHalf(
  linalg: Linalg,
  x: Tensor<Float64Array>,
  half: Tensor<Float64Array>,
): Matrix<Float64Array> {
  const cols = half.dims[1]!;
  return linalg.multiply(matrix(x.data.length / cols, cols, x.data), unfold(half, [1]));
}

/** x contracted with the first half of a ring (s × N × u): a matrix, s · u × elements of the second half. */
export function contractFirstHalf(
  linalg: Linalg,
  x: Tensor<Float64Array>,
  half: Tensor<Float64Array>,
): Matrix<Float64Array> {
  const rows = half.dims[1]!;
  return linalg.multiply(unfold(half, [0, 2]), matrix(rows, x.data.length / rows, x.data));
}

/**
 * BᵀX, q · r × n, of a core in the first half, from {@link contractSecondHalf}: `between` are the cores from this one to
 * the second half (r × M′ × u).
 */
export function targetInFirstHalf(
  linalg: Linalg,
  contracted: Matrix<Float64Array>,
  before: Tensor<Float64Array>,
  between: Tensor<Float64Array>,
): Matrix<Float64Array> {
  const [s, rows, q] = before.dims as [number, number, number];
  const [r, cols, u] = between.dims as [number, number, number];
  const n = contracted.rows / (rows * cols);
  const x = tensor([rows, n, cols, u, s], contracted.data);
  const part = linalg.multiply(unfold(x, [4, 0, 1]), unfold(between, [1, 2]));
  const whole = linalg.multiply(matrix(s * rows, q, before.data), matrix(s * rows, n * r, part.data), {
    transposeA: true,
  });
  return unknownsByElements(whole, q, n, r);
}

/**
 * The same of a core in the second half, from {@link contractFirstHalf}: `between` are the cores from the first half to
 * this one (u × N′ × q).
 */
export function targetInSecondHalf(
  linalg: Linalg,
  contracted: Matrix<Float64Array>,
  between: Tensor<Float64Array>,
  after: Tensor<Float64Array>,
): Matrix<Float64Array> {
  const [u, rows, q] = between.dims as [number, number, number];
  const [r, cols, s] = after.dims as [number, number, number];
  const n = contracted.cols / (rows * cols);
  const x = tensor([s, u, rows, n, cols], contracted.data);
  const part = linalg.multiply(matrix(u * rows, q, between.data), unfold(x, [1, 2]), { transposeA: true });
  const open = unfold(tensor([q, s, n, cols], part.data), [0, 2]);
  return unknownsByElements(linalg.multiply(open, unfold(after, [2, 1])), q, n, r);
}

/** From q × n × r, however it is cut, to q · r × n. */
function unknownsByElements(
  { data }: Matrix<Float64Array>,
  q: number,
  n: number,
  r: number,
): Matrix<Float64Array> {
  return unfold(tensor([q, n, r], data), [0, 2]);
}
