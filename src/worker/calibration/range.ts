/** The range of some numbers. */
export interface Range {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** Takes numbers in and tells their range; NaN and infinities are counted apart. */
export interface RangeMeter {
  add(value: number): void;
  /** NaN in all three before a finite number came. */
  range(): Range;
  readonly strange: () => number;
  /** Every number so far was whole. */
  readonly isWhole: () => boolean;
}

export function rangeMeter(): RangeMeter {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let count = 0;
  let strange = 0;
  let isWhole = true;
  return {
    add(value) {
      if (!Number.isFinite(value)) {
        strange++;
        return;
      }
      if (value < min) min = value;
      if (value > max) max = value;
      if (isWhole && !Number.isInteger(value)) isWhole = false;
      sum += value;
      count++;
    },
    range: () =>
      count === 0 ? { min: Number.NaN, max: Number.NaN, mean: Number.NaN } : { min, max, mean: sum / count },
    strange: () => strange,
    isWhole: () => isWhole,
  };
}
