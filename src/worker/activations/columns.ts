/**
 * Where the columns of a matrix stand in an activation, so that one loop serves every operator: row `c · taps + t` of
 * column j is the element at `base(t, j) + c · step`, or zero where there is none.
 */
export interface ColumnSource {
  readonly channels: number;
  /** Elements from one channel to the next. */
  readonly step: number;
  /** Elements of a kernel; 1 where there is none. */
  readonly taps: number;
  /** For columns of one group, by number: writes `base(tap, j)` of each, or −1 for a zero. */
  locate(group: number, columns: Int32Array): (tap: number, bases: Int32Array) => void;
}

/** The matrices of one use of a layer in one run: y = W · p + b for each column, W being S × d. */
export interface LayerColumns {
  /** Separate problems: groups of a convolution, matrices of a batch. */
  readonly groups: number;
  /** Columns of each group: images times positions, or vectors. */
  readonly count: number;
  /** d rows. */
  readonly p: ColumnSource;
  /** S rows. */
  readonly y: ColumnSource;
  /** What the node multiplies W · p by (alpha of Gemm); y has to be divided by it. */
  readonly scale: number;
}

/** Number of rows of a source's matrix. */
export function rowsOf({ channels, taps }: ColumnSource): number {
  return channels * taps;
}

/** Writes columns of a group, `rows × columns.length` and row-major, to the beginning of `out`. */
export function gather(
  source: ColumnSource,
  data: Float32Array,
  group: number,
  columns: Int32Array,
  out: Float32Array,
): void {
  const { channels, step, taps } = source;
  const count = columns.length;
  const bases = new Int32Array(count);
  const zeros = new Int32Array(count);
  const locate = source.locate(group, columns);
  for (let tap = 0; tap < taps; tap++) {
    locate(tap, bases);
    // No branch where it is hot: zeros are read from the first element, and put right afterwards.
    let missing = 0;
    for (let j = 0; j < count; j++) {
      if (bases[j]! >= 0) continue;
      zeros[missing++] = j;
      bases[j] = 0;
    }
    for (let c = 0; c < channels; c++) {
      const from = c * step;
      const to = (c * taps + tap) * count;
      for (let j = 0; j < count; j++) out[to + j] = data[from + bases[j]!]!;
      for (let i = 0; i < missing; i++) out[to + zeros[i]!] = 0;
    }
  }
}
