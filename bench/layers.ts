/** A weight of a set, where it stands in the file of weights, and the rank it is cut to. */
export interface BenchLayer {
  readonly dims: readonly number[];
  /** In elements. */
  readonly offset: number;
  /** Of the unfolding by output channels, out × (in · kernel). */
  readonly rows: number;
  readonly cols: number;
  /** A quarter of all singular vectors. */
  readonly rank: number;
}

export function layersOf(shapes: readonly (readonly number[])[]): readonly BenchLayer[] {
  let offset = 0;
  return shapes.map((dims) => {
    const [rows = 1, ...rest] = dims;
    const cols = rest.reduce((a, b) => a * b, 1);
    const layer = { dims, offset, rows, cols, rank: Math.max(1, Math.floor(Math.min(rows, cols) / 4)) };
    offset += rows * cols;
    return layer;
  });
}

/**
 * Floating-point operations of our path, m ≤ n the sides of the unfolding: half a Gram matrix (m²n), its tridiagonal
 * form (4/3 m³), the leading vectors turned back (2m²r), the right factor (2mnr), and the product that measures the
 * error of the factors as written (2mnr). The peers' other ways cost more or less; nobody's are counted.
 */
export function operations({ rows, cols, rank }: BenchLayer): number {
  const [m, n] = [Math.min(rows, cols), Math.max(rows, cols)];
  return m * m * n + (4 / 3) * m ** 3 + 2 * m * m * rank + 4 * m * n * rank;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
