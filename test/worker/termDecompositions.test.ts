import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { blockTerm } from '../../src/core/tensor/blockTerm';
import { cp } from '../../src/core/tensor/cp';
import { atomEnergies, errorOfAtoms, expandInBasis } from '../../src/core/tensor/dct';
import type { Linalg } from '../../src/core/tensor/linalg';
import { type Matrix, matrix } from '../../src/core/tensor/matrix';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { type Tensor, tensor, unfold } from '../../src/core/tensor/tensor';
import { tucker2 } from '../../src/core/tensor/tucker2';
import { createLapack } from '../../src/worker/lapack';
import { double, norm, single } from '../core/linalgCases';
import { relativeDistance } from '../core/tensorCases';
import { convLike, randomFactors, sumOfBlocks, sumOfOuterProducts } from '../core/termCases';
import { lapackModules } from './lapackModules';

/** CP, block terms and cosine atoms on the fast engine, in single precision, at the sizes of a network's layers. */
for (const { name, module } of lapackModules()) {
  const linalg = createLapack(module);

  for (const [n, rank] of [
    [64, 32],
    [64, 96],
    [256, 64],
  ] as const) {
    for (const kernel of [[9], [3, 3]]) {
      test(`${name}: CP of ${n} × ${n} × ${kernel.join(' × ')} at rank ${rank}`, (t) => {
        // As a convolution takes it: input channels first, output channels last.
        const weight = unfold(convLike(single, [n, n, ...kernel]), [1]);
        const x = tensor([n, ...kernel, n], turned(weight, n));
        const started = performance.now();
        const result = cp(linalg, x, rank, { maxSweeps: 50 });
        report(t, started, result);
        const approximation = productOf(linalg, result.factors);
        const measured = relativeDistance(x, tensor(x.dims, approximation));
        assert.ok(Math.abs(measured - result.error) < 1e-5, `${result.error}, measured ${measured}`);
        assert.ok(result.errors.every((error, i) => i === 0 || error <= result.errors[i - 1]!));
        assert.ok(result.degeneracy < 10, `degeneracy ${result.degeneracy}`);
        assertBounds(linalg, x, result.error, [rank, ...kernel.map(() => 0), rank]);
        // Sixteen bits hold the factors: nothing is lost that was not lost already.
        const half = result.factors.map(({ rows, cols, data }) => matrix(rows, cols, data.map(toElevenBits)));
        const rounded = relativeDistance(x, tensor(x.dims, productOf(linalg, half)));
        assert.ok(rounded < result.error + 1e-3, `${result.error}, rounded ${rounded}`);
      });
    }
  }

  for (const [n, blocks, rank] of [
    [64, 1, 16],
    [64, 4, 8],
    [256, 4, 16],
  ] as const) {
    test(`${name}: ${blocks} blocks of rank ${rank} for ${n} × ${n} × 3 × 3`, (t) => {
      const x = convLike(single, [n, n, 3, 3]);
      const started = performance.now();
      const result = blockTerm(linalg, x, blocks, [rank, rank], { maxSweeps: 25 });
      report(t, started, result);
      const measured = relativeDistance(x, sumOfBlocks(result.left, result.right, result.cores));
      assert.ok(Math.abs(measured - result.error) < 1e-5, `${result.error}, measured ${measured}`);
      assert.ok(result.errors.every((error, i) => i === 0 || error <= result.errors[i - 1]!));
      assert.ok(result.degeneracy < 5, `degeneracy ${result.degeneracy}`);
      assertBounds(linalg, x, result.error, [blocks * rank, blocks * rank]);
      // Each block alone is worse, the Tucker-2 of all their ranks, which has more parameters, better.
      const alone = tucker2(linalg, x, [0, 1], [rank, rank]).error;
      const together = tucker2(linalg, x, [0, 1], [blocks * rank, blocks * rank]).error;
      assert.ok(result.error <= alone * (1 + 1e-4) && result.error >= together * (1 - 1e-4));
    });
  }

  test(`${name}: the engines agree, and exact structure is found`, () => {
    const oracle = createMlMatrix();
    const { dims, data } = sumOfOuterProducts(randomFactors([30, 9, 28], 6));
    const exact = tensor(dims, Float32Array.from(data));
    assert.ok(cp(linalg, exact, 6).error < 1e-3);
    const x = convLike(double, [16, 12, 3, 3]);
    const errors = [linalg, oracle].map((engine) => [
      cp(engine, x, 8, { maxSweeps: 20 }).error,
      blockTerm(engine, x, 2, [4, 3], { maxSweeps: 20 }).error,
    ]);
    // The seeded noise of CP's start meets singular vectors of either sign.
    const [one, other] = errors as [[number, number], [number, number]];
    assert.ok(Math.abs(one[0] - other[0]) < 1e-3 && Math.abs(one[1] - other[1]) < 1e-9, `${errors}`);
  });

  test(`${name}: what cosine atoms hold of a large weight`, () => {
    const x = convLike(single, [256, 256, 3, 3]);
    const energies = atomEnergies(linalg, x);
    const total = norm(x.data) ** 2;
    assert.ok(Math.abs(energies.reduce((a, b) => a + b, 0) - total) < 1e-9 * total);
    const atoms = [0, 1, 2, 4];
    const kept = norm(expandInBasis(linalg, x, atoms).data) ** 2;
    assert.ok(Math.abs(Math.sqrt(1 - kept / total) - errorOfAtoms(energies, atoms)) < 1e-5);
  });
}

