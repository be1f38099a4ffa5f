import assert from 'node:assert/strict';
import { type Bench, bench, columnMajor, rowMajor } from './lapackBench';
import { type Columns, generalTypes, lapackRandom, rounded, transposed } from './lapackMatrices';
import { apart, dbdt01, descending, dort01, dort03, leading } from './lapackRatios';

/** Of LAPACK's svd.in. */
const THRESHOLD = 50;

/** svd.in's shapes, and larger ones: past the blocks of 32 columns, past divide and conquer's leaf of 25, far from square. */
const shapes: readonly (readonly [number, number])[] = [
  ...[0, 1, 2, 3, 5, 10, 16, 50].map((n) => [n, n] as const),
  ...['0 1', '0 3', '1 0', '1 2', '2 1', '3 1', '10 16', '16 10', '30 40', '40 30'].map(pair),
  ...['3 50', '50 3', '16 130', '130 16', '130 120'].map(pair),
];

function pair(shape: string): readonly [number, number] {
  return shape.split(' ').map(Number) as [number, number];
}

interface Factors {
  readonly u: Columns;
  readonly s: Float64Array;
  readonly vt: Columns;
}

/** xGESDD as it is: JOBZ 'A', 'S', 'O' or 'N', leading dimensions beyond the rows. */
function gesdd({ name, put, room, get, arena, instance }: Bench, a: Columns, job: string): Factors {
  const { rows: m, cols: n } = a;
  const k = Math.min(m, n);
  const [lda, ldu, ldvt] = [m + 2, m + 1, n + 3];
  const [block, s] = [put(a, lda), room(k, 1)];
  const [u, vt] = [room(m, m, ldu), room(n, n, ldvt)];
  const info = instance.caller.lapackWithWork(
    name('gesdd'),
    [job, m, n, block, lda, s, u, ldu, vt, ldvt],
    [arena.i32(Math.max(1, 8 * k))],
  );
  assert.equal(info, 0);
  const [wideU, wideVt] = job === 'A' ? [m, n] : [k, k];
  // 'O' leaves the larger of the two in A's place.
  const inPlace = job !== 'O' ? undefined : m >= n ? 'u' : 'vt';
  return {
    s: get(s, k, 1).data,
    u: inPlace === 'u' ? get(block, m, k, lda) : get(u, m, wideU, ldu),
    vt: inPlace === 'vt' ? get(block, k, n, lda) : get(vt, wideVt, n, ldvt),
  };
}

bench('xGESDD, tests 8 to 14 of DDRVBD', (bench) => {
  const { ulp, unfl, small } = bench;
  for (const [m, n] of shapes) {
    for (const type of generalTypes) {
      const what = `${type.name} ${m} × ${n}`;
      const a = rounded(type.build(m, n, lapackRandom(m + n), bench), bench.precision);
      const k = Math.min(m, n);
      const whole = bench.scope((inner) => gesdd(inner, a, 'A'));
      if (k === 0) continue;
      small(dbdt01(a, whole.u, whole.s, whole.vt, ulp), THRESHOLD, `${what}: A − U·S·Vᵀ`);
      small(dort01(whole.u, 'columns', ulp), THRESHOLD, `${what}: I − UᵀU`);
      small(dort01(whole.vt, 'rows', ulp), THRESHOLD, `${what}: I − VᵀV`);
      small(descending(whole.s, ulp), THRESHOLD, `${what}: S`);
      for (const job of ['N', 'O', 'S']) {
        const { u, s, vt } = bench.scope((inner) => gesdd(inner, a, job));
        small(apart(whole.s, s, k, ulp, unfl), THRESHOLD, `${what}: S of '${job}'`);
        if (job === 'N') continue;
        small(dbdt01(a, u, s, vt, ulp), THRESHOLD, `${what}: A − U·S·Vᵀ of '${job}'`);
        // Vectors are compared where LAPACK does: where they are determined, and at its own sizes.
        if (k > 50 || !comparable.has(type.name)) continue;
        small(dort03(whole.u, u, k, ulp), THRESHOLD, `${what}: U of '${job}'`);
        small(dort03(transposed(whole.vt), transposed(vt), k, ulp), THRESHOLD, `${what}: Vᵀ of '${job}'`);
      }
    }
  }
});

/** DDRVBD's own five types. */
const comparable = new Set(['zero', 'identity', 'well conditioned', 'near underflow', 'near overflow']);

bench("the port's svd, the same tests at several ranks", (bench) => {
  const { ulp, unfl, small, precision } = bench;
  for (const [m, n] of shapes) {
    for (const type of generalTypes) {
      const what = `${type.name} ${m} × ${n}`;
      const a = rounded(type.build(m, n, lapackRandom(m + 2 * n), bench), precision);
      const k = Math.min(m, n);
      const whole = bench.lapack.svd(rowMajor(a, precision), k);
      const [u, vt] = [columnMajor(whole.u), columnMajor(whole.vt)];
      small(dbdt01(a, u, whole.sigma, vt, ulp), THRESHOLD, `${what}: A − U·S·Vᵀ`);
      small(dort01(u, 'columns', ulp), THRESHOLD, `${what}: I − UᵀU`);
      small(dort01(vt, 'rows', ulp), THRESHOLD, `${what}: I − VᵀV`);
      small(descending(whole.sigma, ulp), THRESHOLD, `${what}: S`);
      for (const rank of new Set([0, Math.ceil(k / 3)])) {
        const some = bench.lapack.svd(rowMajor(a, precision), rank);
        small(apart(whole.sigma, some.sigma, k, ulp, unfl), THRESHOLD, `${what}: S at rank ${rank}`);
        // The same call with fewer vectors kept: the same vectors, to the last bit.
        if (rank === 0) continue;
        assert.deepEqual(columnMajor(some.u), { ...leading(u, rank), data: leading(u, rank).data.slice() });
      }
    }
  }
});
