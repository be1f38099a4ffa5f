import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { candidatesOf } from '../../src/core/compress/candidates';
import { type Factored, factorWeight } from '../../src/core/compress/factor';
import type { Form, MatMulForm } from '../../src/core/compress/layer';
import { type Candidate, METHOD_IDS, type MethodId, type Ranks, saves } from '../../src/core/compress/method';
import type { Spectrum } from '../../src/core/compress/spectrum';
import { decodeFloats, encodeFloats } from '../../src/core/onnx/tensorData';
import { createLapack } from '../../src/worker/lapack';
import { loadLapackModule } from '../../src/worker/lapackFiles';
import { convForm as conv, matmulForm as matmul } from '../support/forms';
import { seededArray } from '../support/onnxModel';

/** What every method promises of its errors, on weights with a decaying spectrum, with the engine of the product. */

const linalg = createLapack(loadLapackModule(path.resolve('dist')));
const same = <T>(x: T) => x;

const size = (form: Form) =>
  form.kind === 'conv'
    ? form.outChannels * form.groupChannels * form.kernel.reduce((a, b) => a * b, 1)
    : (form as MatMulForm).inner * (form as MatMulForm).outer;

/** A weight that a few smooth patterns and noise make up, like trained ones: Σ k^−1 aₖ ⊗ bₖ plus 5 % noise. */
function weightOf(form: Form, seed = 1): Float32Array {
  const count = size(form);
  const rows =
    form.kind === 'conv'
      ? form.isTransposed
        ? form.groupChannels
        : form.outChannels
      : (form as MatMulForm).inner;
  const cols = count / rows;
  const weight = seededArray(count, seed).map((x) => 0.05 * x);
  for (let k = 1; k <= 24; k++) {
    const [a, b] = [seededArray(rows, 100 * seed + k), seededArray(cols, 200 * seed + k)];
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < cols; j++) weight[i * cols + j] = weight[i * cols + j]! + (a[i]! * b[j]!) / k;
  }
  return weight;
}

const known = (candidate: Candidate, weight: Float32Array): readonly Spectrum[] =>
  candidate.series.map((series) => series.measure(linalg, weight, () => {}));

const forms: readonly (readonly [string, Form])[] = [
  ['48 × 32 × 3 × 3', conv(48, 32, [3, 3])],
  ['32 × 64 × 3 × 3, transposed', conv(64, 32, [3, 3], { isTransposed: true })],
  ['two groups of 24 × 16 × 3 × 3', conv(48, 16, [3, 3], { groups: 2 })],
  ['24 × 40 × 5', conv(24, 40, [5])],
  ['72 × 96', matmul(72, 96)],
  ['96 × 64, transposed', matmul(64, 96, { isTransposed: true })],
  ['1 × 1, 64 × 48', conv(64, 48, [1, 1])],
];

const SPECTRAL: readonly MethodId[] = ['svd', 'channel', 'input-channel', 'spatial', 'group', 'dcf'];

