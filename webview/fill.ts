import { plural } from '../src/core/counted';
import { formatNumber } from '../src/core/format';

/** A text with a number of things in the place of `{0}`: for one, and for none or several. */
export type CountText = readonly [one: string, several: string];

/** A text of the host's string table with values in the places of `{0}`, `{1}`, …, as `vscode.l10n.t` has them. */
export function fill(template: string, ...values: readonly (string | number)[]): string {
  return template.replace(/\{(\d+)\}/g, (all, index) => {
    const value = values[Number(index)];
    return typeof value === 'number' ? formatNumber(value) : (value ?? all);
  });
}

/** The same with a number of things first. */
export function fillCount([one, several]: CountText, count: number): string {
  return fill(plural(count, one, several), count);
}

/** "3 of 12 layers": how many there are in all stands last, and decides. */
export function fillPart([one, several]: CountText, part: number, all: number): string {
  return fill(plural(all, one, several), part, all);
}
