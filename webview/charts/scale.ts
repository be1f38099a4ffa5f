/** Where values stand on an axis, and back. */
export interface Scale {
  readonly from: number;
  readonly to: number;
  /** The place of a value in pixels; values beyond the ends stand at the ends. */
  at(value: number): number;
  /** The value at a place, within the ends. */
  of(place: number): number;
}

/** A linear axis from `from`, at the place `start`, to `to`, at the place `end`. */
export function linearScale(from: number, to: number, start: number, end: number): Scale {
  const clamped = (value: number) => Math.min(Math.max(value, Math.min(from, to)), Math.max(from, to));
  return {
    from,
    to,
    at: (value) => (to === from ? start : start + ((clamped(value) - from) / (to - from)) * (end - start)),
    of: (place) => (end === start ? from : clamped(from + ((place - start) / (end - start)) * (to - from))),
  };
}

/**
 * Round values (1, 2 or 5 times a power of ten apart) from `from` to `to`: as many as there may be, `most` at the most, and
 * at least one where `from` < `to`.
 */
export function ticks(from: number, to: number, most: number): readonly number[] {
  if (!(to > from) || most < 1) return [from];
  const least = (to - from) / most;
  const magnitude = 10 ** Math.floor(Math.log10(least));
  for (const factor of [1, 2, 5, 10, 20, 50, 100]) {
    const step = factor * magnitude;
    const first = Math.ceil(from / step - 1e-9);
    const last = Math.floor(to / step + 1e-9);
    const count = last - first + 1;
    if (count > most) continue;
    // Multiples of a step below 1 are quotients, not products, or 3 × 0.1 would not be 0.3.
    const at = (k: number) => (step < 1 ? k / Math.round(1 / step) : k * step);
    return count > 0 ? Array.from({ length: count }, (_, i) => at(first + i)) : [from];
  }
  return [from];
}

/** The value at `at` on a line through points by ascending x; beyond the ends that of the ends. */
export function interpolate(points: readonly (readonly [x: number, y: number])[], at: number): number {
  const after = points.findIndex(([x]) => x >= at);
  if (after < 0) return points.at(-1)?.[1] ?? Number.NaN;
  const [x2, y2] = points[after]!;
  const before = points[after - 1];
  if (!before || x2 === at || x2 === before[0]) return y2;
  const [x1, y1] = before;
  return y1 + ((y2 - y1) * (at - x1)) / (x2 - x1);
}
