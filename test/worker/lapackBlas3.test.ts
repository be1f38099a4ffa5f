import assert from 'node:assert/strict';
import type { Argument } from '../../src/worker/lapackCall';
import { type Bench, bench } from './lapackBench';
import { BLAS_THRESHOLD, dmake, dmmch, gapsIntact, options } from './lapackBlasRatios';
import { type Columns, lapackRandom, masked, rounded, transposed, zeros } from './lapackMatrices';

/**
 * DBLAT3: the matrix products and triangular systems of our kernels, every option, leading dimensions beyond the
 * rows. NaN is whatever must not be read: gaps, the other triangle, a unit diagonal, C when beta is zero, A and B
 * when alpha is. What must not be written is compared bit by bit.
 */

/** dblat3.in's sizes. */
const small = [0, 1, 2, 3, 5, 9];
/** Odd ones across the kernels' tiles (4 or 8 × 6), blocks (120 or 240 rows, 256 deep), leaves of triangles (32). */
const large = [
  [13, 11, 17],
  [131, 7, 41],
  [245, 19, 31],
  [9, 15, 531],
  [61, 67, 259],
] as const;

const beyond = (rows: number) => Math.max(1, rows + 3);

/** Alpha and beta as a routine of this precision gets them. */
function* scalars({ precision }: Bench): Generator<readonly [alpha: number, beta: number]> {
  for (const alpha of precision.from(options.factors))
    for (const beta of precision.from(options.factors)) yield [alpha, beta];
}

/** DMAKE's numbers in (−1/2, 1/2), rounded. */
function make({ precision }: Bench, rows: number, cols: number, seed: number): Columns {
  const { uniform } = lapackRandom(seed);
  return rounded(
    dmake(rows, cols, () => uniform() - 0.5),
    precision,
  );
}

const nothing = (a: Columns): Columns => ({ ...a, data: new Float64Array(a.data.length).fill(Number.NaN) });

/** Plain, and transposed by either of its letters. */
const transposes = (size: number) => (size % 2 === 0 ? ['N', 'T'] : ['N', 'c']);

/** The place of an input matrix and its leading dimension among the arguments. */
interface Slot {
  readonly input: number;
}
const input = (index: number): Slot => ({ input: index });

/** Runs a routine whose last two arguments are C and LDC, and gives C back. */
function call(
  bench: Bench,
  routine: string,
  before: (Argument | Slot)[],
  inputs: Columns[],
  c: Columns,
): Columns {
  return bench.scope(({ put, get, instance, name }) => {
    const blocks = inputs.map((a) => put(a, beyond(a.rows)));
    const bytes = blocks.map((block) => block.view().slice());
    const target = put(c, beyond(c.rows));
    const args = before.flatMap((argument) =>
      typeof argument === 'object' && 'input' in argument
        ? [blocks[argument.input]!, beyond(inputs[argument.input]!.rows)]
        : [argument],
    );
    instance.caller.blas(name(routine), ...args, target, beyond(c.rows));
    blocks.forEach((block, i) => {
      assert.deepEqual(block.view(), bytes[i], `${routine}: input ${i} has changed`);
    });
    assert.ok(gapsIntact(target, c.rows, c.cols, beyond(c.rows)), `${routine}: gaps of C`);
    return get(target, c.rows, c.cols, beyond(c.rows));
  });
}

bench('xGEMM (DCHK1 of DBLAT3)', (bench) => {
  const check = (m: number, n: number, k: number, every: boolean) => {
    for (const ta of transposes(m)) {
      for (const tb of transposes(n)) {
        const [a, b] = [make(bench, m, k, 1), make(bench, k, n, 2)];
        const inputs = [ta === 'N' ? a : transposed(a), tb === 'N' ? b : transposed(b)];
        for (const [alpha, beta] of every
          ? scalars(bench)
          : ([
              [1, 0],
              [-1, 1],
            ] as const)) {
          const c = beta === 0 ? nothing(zeros(m, n)) : make(bench, m, n, 3);
          const given = alpha === 0 ? inputs.map(nothing) : inputs;
          const computed = call(
            bench,
            'gemm',
            [ta, tb, m, n, k, { real: alpha }, input(0), input(1), { real: beta }],
            given,
            c,
          );
          const ratio = dmmch({ a, b, alpha, beta }, c, computed, bench.ulp);
          bench.small(ratio, BLAS_THRESHOLD, `${ta}${tb} ${m} × ${n} × ${k}, alpha ${alpha}, beta ${beta}`);
        }
      }
    }
  };
  for (const m of small) for (const n of small) for (const k of small) check(m, n, k, (m + n + k) % 3 === 0);
  for (const [m, n, k] of large) check(m, n, k, false);
});

