import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readCheckpoint } from '../../src/core/checkpoint/checkpoint';
import { isReadableFloat, readCheckpointFloats } from '../../src/core/checkpoint/checkpointData';
import { elementCount } from '../../src/core/onnx/elements';
import { ModelError } from '../../src/core/onnx/modelError';
import { concat, fileOf, random } from '../support/checkpointFiles';

const folder = path.resolve('test/models/checkpoints');
const files = readdirSync(folder)
  .filter((name) => /\.(pt|ckpt|safetensors)$/.test(name))
  .map((name) => ({ name, bytes: new Uint8Array(readFileSync(path.join(folder, name))) }));

/** Reads whatever there is to read. Refusals are fine; anything else thrown is a bug. */
function readAll(name: string, bytes: Uint8Array): boolean {
  try {
    const { source, tensors } = readCheckpoint(fileOf(bytes, name));
    for (const tensor of tensors) {
      const { offset, length } = tensor.where;
      assert.ok(offset >= 0 && length >= 0 && offset + length <= bytes.length, tensor.name);
      if (isReadableFloat(tensor.type) && elementCount(tensor.dims) < 1e6)
        readCheckpointFloats(source, tensor);
    }
    return true;
  } catch (error) {
    if (error instanceof ModelError && /\.$/.test(error.message) && error.message.startsWith(name))
      return false;
    throw error;
  }
}

test('a cut anywhere in Python’s own files is refused', () => {
  for (const { name, bytes } of files) {
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(readAll(name, bytes.subarray(0, length)), false, `${name} cut at ${length}`);
    }
  }
});

test('Python’s own files with damage are read or refused: 12,000 of them', () => {
  const next = random(2024);
  const below = (limit: number) => Math.floor(next() * limit);
  const damages: readonly ((bytes: Uint8Array) => Uint8Array)[] = [
    (bytes) => replaced(bytes, below(bytes.length), Uint8Array.of(below(256))),
    (bytes) => replaced(bytes, below(bytes.length), Uint8Array.of(bytes[below(bytes.length)]!)),
    // Numbers at the edges, as wide as the formats' own.
    (bytes) =>
      replaced(
        bytes,
        below(bytes.length),
        new Uint8Array([1, 2, 4, 8][below(4)]!).fill([0, 0x7f, 0xff][below(3)]!),
      ),
    // An opcode, or a few, in the place of others.
    (bytes) =>
      replaced(
        bytes,
        below(bytes.length),
        Uint8Array.of(...[...'()]}NQRabcehjoqrstu012.'].map((c) => c.charCodeAt(0)).slice(below(20), 22)),
      ),
    (bytes) => {
      const [from, to, length] = [below(bytes.length), below(bytes.length), 1 + below(40)];
      return replaced(bytes, to, bytes.slice(from, from + length));
    },
    (bytes) => {
      const at = below(bytes.length);
      return concat(bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + below(8))));
    },
    (bytes) => {
      const at = below(bytes.length);
      return concat(
        bytes.subarray(0, at),
        bytes.subarray(below(bytes.length)).slice(0, 8),
        bytes.subarray(at),
      );
    },
  ];
  let read = 0;
  for (let round = 0; round < 12_000; round++) {
    const { name, bytes } = files[below(files.length)]!;
    let damaged: Uint8Array = bytes;
    for (let times = 1 + below(3); times > 0; times--) damaged = damages[below(damages.length)]!(damaged);
    if (readAll(name, damaged)) read++;
  }
  // The damage reaches what is behind the first checks, and does not miss either.
  assert.ok(read > 600 && read < 11_400, `${read} of 12,000 were read`);
});

/** The same bytes with others in the place of some, as far as there is room. */
function replaced(bytes: Uint8Array, at: number, by: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy.set(by.subarray(0, bytes.length - at), at);
  return copy;
}