for (const [name, form] of forms) {
  const weight = weightOf(form);
  const norm = weight.reduce((sum, x) => sum + x * x, 0);
  for (const method of METHOD_IDS) {
    const [candidate] = candidatesOf({ form }, method).candidates;
    if (candidate?.method !== method) continue;

    test(`${method} of ${name}: what is predicted is what comes out, or a bound of it`, () => {
      const spectra = known(candidate, weight);
      for (const { total } of spectra)
        assert.ok(Math.abs(total / norm - 1) < 1e-6, `${total} against ${norm}`);
      for (const budget of [0.5, 0.2, 0.05]) {
        const ranks = candidate.within(spectra, budget * norm, (r) => candidate.cost(r).parameters);
        if (!ranks) continue;
        const predicted = candidate.error(spectra, ranks);
        assert.ok(predicted <= budget * norm * (1 + 1e-12), 'within the budget');
        const { factors, weightError }: Factored<Float32Array> = factorWeight(
          linalg,
          weight,
          candidate,
          ranks,
          same,
        );
        const shapes = candidate.shapes(ranks);
        assert.deepEqual(
          factors.map((f) => f.length),
          shapes.map((dims) => dims.reduce((a, b) => a * b, 1)),
        );
        assert.equal(
          candidate.cost(ranks).parameters,
          factors.reduce((sum, f) => sum + f.length, 0),
        );
        const actual = weightError ** 2 * norm;
        // Exact for a single unfolding, a bound for several; what was tried is what is done.
        assert.ok(actual <= predicted + 1e-6 * norm, `ranks ${ranks}: ${actual} above ${predicted}`);
        const certainty = candidate.certainty(ranks);
        if (SPECTRAL.includes(method)) assert.equal(certainty, 'exact');
        if (certainty === 'exact')
          assert.ok(Math.abs(actual - predicted) < 1e-6 * norm, `${actual} is not ${predicted}`);
      }
    });

    test(`${method} of ${name}: errors are those of the factors as written, in half precision too`, () => {
      const ranks = smallRanks(candidate);
      const half = <T extends Float32Array | Float64Array>(x: T) =>
        decodeFloats(10, encodeFloats(10, x)) as T;
      const { factors, weightError } = factorWeight(linalg, weight, candidate, ranks, half);
      for (const factor of factors) {
        assert.deepEqual(factor, half(factor), 'already rounded');
        assert.ok(
          factor.every((x) => Math.abs(x) < 6e4),
          'in the range of half precision',
        );
      }
      const approximation = candidate.expand(linalg, factors, ranks);
      const residual = weight.reduce((sum, x, i) => sum + (x - approximation[i]!) ** 2, 0);
      assert.ok(Math.abs(weightError - Math.sqrt(residual / norm)) < 1e-9);
      const exact = factorWeight(linalg, weight, candidate, ranks, same).weightError;
      assert.ok(Math.abs(weightError - exact) < 2e-3, `${weightError} against ${exact}`);
    });

    test(`${method} of ${name}: a zero weight stays zero, NaN is refused`, () => {
      const ranks = smallRanks(candidate);
      const { weightError, factors } = factorWeight(
        linalg,
        new Float32Array(weight.length),
        candidate,
        ranks,
        same,
      );
      assert.equal(weightError, 0);
      assert.ok(candidate.expand(linalg, factors, ranks).every((x) => x === 0));
      const bad = weight.slice();
      bad[5] = Number.NaN;
      assert.throws(() => factorWeight(linalg, bad, candidate, ranks, same), { code: 'not-finite' });
      for (const series of candidate.series) {
        assert.throws(() => series.measure(linalg, bad, () => {}), { code: 'not-finite' });
      }
    });
  }
}

/** The cheapest settings that "rank 6" may mean. */
function smallRanks(candidate: Candidate): Ranks {
  return candidate.ofRank(candidate.method === 'tr' ? 3 : 6)[0]!;
}

test('the SVD family is optimal: within 1e-9 of the Eckart–Young bound', () => {
  for (const [name, form] of [...forms, ['256 × 256 × 3 × 3', conv(256, 256, [3, 3])] as const]) {
    const weight = weightOf(form, 2);
    // The bound in double precision, by an SVD of its own.
    const wide = Float64Array.from(weight);
    for (const method of ['svd', 'channel', 'input-channel', 'spatial'] as const) {
      const [candidate] = candidatesOf({ form }, method).candidates;
      if (candidate?.method !== method) continue;
      const [truth] = known(candidate, wide as unknown as Float32Array);
      for (const rank of [2, 9, 15]) {
        const factors = candidate.factor(linalg, weight, [rank]);
        const approximation = candidate.expand(
          linalg,
          factors.map((f) => Float64Array.from(f)),
          [rank],
        );
        let error = 0;
        for (let i = 0; i < weight.length; i++) error += (weight[i]! - approximation[i]!) ** 2;
        const optimum = candidate.error([truth!], [rank]);
        const excess = Math.sqrt(error / truth!.total) - Math.sqrt(optimum / truth!.total);
        assert.ok(
          excess < 1e-9 && excess > -1e-9,
          `${method} of ${name} at rank ${rank}: ${excess} above the optimum`,
        );
      }
    }
  }
});

test('a method saves at its break-even and costs what its shapes hold', () => {
  for (const [, form] of forms) {
    for (const method of METHOD_IDS) {
      const [candidate] = candidatesOf({ form }, method).candidates;
      if (!candidate) continue;
      const ranks = smallRanks(candidate);
      const held = candidate.shapes(ranks).reduce((sum, dims) => sum + dims.reduce((a, b) => a * b, 1), 0);
      const { parameters, macs, memory } = candidate.cost(ranks);
      assert.equal(parameters, held);
      assert.equal(
        saves(candidate, ranks),
        parameters < candidate.dense.parameters && macs! < candidate.dense.macs!,
      );
      assert.ok(memory! > 0 && candidate.dense.memory! > 0);
    }
  }
});
