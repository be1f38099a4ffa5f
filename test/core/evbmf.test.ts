import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evbmfRank } from '../../src/core/compress/ranks/evbmf';
import type { Spectrum } from '../../src/core/compress/spectrum';
import { type Matrix, matrix } from '../../src/core/tensor/matrix';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { truncatedSvd } from '../../src/core/tensor/truncatedSvd';
import cases from './data/evbmf.json';
import { double, normals, random } from './linalgCases';

/** A spectrum with these singular values. */
function spectrumOf(sigma: readonly number[], scale = 1): Spectrum {
  const energies = Float64Array.from(sigma, (s) => (scale * s) ** 2);
  return { energies, total: energies.reduce((sum, e) => sum + e, 0) };
}

function close(actual: number, expected: number, tolerance: number, what: string) {
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.abs(expected), `${what}: ${actual}, ${expected}`);
}

for (const { name, rows, cols, sigma, rank, noiseVariance, shrunk } of cases) {
  test(`as an independent minimisation of the free energy: ${name}, ${rows} x ${cols}`, () => {
    const found = evbmfRank(spectrumOf(sigma), rows, cols);
    if (rank === 0) {
      assert.ok(found.kind === 'none' && /stands out/.test(found.reason));
      return;
    }
    assert.ok(found.kind === 'rank');
    assert.equal(found.rank, rank);
    close(found.noiseVariance, noiseVariance, 1e-7, 'noise variance');
    assert.equal(found.shrunk.length, rank);
    for (const [h, value] of shrunk.entries()) close(found.shrunk[h]!, value, 1e-6, `value ${h}`);
  });
}

test('of the random matrices, those far above the noise have the rank they were made with', () => {
  const clear = cases.filter(({ name, rows }) => rows > 1 && /^noise|strength 4/.test(name));
  assert.equal(clear.length, 12);
  for (const { name, rank, trueRank } of clear) assert.equal(rank, trueRank, name);
});

const linalg = createMlMatrix();

function spectrum(a: Matrix): Spectrum {
  return spectrumOf([...truncatedSvd(linalg, a, 0).sigma]);
}

/** A product of normal matrices with `rank` columns, whose least singular value is about `strength` · that of the noise added. */
function noisy(rows: number, cols: number, rank: number, strength: number, seed: number): Matrix {
  const signal = linalg.multiply(random(double, rows, rank, seed), random(double, rank, cols, seed + 1000));
  const noise = random(double, rows, cols, seed + 2000).data;
  const scale = (strength * (Math.sqrt(rows) + Math.sqrt(cols))) / Math.sqrt(rows * cols);
  return matrix(
    rows,
    cols,
    signal.data.map((x, i) => scale * x + noise[i]!),
  );
}

test('nothing stands out of noise alone', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const [rows, cols] = [20 + seed, 20 + 7 * (seed % 11)];
    const found = evbmfRank(spectrum(random(double, rows, cols, seed)), rows, cols);
    assert.equal(found.kind, 'none', `${rows} x ${cols}, seed ${seed}`);
  }
});

test('the rank of what is strong in noise, and the variance of the noise', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const [rows, cols, rank] = [30 + seed, 100 - 2 * seed, 1 + (seed % 6)];
    const found = evbmfRank(spectrum(noisy(rows, cols, rank, 6, seed)), rows, cols);
    assert.ok(found.kind === 'rank' && found.rank === rank, `rank ${rank}, seed ${seed}`);
    close(found.noiseVariance, 1, 0.12, 'noise variance');
  }
});

test('the same at any scale and for the transposed', () => {
  const a = noisy(40, 70, 5, 2, 3);
  const { energies } = spectrum(a);
  const sigma = Array.from(energies, Math.sqrt);
  const plain = evbmfRank(spectrumOf(sigma), 40, 70);
  assert.ok(plain.kind === 'rank');
  assert.deepEqual(evbmfRank(spectrumOf(sigma), 70, 40), plain);
  for (const scale of [1e-100, 1e-20, 3, 1e60]) {
    const scaled = evbmfRank(spectrumOf(sigma, scale), 40, 70);
    assert.ok(scaled.kind === 'rank');
    assert.equal(scaled.rank, plain.rank);
    close(scaled.noiseVariance, plain.noiseVariance * scale ** 2, 1e-12, 'noise variance');
    for (const [h, value] of plain.shrunk.entries()) close(scaled.shrunk[h]!, scale * value, 1e-12, `${h}`);
  }
});

test('what is kept is less than the singular value, in the same order', () => {
  const known = spectrum(noisy(40, 70, 8, 2, 3));
  const found = evbmfRank(known, 40, 70);
  assert.ok(found.kind === 'rank');
  for (const [h, value] of found.shrunk.entries()) {
    assert.ok(value > 0 && value < Math.sqrt(known.energies[h]!));
    assert.ok(h === 0 || value <= found.shrunk[h - 1]!);
  }
});