const triangleOf = (uplo: string) => (i: number, j: number) => (uplo === 'L' ? i >= j : i <= j);

for (const two of [false, true]) {
  bench(two ? 'xSYR2K (DCHK5 of DBLAT3)' : 'xSYRK (DCHK4 of DBLAT3)', (bench) => {
    const check = (n: number, k: number) => {
      for (const uplo of options.uplo) {
        for (const trans of transposes(n)) {
          const [a, b] = [make(bench, n, k, 4), make(bench, n, k, 5)];
          // A·Bᵀ + B·Aᵀ is one product of twice the depth.
          const left = two ? beside(a, b) : a;
          const right = transposed(two ? beside(b, a) : a);
          const inputs = (two ? [a, b] : [a]).map((matrix) => (trans === 'N' ? matrix : transposed(matrix)));
          for (const [alpha, beta] of scalars(bench)) {
            const start = beta === 0 ? nothing(zeros(n, n)) : make(bench, n, n, 6);
            const c = masked(start, triangleOf(uplo), Number.NaN);
            const computed = call(
              bench,
              two ? 'syr2k' : 'syrk',
              [uplo, trans, n, k, { real: alpha }, ...inputs.map((_, i) => input(i)), { real: beta }],
              alpha === 0 ? inputs.map(nothing) : inputs,
              c,
            );
            const product = { a: left, b: right, alpha, beta };
            const ratio = dmmch(product, c, computed, bench.ulp, triangleOf(uplo));
            bench.small(ratio, BLAS_THRESHOLD, `${uplo}${trans} ${n} × ${k}, alpha ${alpha}, beta ${beta}`);
          }
        }
      }
    };
    for (const n of small) for (const k of small) check(n, k);
    for (const [n, k] of [
      [13, 33],
      [251, 3],
      [35, 300],
    ] as const)
      check(n, k);
  });
}

/** [A B]. */
function beside(a: Columns, b: Columns): Columns {
  return { rows: a.rows, cols: a.cols + b.cols, data: Float64Array.of(...a.data, ...b.data) };
}

for (const routine of ['trmm', 'trsm']) {
  bench(`x${routine.toUpperCase()} (DCHK3 of DBLAT3)`, (bench) => {
    const check = (m: number, n: number) => {
      for (const side of options.side) {
        for (const uplo of options.uplo) {
          for (const trans of transposes(n)) {
            for (const diag of options.diag) {
              const left = side === 'l';
              const { given, effective } = triangle(bench, left ? m : n, uplo, trans, diag);
              for (const alpha of bench.precision.from(options.factors)) {
                const b = make(bench, m, n, 8);
                const letters = [side, uplo, trans, diag, m, n, { real: alpha }, input(0)];
                const x = call(bench, routine, letters, [alpha === 0 ? nothing(given) : given], b);
                const what = `${side}${uplo}${trans}${diag} ${m} × ${n}, alpha ${alpha}`;
                // Of a solution the product with the triangle is held against alpha · B.
                const [from, to] = routine === 'trmm' ? [b, x] : [x, scaledTo(b, alpha)];
                const factors = left ? { a: effective, b: from } : { a: from, b: effective };
                const ratio = dmmch(
                  { ...factors, alpha: routine === 'trmm' ? alpha : 1, beta: 0 },
                  to,
                  to,
                  bench.ulp,
                );
                bench.small(ratio, BLAS_THRESHOLD, what);
              }
            }
          }
        }
      }
    };
    for (const m of small) for (const n of small) check(m, n);
    for (const [m, n] of [
      [33, 67],
      [67, 33],
      [97, 5],
      [5, 131],
    ] as const)
      check(m, n);
  });
}

const scaledTo = (a: Columns, alpha: number): Columns => ({
  ...a,
  data: a.data.map((value) => alpha * value),
});

/** DMAKE's triangle: as the routine is given it, NaN where it must not look, and op(A) in full. */
function triangle(bench: Bench, order: number, uplo: string, trans: string, diag: string) {
  const start = make(bench, order, order, 7);
  const full = masked(start, triangleOf(uplo), 0);
  for (let i = 0; i < order; i++)
    full.data[i * (order + 1)] = diag === 'U' ? 1 : full.data[i * (order + 1)]! + 1;
  const exact = rounded(full, bench.precision);
  const read = (i: number, j: number) => triangleOf(uplo)(i, j) && !(diag === 'U' && i === j);
  return { given: masked(exact, read, Number.NaN), effective: trans === 'N' ? exact : transposed(exact) };
}
