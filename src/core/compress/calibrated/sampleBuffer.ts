import { type Matrix, matrix, type Numbers, zerosLike } from '../../tensor/matrix';

/** How samples lie in a matrix: each is a column (activations of a convolution) or a row (of a matrix product). */
export type SampleLayout = 'columns' | 'rows';

/** Samples kept until there are enough for a product that pays; each is shifted by the first batch's mean. */
export interface SampleBuffer<T extends Numbers> {
  /** What was subtracted, in the precision of the samples. */
  readonly shift: T;
  /** Σ of everything shifted that ever went in. */
  readonly sums: Float64Array;
  /** Σ of the squares likewise, where they are asked for. */
  readonly squares: Float64Array | undefined;
  /** Appends `count` samples of a batch from number `from` on; there must be room. */
  put(batch: Matrix<T>, from: number, count: number): void;
  /** The samples that are in it; valid until the next `put`. */
  samples(): Matrix<T>;
  clear(): void;
}

/** How many samples a batch holds, and how long they are. */
export function batchSize({ rows, cols }: Matrix, layout: SampleLayout) {
  return layout === 'columns' ? { count: cols, size: rows } : { count: rows, size: cols };
}

/** A buffer for `capacity` samples like those of the `first` batch, which is not put in yet. */
export function createSampleBuffer<T extends Numbers>(
  first: Matrix<T>,
  layout: SampleLayout,
  capacity: number,
  withSquares: boolean,
): SampleBuffer<T> {
  const { size } = batchSize(first, layout);
  const shift = meanOf(first, layout);
  const data = zerosLike(first.data, size * capacity);
  const sums = new Float64Array(size);
  const squares = withSquares ? new Float64Array(size) : undefined;
  let filled = 0;

  const take = (value: number, i: number) => {
    sums[i] = sums[i]! + value;
    if (squares) squares[i] = squares[i]! + value * value;
  };
  return {
    shift,
    sums,
    squares,
    put({ cols, data: source }, from, count) {
      if (layout === 'columns') {
        for (let i = 0; i < size; i++) {
          const [at, to] = [i * cols + from, i * capacity + filled];
          const middle = shift[i]!;
          let [sum, square] = [0, 0];
          for (let k = 0; k < count; k++) {
            data[to + k] = source[at + k]! - middle;
            // Of what is kept, rounded: the sums of products are, too.
            const value = data[to + k]!;
            sum += value;
            square += value * value;
          }
          sums[i] = sums[i]! + sum;
          if (squares) squares[i] = squares[i]! + square;
        }
      } else {
        for (let k = 0; k < count; k++) {
          const [at, to] = [(from + k) * cols, (filled + k) * cols];
          for (let i = 0; i < size; i++) {
            data[to + i] = source[at + i]! - shift[i]!;
            take(data[to + i]!, i);
          }
        }
      }
      filled += count;
    },
    samples() {
      if (layout === 'rows') return matrix(filled, size, data.subarray(0, filled * size) as T);
      if (filled === capacity) return matrix(size, capacity, data);
      const compact = zerosLike(data, size * filled);
      for (let i = 0; i < size; i++)
        compact.set(data.subarray(i * capacity, i * capacity + filled), i * filled);
      return matrix(size, filled, compact);
    },
    clear() {
      filled = 0;
    },
  };
}

/** The mean sample in the samples' own precision, so that what is constant becomes exactly zero. */
function meanOf<T extends Numbers>(batch: Matrix<T>, layout: SampleLayout): T {
  const { count, size } = batchSize(batch, layout);
  const mean = zerosLike(batch.data, size);
  const [step, stride] = layout === 'columns' ? [1, batch.cols] : [batch.cols, 1];
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let k = 0; k < count; k++) sum += batch.data[i * stride + k * step]!;
    mean[i] = sum / count;
  }
  return mean;
}
