import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type ByteSource, memorySource } from '../../src/core/onnx/byteSource';
import type { Segment } from '../../src/core/onnx/splice';
import { openFile } from '../../src/worker/fileSource';
import { openOutputFolder } from '../../src/worker/outputFolder';
import { seededNumbers } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

const MIB = 2 ** 20;

function randomBytes(length: number, seed: number): Uint8Array {
  const next = seededNumbers(seed);
  return Uint8Array.from({ length }, () => (next() * 1e6) & 255);
}

/** Segments of all kinds and the bytes they stand for: around a block's length, empty ones, and many small ones. */
function segmentsOf(sources: readonly ByteSource[], content: Uint8Array) {
  const segments: Segment[] = [];
  const parts: Uint8Array[] = [];
  const lengths = [0, 1, 5, MIB - 7, 1, 0, MIB, MIB + 1, 3, 2 * MIB - 1, 100, 100, 2.5 * MIB, 17];
  let at = 0;
  for (const [i, length] of [...lengths, ...lengths].entries()) {
    const start = at % (content.length - length);
    const [end, bytes] = [start + length, content.subarray(start, start + length)];
    const source = sources[i % (sources.length + 1)];
    segments.push(source ? { kind: 'copy', source, start, end } : { kind: 'bytes', bytes: bytes.slice() });
    parts.push(bytes);
    at += length + 11;
  }
  return { segments, expected: Buffer.concat(parts) };
}

test('what is written is what the segments hold, wherever blocks end', async () => {
  const folder = scratchFolder();
  const content = randomBytes(3 * MIB + 123, 1);
  const file = openFile(writeInto(folder, 'source.bin', content));
  const target = path.join(folder, 'target.bin');
  const output = openOutputFolder(target);
  try {
    const { segments, expected } = segmentsOf([file, memorySource('in memory', content)], content);
    const spilled = [content.subarray(5, 1000), content.subarray(MIB, 2 * MIB)].map((part) =>
      output.spill(part),
    );
    const progress: number[] = [];
    const written = await output.write(
      [
        { name: 'target.bin', segments: [...segments, ...spilled] },
        { name: 'target.bin.data', segments: [{ kind: 'bytes', bytes: content }] },
      ],
      undefined,
      (done) => progress.push(done),
    );
    assert.ok(!existsSync(target), 'nothing has its name before it is committed');
    assert.ok(existsSync(written));
    output.commit();
    const all = Buffer.concat([expected, content.subarray(5, 1000), content.subarray(MIB, 2 * MIB)]);
    assert.ok(readFileSync(target).equals(all));
    assert.ok(readFileSync(`${target}.data`).equals(content));
    assert.ok(Math.abs(progress.at(-1)! - 1) < 1e-12);
    assert.ok(progress.every((done, i) => i === 0 || done > progress[i - 1]!));
  } finally {
    output.discard();
    file.close();
  }
  assert.deepEqual(readdirSync(folder).sort(), ['source.bin', 'target.bin', 'target.bin.data']);
});

test('reading into given memory: the same bytes, and it is that memory that comes back', () => {
  const folder = scratchFolder();
  const content = randomBytes(10_000, 2);
  const file = openFile(writeInto(folder, 'source.bin', content));
  try {
    const space = new Uint8Array(5000);
    assert.equal(file.read(333, 5000, space), space);
    assert.deepEqual(space, content.slice(333, 5333));
    assert.deepEqual(file.read(333, 5000), space);
    assert.throws(() => file.read(5001, 5000, space), { code: 'truncated' });
    assert.deepEqual(space, content.slice(333, 5333), 'what fails leaves it as it was');
  } finally {
    file.close();
  }
});
