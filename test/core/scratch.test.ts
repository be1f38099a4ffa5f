import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zerosLike } from '../../src/core/tensor/matrix';
import { createScratch, takeScratch } from '../../src/core/tensor/scratch';

const MIB = 2 ** 20;
const floats = new Float32Array(0);
const doubles = new Float64Array(0);
const isOwn = (array: Float32Array | Float64Array) => array.byteLength === array.buffer.byteLength;

/** Arrays of these lengths, each filled with its own number. */
const filled = (lengths: readonly number[]) =>
  lengths.map((length, i) => zerosLike(i % 2 === 0 ? floats : doubles, length).fill(i + 1));

test('without a computation in a scratch an array has its own memory', () => {
  createScratch(MIB).run(() => zerosLike(floats, 50_000));
  assert.ok(isOwn(zerosLike(floats, 50_000)));
  assert.equal(takeScratch(MIB), undefined);
});

test('arrays of one computation are apart, and zero however the memory was left', () => {
  const scratch = createScratch(8 * MIB);
  const lengths = [30_001, 20_003, 10_007, 55_555];
  scratch.run(() => filled(lengths));
  scratch.run(() => {
    const arrays = filled(lengths);
    assert.ok(
      arrays.every((array) => !isOwn(array)),
      'there is room for all of them',
    );
    for (const [i, array] of arrays.entries()) {
      assert.equal(array.length, lengths[i]);
      assert.ok(
        array.every((x) => x === i + 1),
        `array ${i} was written to by another`,
      );
    }
  });
  scratch.run(() => {
    for (const length of lengths) assert.ok(zerosLike(doubles, length).every((x) => x === 0));
  });
});

test('the same computation again takes the same memory, and no more', () => {
  const scratch = createScratch(64 * MIB);
  const compute = () => filled([100_000, 300_000, 50_000]).map(({ buffer }) => buffer);
  scratch.run(compute);
  const held = scratch.bytes();
  const first = scratch.run(compute);
  for (let i = 0; i < 5; i++) {
    const again = scratch.run(compute);
    assert.ok(again.every((buffer, k) => buffer === first[k]));
  }
  assert.equal(scratch.bytes(), held);
  // A larger one adds what is missing; the memory that was there stays in use.
  const larger = () => filled([100_000, 300_000, 50_000, 400_000]);
  scratch.run(larger);
  const grown = scratch.bytes();
  assert.ok(grown > held && grown <= held + Math.ceil((400_000 * 8) / MIB + 1) * MIB, `${held}, ${grown}`);
  assert.ok(scratch.run(larger).every((array) => !isOwn(array)));
  assert.equal(scratch.bytes(), grown);
});

test('beyond the limit arrays are made as ever, and small ones always', () => {
  const scratch = createScratch(2 * MIB);
  const compute = () => [zerosLike(floats, 200_000), zerosLike(floats, MIB), zerosLike(floats, 100)] as const;
  for (let i = 0; i < 3; i++) scratch.run(compute);
  assert.equal(scratch.bytes(), 2 * MIB);
  const [inside, tooLarge, small] = scratch.run(compute);
  assert.ok(!isOwn(inside) && isOwn(tooLarge));
  assert.equal(small.buffer === inside.buffer, false);
});

test('no array is all of a block: one that is all of its buffer may be handed over', () => {
  const scratch = createScratch(8 * MIB);
  const whole = () => zerosLike(doubles, MIB / 8);
  scratch.run(whole);
  assert.ok(!isOwn(scratch.run(whole)));
});

test('a computation that fails leaves the scratch as usable as one that ends', () => {
  const scratch = createScratch(8 * MIB);
  const compute = () => zerosLike(floats, 100_000).fill(1).buffer;
  const fail = () => {
    compute();
    throw new Error('no');
  };
  assert.throws(() => scratch.run(fail), /no/);
  assert.equal(takeScratch(MIB), undefined);
  const held = scratch.bytes();
  assert.throws(() => scratch.run(fail), /no/);
  assert.equal(scratch.run(compute), scratch.run(compute));
  assert.equal(scratch.bytes(), held);
});

test('one scratch in another: the inner one is used until it ends', () => {
  const [outer, inner] = [createScratch(4 * MIB), createScratch(4 * MIB)];
  const make = () => zerosLike(floats, 100_000).buffer;
  outer.run(make);
  inner.run(make);
  const [before, within, after] = outer.run(() => [make(), inner.run(make), make()] as const);
  assert.notEqual(before, within);
  assert.notEqual(after, within);
});
