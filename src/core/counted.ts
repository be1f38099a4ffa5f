import { formatNumber } from './format';

/**
 * The text for one thing, or that for none or several. A text that is translated is chosen whole, for other languages count in
 * other ways; where they have one form, both are translated alike.
 */
export function plural<T>(count: number | bigint, one: T, several: T): T {
  return Number(count) === 1 ? one : several;
}

/** A number of things in English: "1 sample", "12,000 samples". Both are templates of the engine's texts by themselves. */
export function counted(count: number | bigint, one: string, several = `${one}s`): string {
  return `${formatNumber(count)} ${plural(count, one, several)}`;
}
