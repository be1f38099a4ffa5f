import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededUniform } from '../../src/core/tensor/seeded';
import { createFrameReader, framesOf } from '../../src/worker/platform/frames';

/** Messages with arrays through a pipe that cuts them anywhere. */

const MESSAGES: readonly unknown[] = [
  { kind: 'call', id: 1, method: 'open', params: { path: '/a', externalFiles: [], bytes: undefined } },
  null,
  { nothing: new Float32Array(0), more: [new Uint8Array(0), new Int32Array([1, -2])] },
  new Map([['x', { type: 'float32', dims: [2, 2], data: Float32Array.of(1, NaN, -0, Infinity) }]]),
  { big: BigInt64Array.of(2n ** 62n, -1n), words: ['a', 'ü'], other: new Uint16Array(9000).fill(40000) },
  // A part of a larger array travels alone.
  { part: new Float64Array([1, 2, 3, 4]).subarray(1, 3) },
  'text',
];

function joined(messages: readonly unknown[]): Uint8Array {
  return Buffer.concat(messages.flatMap((message) => framesOf(message)));
}

function read(bytes: Uint8Array, pieces: Iterator<number>): unknown[] {
  const found: unknown[] = [];
  const put = createFrameReader((message) => found.push(message));
  for (let at = 0; at < bytes.length; ) {
    const length = pieces.next().value!;
    put(bytes.subarray(at, at + length));
    at += length;
  }
  return found;
}

describe('messages through a pipe', () => {
  it('come as they were sent, in pieces of one byte, of any size, and in one', () => {
    const bytes = joined(MESSAGES);
    const cuts: readonly (() => Generator<number>)[] = [
      function* () {
        for (;;) yield 1;
      },
      function* () {
        for (const next = seededUniform(3); ; ) yield 1 + Math.floor(next() * 300);
      },
      function* () {
        for (;;) yield bytes.length;
      },
    ];
    for (const cut of cuts) assert.deepStrictEqual(read(bytes, cut()), MESSAGES);
  });

  it('give arrays memory of their own', () => {
    const sent = Float32Array.of(1, 2, 3);
    const bytes = joined([{ sent }]);
    const [message] = read(bytes, [bytes.length].values()) as [{ sent: Float32Array }];
    bytes.fill(0);
    assert.deepEqual(message.sent, sent);
    assert.equal(message.sent.byteOffset, 0);
    assert.equal(message.sent.buffer.byteLength, 12);
  });

  it('do not copy the elements of what is sent', () => {
    const sent = new Float32Array(1000);
    const payload = framesOf({ sent }).at(-1)!;
    assert.equal(payload.buffer, sent.buffer);
  });
});
