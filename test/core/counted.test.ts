import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { counted, plural } from '../../src/core/counted';
import { formatNumber, formatRanks } from '../../src/core/format';
import { fill, fillCount, fillPart } from '../../webview/fill';

describe('numbers of things', () => {
  it('have a form for one, and another for none and several', () => {
    assert.deepEqual(
      [0, 1, 2, 1n, 12_000].map((count) => counted(count, 'layer')),
      ['0 layers', '1 layer', '2 layers', '1 layer', '12,000 layers'],
    );
    assert.equal(counted(3, 'class', 'classes'), '3 classes');
    assert.equal(plural(1, 'is', 'are'), 'is');
    assert.equal(plural(0.5, 'is', 'are'), 'are');
  });

  it('have their digits grouped', () => {
    assert.deepEqual([999, 1000, 1_234_567, 2n ** 53n, 0.25, -1500].map(formatNumber), [
      '999',
      '1,000',
      '1,234,567',
      '9,007,199,254,740,992',
      '0.25',
      '-1,500',
    ]);
    assert.equal(formatRanks([1024, 8]), '1,024 × 8');
  });

  it('are put into the texts of pages', () => {
    const layers = ['1 layer', '{0} layers'] as const;
    assert.deepEqual(
      [0, 1, 10_000].map((count) => fillCount(layers, count)),
      ['0 layers', '1 layer', '10,000 layers'],
    );
    const part = ['{0} of 1 layer', '{0} of {1} layers'] as const;
    assert.equal(fillPart(part, 0, 1), '0 of 1 layer');
    assert.equal(fillPart(part, 1, 12_000), '1 of 12,000 layers');
    assert.equal(fill('{1}: {0}, {2}', 4096, '4096', 0.5), '4096: 4,096, 0.5');
  });
});
