import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METHOD_IDS } from '../../src/core/compress/method';
import { nearestName } from '../../src/core/nearestName';

test('the name that was meant is the one with the least changes', () => {
  for (const [wrong, meant] of [
    ['svdd', 'svd'],
    ['SVD', 'svd'],
    ['tucker', 'tucker2'],
    ['spacial', 'spatial'],
    ['inputchannel', 'input-channel'],
    ['cahnnel', 'channel'],
    ['tr', 'tr'],
  ] as const) {
    assert.equal(nearestName(wrong, METHOD_IDS), meant);
  }
});

test('what is like none of them is none', () => {
  assert.equal(nearestName('quantise', METHOD_IDS), undefined);
  assert.equal(nearestName('', METHOD_IDS), undefined);
  assert.equal(nearestName('svd', []), undefined);
});
