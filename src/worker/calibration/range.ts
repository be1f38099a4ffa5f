/** The range of some numbers; `std` is that of the numbers themselves (divided by n). */
export interface Range {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly std: number;
}

/** Takes numbers in and tells their range; NaN and infinities are counted apart. */
export interface RangeMeter {
  add(value: number): void;
  /** NaN in all of it before a finite number came. */
  range(): Range;
  readonly strange: () => number;
  /** Every number so far was whole. */
  readonly isWhole: () => boolean;
}

export function rangeMeter(): RangeMeter {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let squares = 0;
  let shift = 0;
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
      // Around the first number, so that little cancels out.
      if (count++ === 0) shift = value;
      sum += value - shift;
      squares += (value - shift) ** 2;
    },
    range() {
      if (count === 0) return { min: Number.NaN, max: Number.NaN, mean: Number.NaN, std: Number.NaN };
      const offset = sum / count;
      return { min, max, mean: shift + offset, std: Math.sqrt(Math.max(0, squares / count - offset ** 2)) };
    },
    strange: () => strange,
    isWhole: () => isWhole,
  };
}