/** Rows C × (S · k) as [C, k, S]. */
function turned({ rows, cols, data }: Matrix<Float32Array>, outputs: number): Float32Array {
  const positions = cols / outputs;
  const out = new Float32Array(data.length);
  for (let c = 0; c < rows; c++) {
    for (let s = 0; s < outputs; s++) {
      for (let k = 0; k < positions; k++) {
        out[(c * positions + k) * outputs + s] = data[c * cols + s * positions + k]!;
      }
    }
  }
  return out;
}

/** Σᵣ of the outer products of the columns r, row-major. */
function productOf(linalg: Linalg, factors: readonly Matrix<Float32Array>[]): Float32Array {
  const last = factors.at(-1)!;
  let rest = factors[0]!;
  for (const factor of factors.slice(1, -1)) {
    const { cols } = factor;
    const data = new Float32Array(rest.rows * factor.rows * cols);
    for (let at = 0; at < data.length; at++) {
      const row = Math.floor(at / cols);
      const [i, j] = [Math.floor(row / factor.rows), row % factor.rows];
      data[at] = rest.data[i * cols + (at % cols)]! * factor.data[j * cols + (at % cols)]!;
    }
    rest = matrix(rest.rows * factor.rows, cols, data);
  }
  return linalg.multiply(rest, last, { transposeB: true }).data;
}

/** No approximation of these ranks is nearer than the unfoldings' own best ones (Eckart & Young 1936); 0 leaves a mode out. */
function assertBounds(linalg: Linalg, x: Tensor, error: number, ranks: readonly number[]): void {
  for (const [mode, rank] of ranks.entries()) {
    if (rank === 0) continue;
    const { values } = linalg.eigh(linalg.gram(unfold(x, [mode])), 0);
    const sum = (energies: Float64Array) => energies.reduce((a, b) => a + Math.max(0, b), 0);
    const bound = Math.sqrt(sum(values.slice(rank)) / sum(values));
    assert.ok(error > bound - 1e-6, `${error} is under the bound ${bound} of mode ${mode}`);
  }
}

/** The nearest number with the significand of a 16-bit float. */
function toElevenBits(value: number): number {
  const unit = value === 0 ? 1 : 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10);
  return Math.round(value / unit) * unit;
}

function report(
  t: TestContext,
  started: number,
  { error, errors, degeneracy }: { error: number; errors: readonly number[]; degeneracy: number },
): void {
  const course = [1, 5, 10, 20].filter((n) => n <= errors.length).map((n) => errors[n - 1]!.toFixed(4));
  t.diagnostic(
    `error ${error.toFixed(4)} (${course.join(', ')} after 1, 5, 10, 20 sweeps of ${errors.length}), ` +
      `degeneracy ${degeneracy.toFixed(2)}, ${Math.round(performance.now() - started)} ms`,
  );
}
