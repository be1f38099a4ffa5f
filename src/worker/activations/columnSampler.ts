import { seededUniform } from '../../core/tensor/seeded';

/** Chooses some of a series of columns that comes in pieces. */
export interface ColumnSampler {
  /** Numbers, within the next `count` columns, of those that are chosen; rising. */
  take(count: number): Int32Array;
}

/**
 * At most `limit` of `total` columns: one out of each of `limit` stretches of equal length, at random within it, so
 * that no image, no place in an image and no class that the data is sorted by is left out. The same for each
 * call with the same numbers. All are chosen where the limit allows it; of what comes beyond `total`, the same share.
 */
export function columnSampler(total: number, limit: number): ColumnSampler {
  if (limit >= total) return { take: (count) => Int32Array.from({ length: count }, (_, i) => i) };
  const uniform = seededUniform(1);
  let index = 0;
  let start = 0;
  const choose = () => {
    const from = Math.ceil((index * total) / limit);
    const to = Math.ceil((++index * total) / limit);
    return from + Math.floor(uniform() * (to - from));
  };
  let next = choose();
  return {
    take(count) {
      const chosen: number[] = [];
      for (; next < start + count; next = choose()) chosen.push(next - start);
      start += count;
      return Int32Array.from(chosen);
    },
  };
}
