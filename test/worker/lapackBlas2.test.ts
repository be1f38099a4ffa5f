import assert from 'node:assert/strict';
import { type Bench, bench } from './lapackBench';
import { BLAS_THRESHOLD, dmake, dmmch, gapsIntact, options } from './lapackBlasRatios';
import { type Columns, lapackRandom, masked, rounded, transposed } from './lapackMatrices';

/** DBLAT2: products of a matrix and a vector, all increments. NaN is what must not be read, as in DBLAT3's test. */

/** dblat2.in's orders, and larger ones across the kernels' stretches of 1024 rows and four columns. */
const sizes = [0, 1, 2, 3, 5, 9, 35];
const shapes = [...sizes.flatMap((m) => sizes.map((n) => [m, n] as const)), [1100, 6], [7, 130]] as const;
/** dblat2.in's. */
const increments = [1, 2, -1, -2] as const;

function make({ precision }: Bench, rows: number, cols: number, seed: number): Columns {
  const { uniform } = lapackRandom(seed);
  return rounded(
    dmake(rows, cols, () => uniform() - 0.5),
    precision,
  );
}

/** A column of numbers laid out with an increment, NaN in between. Going backwards it starts at the far end. */
function laid({ data }: Columns, increment: number): Columns {
  const step = Math.abs(increment);
  const n = data.length;
  const result = new Float64Array(Math.max(1, (n - 1) * step + 1)).fill(Number.NaN);
  data.forEach((value, i) => {
    result[(increment > 0 ? i : n - 1 - i) * step] = value;
  });
  return { rows: result.length, cols: 1, data: result };
}

/** The column again; what was in between has to be NaN still. */
function gathered(data: Float64Array, n: number, increment: number, what: string): Columns {
  const step = Math.abs(increment);
  assert.ok(
    data.every((value, k) => Number.isNaN(value) || (k % step === 0 && k / step < n)),
    what,
  );
  const place = (i: number) => (increment > 0 ? i : n - 1 - i) * step;
  return { rows: n, cols: 1, data: Float64Array.from({ length: n }, (_, i) => data[place(i)]!) };
}

/** Every pair of increments and of alpha and beta. */
function* cases({ precision }: Bench) {
  for (const incx of increments)
    for (const incy of increments)
      for (const alpha of precision.from(options.factors))
        for (const beta of precision.from(options.factors)) yield { incx, incy, alpha, beta };
}

const nothing = (a: Columns): Columns => masked(a, () => false, Number.NaN);

/** y := alpha · op(A) · x + beta · y by a routine that is called with `letters` and sizes before alpha. */
function product(
  bench: Bench,
  routine: string,
  before: (string | number)[],
  [given, exact]: readonly [given: Columns, exact: Columns],
  what: string,
): void {
  const [x, y] = [make(bench, exact.cols, 1, 10), make(bench, exact.rows, 1, 11)];
  for (const { incx, incy, alpha, beta } of cases(bench)) {
    bench.scope(({ put, instance, name, small, ulp }) => {
      const ld = given.rows + 3;
      const old = beta === 0 ? nothing(y) : y;
      const target = put(laid(old, incy));
      const [blockA, blockX] = (alpha === 0 ? [nothing(given), nothing(x)] : [given, x]) as [
        Columns,
        Columns,
      ];
      instance.caller.blas(
        name(routine),
        ...[...before, { real: alpha }, put(blockA, ld), ld, put(laid(blockX, incx)), incx],
        ...[{ real: beta }, target, incy],
      );
      const text = `${routine} ${what}, increments ${incx} ${incy}, alpha ${alpha}, beta ${beta}`;
      const computed = gathered(Float64Array.from(target.view()), y.rows, incy, text);
      small(dmmch({ a: exact, b: x, alpha, beta }, old, computed, ulp), BLAS_THRESHOLD, text);
    });
  }
}

bench('xGEMV (DCHK1 of DBLAT2)', (bench) => {
  for (const [m, n] of shapes) {
    // Without rows or columns nothing is done, not even with beta.
    if (m * n === 0) continue;
    for (const trans of options.trans) {
      const a = make(bench, m, n, 9);
      product(bench, 'gemv', [trans, m, n], [a, trans === 'N' ? a : transposed(a)], `${trans} ${m} × ${n}`);
    }
  }
});

bench('xSYMV (DCHK2 of DBLAT2)', (bench) => {
  for (const n of [1, 2, 3, 5, 9, 35, 70]) {
    for (const uplo of options.uplo) {
      const keep = (i: number, j: number) => (uplo === 'L' ? i >= j : i <= j);
      const half = masked(make(bench, n, n, 12), keep, 0);
      const other = transposed(masked(half, (i, j) => i !== j, 0));
      const exact = { ...half, data: half.data.map((value, k) => value + other.data[k]!) };
      product(bench, 'symv', [uplo, n], [masked(half, keep, Number.NaN), exact], `${uplo} ${n}`);
    }
  }
});

bench('xGER (DCHK4 of DBLAT2)', (bench) => {
  for (const [m, n] of shapes) {
    const [a, x, y] = [make(bench, m, n, 13), make(bench, m, 1, 14), make(bench, n, 1, 15)];
    for (const { incx, incy, alpha, beta } of cases(bench)) {
      if (beta !== 1) continue;
      bench.scope(({ put, get, instance, name, small, ulp }) => {
        const ld = m + 3;
        const target = put(a, ld);
        const [left, right] = (alpha === 0 ? [nothing(x), nothing(y)] : [x, y]) as [Columns, Columns];
        instance.caller.blas(
          name('ger'),
          ...[m, n, { real: alpha }, put(laid(left, incx)), incx, put(laid(right, incy)), incy, target, ld],
        );
        const text = `ger ${m} × ${n}, increments ${incx} ${incy}, alpha ${alpha}`;
        assert.ok(gapsIntact(target, m, n, ld), text);
        const ratio = dmmch({ a: x, b: transposed(y), alpha, beta: 1 }, a, get(target, m, n, ld), ulp);
        small(ratio, BLAS_THRESHOLD, text);
      });
    }
  }
});
