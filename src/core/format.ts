import type { Dim } from './onnx/shapes/dim';

/** How numbers are shown, everywhere: tree, report, quick picks, terminal. Amounts with three significant digits and SI prefixes. */

const PREFIXES = ['', ' k', ' M', ' G', ' T', ' P'] as const;

/** Three significant digits: 2.36, 23.6, 236, but never 2.360. */
function short(value: number, digits = 3): string {
  return String(Number(value.toPrecision(digits)));
}

/** A number of things: 950, 18.4 k, 2.36 M. */
export function formatCount(value: number): string {
  let scaled = value;
  let prefix = 0;
  // 999,600 would round to "1000 k", so the next prefix starts where rounding leads to it.
  while (Math.abs(Number(scaled.toPrecision(3))) >= 1000 && prefix < PREFIXES.length - 1) {
    scaled /= 1000;
    prefix++;
  }
  return short(scaled) + PREFIXES[prefix]!;
}

/**
 * A number to the last digit: 950, 10,000; fractions as they are. English and Chinese, the languages there are, group digits
 * alike, so no locale is asked for.
 */
export function formatNumber(value: number | bigint): string {
  return typeof value === 'bigint' || Number.isInteger(value) ? value.toLocaleString('en') : String(value);
}

/** The ranks of a layer: 32, or 16 × 24. */
export function formatRanks(ranks: readonly number[]): string {
  return ranks.map(formatNumber).join(' × ');
}

/** Multiply-adds, or the word for not knowing them. */
export function formatMacs(macs: number | null): string {
  return macs === null ? 'unknown' : `${formatCount(macs)}`;
}

/** Longer formulas are no help in a table or a headline. */
const LONGEST_FORMULA = 40;

/** Multiply-adds as a number, as a short formula in open dimensions ("2.1 G × N"), or the word for not knowing. */
export function formatMacsOf({
  macs,
  macsFormula,
}: {
  readonly macs: number | null;
  readonly macsFormula: string | null;
}): string {
  return macs === null && macsFormula !== null && macsFormula.length <= LONGEST_FORMULA
    ? macsFormula
    : formatMacs(macs);
}

/** A size in decimal units: 950 B, 9.25 MB. */
export function formatBytes(bytes: number): string {
  const text = formatCount(bytes);
  return text.includes(' ') ? `${text}B` : `${text} B`;
}

/** A share as a percentage: 0.0312 → "3.12 %". */
export function formatPercent(share: number): string {
  return `${short(100 * share)} %`;
}

/** How many of some things are left, as a percentage that is 100 % only for all of them: 9,999 of 10,000 → "99.99 %". */
export function formatKept(kept: number, count: number): string {
  const percent = (100 * kept) / count;
  for (let digits = 3; digits < 8; digits++) {
    const text = short(percent, digits);
    if (text !== '100' || kept === count) return `${text} %`;
  }
  return `${short(percent, 9)} %`;
}

/** A predicted error as a percentage: "≤ 3.12 %" where it is the most there can be, "≈ 3.12 %" where it is estimated. */
export function formatError(error: number, certainty: 'exact' | 'bound' | 'estimate'): string {
  const sign = { exact: '', bound: '≤ ', estimate: '≈ ' }[certainty];
  return `${sign}${formatPercent(error)}`;
}

/** A share where room is short: 0.5113 → "51 %". */
export function formatShare(share: number): string {
  return `${short(100 * share, 2)} %`;
}

/** A change as a signed percentage: from 200 to 90 is "−55 %"; no change is "±0 %". */
export function formatChange(before: number, after: number, digits = 3): string {
  if (before === after || before === 0) return '±0 %';
  const percent = (100 * (after - before)) / before;
  return `${percent < 0 ? '−' : '+'}${short(Math.abs(percent), digits)} %`;
}

/** How many times as much: 1.06×, 1.4×, 12×. */
export function formatTimes(ratio: number): string {
  return `${Number(ratio < 2 ? ratio.toFixed(2) : ratio.toPrecision(2))}×`;
}

/** A duration: 0.42 ms, 13.1 ms, 2.5 s. */
export function formatMs(ms: number): string {
  return ms < 1000 ? `${short(ms)} ms` : `${short(ms / 1000)} s`;
}

/** Dimensions: "64 × 32 × 3 × 3"; unknown ones as "?", a scalar as "scalar". */
export function formatShape(shape: readonly (number | string | null)[] | null): string {
  if (shape === null) return 'unknown';
  return shape.length === 0 ? 'scalar' : shape.map((d) => d ?? '?').join(' × ');
}

/** A count that may depend on symbols: "2.1 G × N", "5.62 k × H × W + 1.2 k". */
export function formatDim(dim: Dim): string {
  if (dim === null) return '?';
  if (typeof dim === 'number') return formatCount(dim);
  return dim.terms
    .map(({ coefficient, factors }, i) => {
      const size = Math.abs(coefficient);
      const parts = [
        ...(size === 1 && factors.length > 0 ? [] : [formatCount(size)]),
        ...factors.map((f) => f.key),
      ];
      const sign = coefficient < 0 ? '−' : i > 0 ? '+' : '';
      return i > 0 ? ` ${sign} ${parts.join(' × ')}` : sign + parts.join(' × ');
    })
    .join('');
}
