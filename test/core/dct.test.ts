import assert from 'node:assert/strict';
import test from 'node:test';
import { atomEnergies, dctBasis, errorOfAtoms, expandInBasis } from '../../src/core/tensor/dct';
import { LinalgError } from '../../src/core/tensor/linalg';
import type { Numbers } from '../../src/core/tensor/matrix';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { tensor } from '../../src/core/tensor/tensor';
import { departure, double, norm, normals, type Precision, single } from './linalgCases';

const linalg = createMlMatrix();

for (const kernel of [[3, 3], [5, 5], [1, 7], [3], [2, 3, 4], [1, 1], []]) {
  test(`[${kernel}]: the cosine basis is square and orthonormal, its first atom constant`, () => {
    const basis = dctBasis(kernel);
    const size = kernel.reduce((a, b) => a * b, 1);
    assert.deepEqual([basis.rows, basis.cols], [size, size]);
    assert.ok(departure(basis, 'rows') < 1e-14);
    for (const value of basis.data.subarray(0, size)) {
      assert.ok(Math.abs(value - 1 / Math.sqrt(size)) < 1e-15);
    }
  });
}

test('atoms go from low to high frequency, each a product of cosines', () => {
  const [a, b, c] = [0, 1, 2].map((u) =>
    [0, 1, 2].map((i) => Math.sqrt((u === 0 ? 1 : 2) / 3) * Math.cos((Math.PI * u * (i + 0.5)) / 3)),
  ) as [number[], number[], number[]];
  const order = [
    [a, a],
    [a, b],
    [b, a],
    [b, b],
    [a, c],
    [c, a],
    [b, c],
    [c, b],
    [c, c],
  ];
  const expected = order.flatMap(([p, q]) => p!.flatMap((x) => q!.map((y) => x * y)));
  const { data } = dctBasis([3, 3]);
  assert.ok(norm(data.map((value, i) => value - expected[i]!)) < 1e-14);
  // Along an axis twice as long the same number of half-waves is half the frequency.
  const long = dctBasis([2, 4]).data.subarray(8, 16);
  assert.ok(Math.abs(long[0]! - long[4]!) < 1e-15 && long[0]! > long[1]!, 'the second atom varies along it');
});

for (const precision of [single, double] as const) {
  const { name, epsilon, from } = precision as Precision<Numbers>;
  test(`${name}: energies add up, the error is what the other atoms hold, all atoms lose nothing`, () => {
    const dims = [6, 5, 3, 3];
    const next = normals(4);
    const x = tensor(dims, from(Array.from({ length: 270 }, (_, i) => next() * (i % 3) + 1)));
    const energies = atomEnergies(linalg, x);
    const total = norm(x.data) ** 2;
    assert.ok(Math.abs(energies.reduce((s, e) => s + e, 0) - total) < 1e-13 * total);
    const basis = dctBasis([3, 3]);
    for (const atoms of [[0], [4, 0, 8], [0, 1, 2, 3, 4, 5, 6, 7, 8], []]) {
      const coefficients = expandInBasis(linalg, x, atoms);
      assert.deepEqual(coefficients.dims, [6, 5, atoms.length]);
      assert.equal(coefficients.data.constructor, x.data.constructor);
      let lost = 0;
      for (let filter = 0; filter < 30; filter++) {
        for (let i = 0; i < 9; i++) {
          let value = x.data[filter * 9 + i]!;
          for (const [k, atom] of atoms.entries()) {
            value -= coefficients.data[filter * atoms.length + k]! * basis.data[atom * 9 + i]!;
          }
          lost += value * value;
        }
      }
      const measured = Math.sqrt(lost / total);
      assert.ok(Math.abs(errorOfAtoms(energies, atoms) - measured) < 20 * epsilon, `${atoms}: ${measured}`);
    }
    const wave = expandInBasis(linalg, tensor([1, 1, 3, 3], from(basis.data.subarray(36, 45))), [4]);
    assert.ok(Math.abs(wave.data[0]! - 1) < 10 * epsilon, 'an atom is its own expansion');
  });
}

test('a zero tensor has no energy and no error; NaN, infinity and unknown atoms are refused', () => {
  const zero = tensor([2, 3, 3, 3], new Float32Array(54));
  assert.deepEqual([...atomEnergies(linalg, zero)], new Array(9).fill(0));
  assert.equal(errorOfAtoms(atomEnergies(linalg, zero), [0]), 0);
  assert.deepEqual(expandInBasis(linalg, zero, [0, 3]), tensor([2, 3, 2], new Float32Array(12)));
  for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY]) {
    const data = new Float32Array(54);
    data[7] = bad;
    for (const call of [atomEnergies, expandInBasis]) {
      assert.throws(
        () => call(linalg, tensor([2, 3, 3, 3], data), [0]),
        (error) => error instanceof LinalgError && error.code === 'not-finite',
      );
    }
  }
  for (const atom of [9, -1, 0.5]) assert.throws(() => expandInBasis(linalg, zero, [atom]), RangeError);
});
