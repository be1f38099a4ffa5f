import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from '../../src/core/format';
import { mul, sub, symbol } from '../../src/core/onnx/shapes/dim';

/** [what is called, what it gives] */
const cases: readonly (readonly [string, string])[] = [
  [format.formatCount(0), '0'],
  [format.formatCount(999), '999'],
  [format.formatCount(999.6), '1 k'],
  [format.formatCount(18_432), '18.4 k'],
  [format.formatCount(2_360_000), '2.36 M'],
  [format.formatCount(999_600), '1 M'],
  [format.formatCount(15_470_264_320), '15.5 G'],
  [format.formatMacs(null), 'unknown'],
  [format.formatBytes(950), '950 B'],
  [format.formatBytes(9_247_254), '9.25 MB'],
  [format.formatPercent(0.03123), '3.12 %'],
  [format.formatPercent(1), '100 %'],
  [format.formatKept(1250, 1250), '100 %'],
  [format.formatKept(982, 1000), '98.2 %'],
  [format.formatKept(9999, 10_000), '99.99 %'],
  [format.formatKept(0, 3), '0 %'],
  [format.formatChange(200, 90), '−55 %'],
  [format.formatChange(200, 300), '+50 %'],
  [format.formatChange(7, 7), '±0 %'],
  [format.formatMs(0.4213), '0.421 ms'],
  [format.formatMs(2500), '2.5 s'],
  [format.formatShape([64, 'N', null]), '64 × N × ?'],
  [format.formatShape([]), 'scalar'],
  [format.formatShape(null), 'unknown'],
  [format.formatDim(mul(2_100_000_000, symbol('N'))), '2.1 G × N'],
  [format.formatDim(sub(mul(symbol('H'), symbol('W')), 1200)), 'H × W − 1.2 k'],
  [format.formatDim(null), '?'],
];

for (const [actual, expected] of cases)
  test(`a number shown as "${expected}"`, () => assert.equal(actual, expected));
