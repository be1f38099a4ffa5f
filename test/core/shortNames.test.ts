import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shortNames } from '../../src/core/shortNames';

const check = (names: readonly string[], expected: readonly string[], op = 'Conv') =>
  assert.deepEqual(shortNames(names.map((name) => ({ name, op }))), expected);

test('drops the operator and modules that the next one repeats', () =>
  check(['/features/features.6/features.6.0/Conv', '/fc1/Conv'], ['features.6.0', 'fc1']));

test('drops the path that all layers share', () =>
  check(
    ['/bert/encoder/layer.0/query/MatMul', '/bert/encoder/layer.1/query/MatMul_1'],
    ['layer.0/query', 'layer.1/query'],
    'MatMul',
  ));

test('leaves names alone that would become alike', () =>
  check(['/block/Conv', '/block/Conv_1', '/head/Conv'], ['/block/Conv', '/block/Conv_1', 'head']));

test('leaves plain names and single layers alone', () => {
  check(['conv1', 'conv2'], ['conv1', 'conv2']);
  check(['Conv'], ['Conv']);
  check(['a/b/c'], ['a/b/c']);
  check(['/'], ['/']);
  check([], []);
});
