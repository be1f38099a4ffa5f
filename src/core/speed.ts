import { formatTimes } from './format';

/** How long something takes against how long it took: faster or slower by so many times ("1.4×"), or about the same. */
export interface Speed {
  readonly kind: 'faster' | 'slower' | 'same';
  readonly times: string;
}

/** Compares two durations; a few per cent are within what two measurements differ. */
export function speedOf(before: number, after: number): Speed {
  const ratio = before / after;
  if (ratio >= 1.05) return { kind: 'faster', times: formatTimes(ratio) };
  if (ratio <= 0.95) return { kind: 'slower', times: formatTimes(1 / ratio) };
  return { kind: 'same', times: formatTimes(1) };
}
