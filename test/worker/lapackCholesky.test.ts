import assert from 'node:assert/strict';
import { LinalgError } from '../../src/core/tensor/linalg';
import type { Matrix } from '../../src/core/tensor/matrix';
import { double, type Precision } from '../core/linalgCases';
import { type Bench, bench, columnMajor, rowMajor } from './lapackBench';
import { type Columns, filled, lapackRandom, masked, transposed } from './lapackMatrices';
import { dpot01, minus, norm1, product, relative } from './lapackRatios';
import { definiteTypes } from './lapackSymmetricMatrices';

/** Of LAPACK's dtest.in. */
const THRESHOLD = 30;

/** dtest.in's orders; and such that DPOTRF's blocks of 64 columns and the kernels' halving of triangles come into play. */
const orders = [0, 1, 2, 3, 5, 10, 16, 50, 65, 130, 200];

const doubles = [double as Precision];

const triangles = {
  L: (i: number, j: number) => i >= j,
  U: (i: number, j: number) => i <= j,
} as const;

/** Types 3 to 5 of DCHKPO: row and column `index` are zero, so the leading block of order index + 1 is the first that fails. */
function withZeroRow(a: Columns, index: number): Columns {
  return masked(a, (i, j) => i !== index && j !== index, 0);
}

/** DPOTRF on one triangle, the other NaN. Returns INFO and L, or U transposed. */
function potrf({ put, get, instance }: Bench, a: Columns, uplo: 'L' | 'U'): { info: number; l: Columns } {
  const lda = a.rows + 2;
  const block = put(masked(a, triangles[uplo], Number.NaN), lda);
  const info = instance.caller.lapack('dpotrf', uplo, a.rows, block, lda);
  const factor = masked(get(block, a.rows, a.rows, lda), triangles[uplo], 0);
  return { info, l: uplo === 'L' ? factor : transposed(factor) };
}

bench(
  'DPOTRF, the tests of DCHKPO',
  (bench) => {
    const { small, eps } = bench;
    for (const n of orders) {
      for (const type of definiteTypes) {
        const a = type.build(n, lapackRandom(n + 7), bench);
        for (const uplo of ['L', 'U'] as const) {
          const what = `${type.name}, order ${n}, ${uplo}`;
          const { info, l } = bench.scope((inner) => potrf(inner, a, uplo));
          assert.equal(info, 0, what);
          small(dpot01(a, l, eps), THRESHOLD, `${what}: L·Lᵀ − A`);
          if (n === 0 || type.name !== 'condition 2') continue;
          for (const zero of [0, n - 1, Math.floor(n / 2)]) {
            const failed = bench.scope((inner) => potrf(inner, withZeroRow(a, zero), uplo));
            assert.equal(failed.info, zero + 1, `${what}: INFO with row ${zero} of zeros`);
          }
        }
      }
    }
  },
  doubles,
);

bench(
  "the port's cholesky",
  (bench) => {
    const { small, eps, lapack, precision } = bench;
    for (const n of orders) {
      for (const type of definiteTypes) {
        const what = `${type.name}, order ${n}`;
        const a = type.build(n, lapackRandom(n + 8), bench);
        const lower = (values: Columns) =>
          rowMajor(masked(values, triangles.L, Number.NaN), precision) as Matrix<Float64Array>;
        const l = columnMajor(lapack.cholesky(lower(a)));
        small(dpot01(a, l, eps), THRESHOLD, `${what}: L·Lᵀ − A`);
        assert.deepEqual(masked(l, triangles.L, 0).data, l.data, `${what}: zeros above the diagonal`);
        if (n === 0) continue;
        assert.throws(
          () => lapack.cholesky(lower(withZeroRow(a, n - 1))),
          (error) => error instanceof LinalgError && error.code === 'not-positive-definite',
          what,
        );
      }
    }
  },
  doubles,
);

bench("the port's solveLower, test 3 of DCHKPO (DPOT02)", (bench) => {
  const { small, eps, lapack, precision } = bench;
  for (const n of orders) {
    for (const type of definiteTypes) {
      // The factor is made in double and rounded: a triangle that is as badly conditioned as its matrix is.
      const a = type.build(n, lapackRandom(n + 9), bench);
      const factor = lapack.cholesky(rowMajor(a, double as Precision) as Matrix<Float64Array>);
      const l = rowMajor(columnMajor(factor), precision);
      const exact = columnMajor(l);
      for (const columns of [1, 2, 15]) {
        const b = filled(n, columns, lapackRandom(n).symmetric);
        const right = rowMajor(b, precision);
        for (const transpose of [false, true]) {
          const x = columnMajor(lapack.solveLower(l, right, { transpose }));
          const rest = minus(product(exact, x, transpose), columnMajor(right));
          const ratio = relative(norm1(rest), norm1(exact) * norm1(x), n, eps);
          small(ratio, THRESHOLD, `${type.name}, order ${n}, ${columns} right-hand sides: L·X − B`);
        }
      }
    }
  }
});
