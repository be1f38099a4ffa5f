import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factorWeight } from '../../src/core/compress/factor';
import { channel } from '../../src/core/compress/methods/channel';
import { energyOfRank, rankOfEnergy } from '../../src/core/compress/spectrum';
import { LinalgError } from '../../src/core/tensor/linalg';
import { matrix } from '../../src/core/tensor/matrix';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { truncatedSvd } from '../../src/core/tensor/truncatedSvd';
import { seededArray } from '../support/onnxModel';

const linalg = createMlMatrix();
const same = <T>(x: T) => x;

for (const [m, n] of [
  [6, 17],
  [17, 6],
  [9, 9],
  [1, 5],
  [5, 1],
] as const) {
  test(`${m} × ${n}: the error of rank r is the tail of the spectrum (Eckart–Young), full rank is exact`, () => {
    const a = matrix(m, n, Float64Array.from(seededArray(m * n, 7 * m + n)));
    const norm = a.data.reduce((s, x) => s + x * x, 0);
    for (let r = 0; r <= Math.min(m, n); r++) {
      const { sigma, left, right } = truncatedSvd(linalg, a, r);
      assert.equal(sigma.length, Math.min(m, n));
      const product = r === 0 ? matrix(m, n, new Float64Array(m * n)) : linalg.multiply(left, right);
      const error = a.data.reduce((s, x, i) => s + (x - product.data[i]!) ** 2, 0);
      const tail = sigma.slice(r).reduce((s, x) => s + x * x, 0);
      assert.ok(Math.abs(error - tail) <= 1e-12 * norm, `rank ${r}: ${error} against ${tail}`);
    }
  });
}

test('a balanced split: both factors carry √σ', () => {
  const a = matrix(4, 4, Float32Array.from([8, 0, 0, 0, 0, 4, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]));
  const { sigma, left, right } = truncatedSvd(linalg, a, 2);
  assert.deepEqual(
    [...sigma].map((s) => Math.round(s * 1e6) / 1e6),
    [8, 4, 2, 1],
  );
  const columnNorm = (k: number) => Math.hypot(...[0, 1, 2, 3].map((i) => left.data[i * 2 + k]!));
  const rowNorm = (k: number) => Math.hypot(...[0, 1, 2, 3].map((j) => right.data[k * 4 + j]!));
  for (const [k, s] of [8, 4].entries()) {
    assert.ok(Math.abs(columnNorm(k) - Math.sqrt(s)) < 1e-6);
    assert.ok(Math.abs(rowNorm(k) - Math.sqrt(s)) < 1e-6);
  }
});

test('zero, rank-deficient and huge weights have their exact answers; NaN and infinity are refused', () => {
  const zero = truncatedSvd(linalg, matrix(3, 4, new Float32Array(12)), 2);
  assert.deepEqual([...zero.left.data, ...zero.right.data], new Array(6 + 8).fill(0));
  const one = matrix(
    3,
    4,
    Float32Array.from({ length: 12 }, (_, i) => (Math.floor(i / 4) + 1) * ((i % 4) + 1)),
  );
  const full = truncatedSvd(linalg, one, 3);
  const product = linalg.multiply(full.left, full.right);
  for (const [i, x] of one.data.entries()) assert.ok(Math.abs(x - product.data[i]!) < 1e-5);
  const huge = truncatedSvd(linalg, matrix(2, 2, Float64Array.from([1e200, 0, 0, 1e199])), 1);
  assert.ok(Math.abs(huge.sigma[0]! / 1e200 - 1) < 1e-12, 'squares would overflow');
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => truncatedSvd(linalg, matrix(2, 2, Float32Array.from([1, 2, bad, 4])), 1),
      (error) => error instanceof LinalgError && error.code === 'not-finite',
    );
  }
});

test('small singular values of double-precision weights are not lost in a Gram matrix', () => {
  const sigma = [1, 1e-9];
  const rotate = (t: number) => [Math.cos(t), -Math.sin(t), Math.sin(t), Math.cos(t)];
  const [u, v] = [rotate(0.3), rotate(1.1)];
  const data = Float64Array.from({ length: 4 }, (_, at) => {
    const [i, j] = [at >> 1, at & 1];
    return sigma.reduce((s, value, k) => s + u[2 * i + k]! * value * v[2 * j + k]!, 0);
  });
  const { sigma: found } = truncatedSvd(linalg, matrix(2, 2, data), 2);
  assert.ok(Math.abs(found[1]! / 1e-9 - 1) < 1e-5, `${found[1]}`);
});

test('groups are factored one by one, their spectra added', () => {
  const form = {
    kind: 'conv',
    isTransposed: false,
    outChannels: 6,
    groupChannels: 4,
    groups: 2,
    kernel: [1],
    calls: [],
  } as const;
  const weight = seededArray(2 * 3 * 4, 5);
  const candidate = channel(form);
  const spectrum = candidate.series[0]!.measure(linalg, weight, () => {});
  const { factors, weightError } = factorWeight(linalg, weight, candidate, [2], same);
  const norm = weight.reduce((s, x) => s + x * x, 0);
  assert.ok(Math.abs(spectrum.total - norm) < 1e-5);
  assert.deepEqual(
    factors.map((f) => f.length),
    [16, 12],
  );
  assert.ok(Math.abs(weightError ** 2 - (1 - energyOfRank(spectrum, 2))) < 1e-6);
});

test('the energy rule takes the smallest rank that is enough, and inverts energyOfRank', () => {
  const spectrum = { energies: Float64Array.from([16, 8, 4, 2, 1, 1]), total: 32 };
  assert.equal(energyOfRank(spectrum, 2), 0.75);
  assert.equal(rankOfEnergy(spectrum, 0.75), 2);
  assert.equal(rankOfEnergy(spectrum, 0.7501), 3);
  assert.equal(rankOfEnergy(spectrum, 1), 6);
  assert.equal(rankOfEnergy(spectrum, 0), 1);
});
