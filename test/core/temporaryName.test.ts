import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTemporaryName, temporaryName } from '../../src/core/compress/temporaryName';

test('a temporary name is known by its target, and no other name is', () => {
  const name = temporaryName('net.onnx', '0123abcd');
  assert.ok(isTemporaryName(name, 'net.onnx'));
  assert.ok(!isTemporaryName(name, 'other.onnx'));
  for (const other of ['net.onnx', '.net.onnx.tmp', '.net.onnx.0123abcd', '.net.onnx.backup.tmp']) {
    assert.ok(!isTemporaryName(other, 'net.onnx'), other);
  }
});
