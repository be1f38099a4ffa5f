/** Two things timed in turn, and what may be said of them. */
export interface ComparedTimes {
  /** Medians, in milliseconds. */
  readonly firstMs: number;
  readonly secondMs: number;
  /** Whether the second is slower beyond doubt; what can't be told from noise is not. */
  readonly isSlower: boolean;
}

/** Slower by less is not slower: two sessions on the very same model differ by as much, by where their memory lies. */
export const SLOWER_BY = 1.05;

/** Nor is a smaller difference, in milliseconds: calls of the runtime alone vary by that on a busy machine. */
export const LEAST_DIFFERENCE_MS = 0.1;

/** The chance at which equally fast things would be called different by the sign test. */
const CHANCE = 1e-3;

/**
 * Judges times taken in turn, the k-th of the one just before or after the k-th of the other, so that whatever else the
 * machine does meets both: the second is slower where its median is above the first's by a share and a time that mean
 * something, and a sign test of the pairs says that this is no accident. Where there are too few pairs to tell, it is not.
 */
export function comparedTimes(first: readonly number[], second: readonly number[]): ComparedTimes {
  const [firstMs, secondMs] = [median(first), median(second)];
  const pairs = Math.min(first.length, second.length);
  let slower = 0;
  for (let k = 0; k < pairs; k++) if (second[k]! > SLOWER_BY * first[k]!) slower++;
  const isSlower =
    secondMs > SLOWER_BY * firstMs &&
    secondMs - firstMs > LEAST_DIFFERENCE_MS &&
    chanceOf(slower, pairs) < CHANCE;
  return { firstMs, secondMs, isSlower };
}

/** The middle of some numbers; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The chance of so many heads or more in n tosses of a coin. */
function chanceOf(heads: number, n: number): number {
  // Σ C(n, k) / 2ⁿ from k = heads, by logarithms: 2ⁿ soon leaves the range of numbers.
  let term = -n * Math.LN2;
  let sum = 0;
  for (let k = 0; k <= n; k++) {
    if (k >= heads) sum += Math.exp(term);
    term += Math.log((n - k) / (k + 1));
  }
  return Math.min(1, sum);
}
