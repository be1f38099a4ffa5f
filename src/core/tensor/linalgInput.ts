import { LinalgError } from './linalg';
import type { Matrix } from './matrix';

/** What every engine of the {@link Linalg} port checks before it starts, in the same words. `task` names the operation. */

/** Throws 'not-finite' when the matrix holds NaN or infinity. */
export function requireFinite(task: string, ...matrices: Matrix[]): void {
  for (const a of matrices) if (!holdsFinite(a)) throw notFinite(task);
}

/** Whether a matrix holds neither NaN nor infinity. */
export function holdsFinite({ data }: Matrix): boolean {
  // 0 · x is NaN for those values only; one sum is faster than a test per element.
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += 0 * data[i]!;
  return sum === 0;
}

/** The same for a symmetric matrix of which only the lower triangle is read. */
export function requireFiniteLower(task: string, a: Matrix): void {
  let sum = 0;
  for (let i = 0; i < a.rows; i++) for (let j = 0; j <= i; j++) sum += 0 * a.data[i * a.cols + j]!;
  if (sum !== 0) throw notFinite(task);
}

function notFinite(task: string): LinalgError {
  return new LinalgError('not-finite', `${task}: the matrix holds NaN or infinity.`);
}

/** Throws 'bad-argument' with the sentence unless `condition` holds. */
export function requireThat(condition: boolean, task: string, sentence: string): void {
  if (!condition) throw new LinalgError('bad-argument', `${task}: ${sentence}`);
}

/** Throws 'bad-argument' unless the matrix is square. */
export function requireSquare(task: string, a: Matrix): void {
  requireThat(a.rows === a.cols, task, `the matrix must be square, not ${a.rows} × ${a.cols}.`);
}

/** Throws 'bad-argument' unless `count` is a whole number from 0 to `most`. */
export function requireCount(task: string, count: number, most: number): void {
  requireThat(
    Number.isInteger(count) && count >= 0 && count <= most,
    task,
    `the number of vectors must be a whole number from 0 to ${most}, not ${count}.`,
  );
}

/** Throws 'bad-argument' unless the triangle's diagonal has no zero. */
export function requireNonsingular(task: string, l: Matrix): void {
  for (let i = 0; i < l.rows; i++) {
    requireThat(
      l.data[i * l.cols + i] !== 0,
      task,
      `the triangular matrix is singular: its diagonal element ${i} is zero.`,
    );
  }
}

/** The rows and columns of op(M). */
export function shapeOf(a: Matrix, transposed = false): readonly [rows: number, cols: number] {
  return transposed ? [a.cols, a.rows] : [a.rows, a.cols];
}

/**
 * The power of two that brings a largest magnitude into [1, 2) when it is so large or so small that
 * squares of elements would overflow or underflow, else 1. Scaling by it is exact.
 */
export function safeScale(largest: number): number {
  if (largest === 0 || (largest > 2 ** -300 && largest < 2 ** 300)) return 1;
  // 2¹⁰²³ is the largest power of two: a subnormal is scaled as far as that goes.
  return 2 ** Math.min(1023, -Math.floor(Math.log2(largest)));
}