test('singular values that are not given count as noise: the same answer from the leading ones', () => {
  for (const { rows, cols, sigma, rank } of cases) {
    if (rank === 0) continue;
    const { energies, total } = spectrumOf(sigma);
    const whole = evbmfRank({ energies, total }, rows, cols);
    const leading = evbmfRank({ energies: energies.slice(0, rank + 2), total }, rows, cols);
    assert.ok(whole.kind === 'rank' && leading.kind === 'rank');
    assert.equal(leading.rank, rank);
    close(leading.noiseVariance, whole.noiseVariance, 1e-12, 'noise variance');
  }
});

test('a matrix of low rank keeps all of it: without noise, and with that of rounding', () => {
  const exact = evbmfRank(spectrumOf([5, 2, 1, 0, 0, 0, 0, 0]), 8, 20);
  assert.deepEqual(exact, { kind: 'rank', rank: 3, noiseVariance: 0, shrunk: Float64Array.of(5, 2, 1) });
  for (const noise of [1e-7, 1e-12, 1e-16, 1e-30]) {
    const found = evbmfRank(spectrumOf([5, 2, 1, ...[5, 4, 3, 2, 1].map((x) => x * noise)]), 8, 20);
    assert.ok(found.kind === 'rank' && found.rank === 3, `${noise}`);
    for (const [h, value] of [5, 2, 1].entries()) close(found.shrunk[h]!, value, 1e-12, `${h}`);
  }
});

test('no suggestion, and why: a zero weight, a single row, no decay, and too much weakening', () => {
  const reason = (found: ReturnType<typeof evbmfRank>) => found.kind === 'none' && found.reason;
  assert.equal(reason(evbmfRank(spectrumOf([0, 0]), 2, 3)), 'The weight is zero.');
  assert.match(String(reason(evbmfRank(spectrumOf([4]), 1, 9))), /gives 0/);
  assert.match(String(reason(evbmfRank(spectrumOf([1, 1, 1, 1]), 4, 4))), /gives 0/);
  const known = spectrum(noisy(40, 70, 5, 6, 3));
  assert.match(String(reason(evbmfRank(known, 40, 70, { weakening: 1 }))), /full rank, 40/);
});

test('weakening goes from the rank found to the full one', () => {
  const known = spectrum(noisy(40, 70, 5, 6, 3));
  for (const [weakening, rank] of [
    [0, 5],
    [0.2, 12],
    [0.5, 23],
    [0.9, 37],
  ] as const) {
    const found = evbmfRank(known, 40, 70, { weakening });
    assert.ok(found.kind === 'rank');
    assert.equal(found.rank, rank);
    assert.equal(found.shrunk.length, 5);
  }
});

/** Twice the free energy at a noise variance, by bringing each component's down in turn (as data/evbmf.py does). */
function freeEnergy(s: number, sigma: readonly number[], rows: number, cols: number): number {
  let sum = rows * cols * Math.log(s);
  for (const value of sigma) {
    const g = value ** 2 / s;
    let [a, b] = [0, 0];
    for (let i = 0; i < 5000; i++) {
      const before = a;
      a = Math.min(1, cols / (g * Math.max(1 - b, 1e-300)));
      b = Math.min(1, rows / (g * Math.max(1 - a, 1e-300)));
      if (Math.abs(a - before) < 1e-15) break;
    }
    sum += g + Math.min(0, -cols * Math.log(a) - rows * Math.log(b) - g * (1 - a) * (1 - b));
  }
  return sum;
}

test('no noise variance has less free energy, for spectra of any form', () => {
  const next = normals(7);
  for (let trial = 0; trial < 60; trial++) {
    const rows = 3 + (trial % 14);
    const cols = rows + 5 * (trial % 9);
    // Steps, geometric decay, and normal numbers to a power.
    const sigma = Array.from({ length: rows }, (_, k) =>
      trial % 3 === 0
        ? 4 ** -Math.floor((3 * k) / rows)
        : trial % 3 === 1
          ? (0.5 + (trial % 10) / 20) ** k
          : Math.abs(next()) ** (1 + (trial % 4)),
    ).sort((x, y) => y - x);
    const known = spectrumOf(sigma);
    const found = evbmfRank(known, rows, cols);
    const top = known.total / (rows * cols);
    const least = freeEnergy(found.kind === 'rank' ? found.noiseVariance : top, sigma, rows, cols);
    for (let t = 0.1; t > -16; t -= 0.05) {
      const other = freeEnergy(top * Math.exp(t), sigma, rows, cols);
      assert.ok(other >= least - 1e-9 * Math.abs(least), `trial ${trial}: ${other} < ${least} at e^${t}`);
    }
  }
});
