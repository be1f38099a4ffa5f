import assert from 'node:assert/strict';
import { double, type Precision } from '../core/linalgCases';
import { type Bench, bench, columnMajor, rowMajor } from './lapackBench';
import { type Columns, lapackRandom, masked, transposed } from './lapackMatrices';
import { apart, dort01, dsyt21, dsyt22, identity } from './lapackRatios';
import { symmetricTypes } from './lapackSymmetricMatrices';

/** Of LAPACK's sep.in. */
const THRESHOLD = 50;

/** sep.in's orders and larger ones, up to several blocks of DSYTRD and leaves of divide and conquer. */
const orders = [0, 1, 2, 3, 5, 10, 16, 20, 50, 130];

const doubles = [double as Precision];

function cases(check: (what: string, a: Columns, n: number) => void, bench: Bench): void {
  for (const n of orders) {
    for (const type of symmetricTypes) {
      check(`${type.name}, order ${n}`, type.build(n, lapackRandom(n + 1), bench), n);
    }
  }
}

/** The matrix with only one of its triangles, NaN in the other. */
const triangle = (a: Columns, uplo: string) =>
  masked(a, (i, j) => (uplo === 'L' ? i >= j : i <= j), Number.NaN);

bench(
  'DSYTRD and DORMTR, tests 1 to 4 of DCHKST',
  (bench) => {
    const { small, ulp } = bench;
    cases((what, a, n) => {
      for (const uplo of ['U', 'L']) {
        bench.scope(({ put, room, get, driver }) => {
          const lda = n + 3;
          const [block, d, e, tau] = [put(triangle(a, uplo), lda), room(n, 1), room(n, 1), room(n, 1)];
          driver('sytrd', [uplo, n, block, Math.max(1, lda), d, e, tau]);
          for (const [trans, side] of [
            ['N', 'L'],
            ['T', 'R'],
          ] as const) {
            const q = put(identity(n));
            driver('ormtr', [side, uplo, trans, n, n, block, lda, tau, q, Math.max(1, n)]);
            const u = get(q, n, n);
            // Q from the left, or Qᵀ from the right and so transposed in its place.
            const columns = side === 'L' ? u : transposed(u);
            const [diagonal, beside] = [get(d, n, 1).data, get(e, Math.max(0, n - 1), 1).data];
            small(dsyt21(a, columns, diagonal, ulp, beside), THRESHOLD, `${what}, ${uplo}: A − Q·T·Qᵀ`);
            small(dort01(columns, 'rows', ulp), THRESHOLD, `${what}, ${uplo}: I − QQᵀ`);
          }
        });
      }
    }, bench);
  },
  doubles,
);

/** DSYEVD with DDRVST's workspaces, the smallest that its documentation allows. */
function syevd({ put, room, get, arena, instance }: Bench, a: Columns, job: string, uplo: string) {
  const n = a.rows;
  const lda = n + 2;
  const [block, w] = [put(triangle(a, uplo), lda), room(n, 1)];
  const work = n <= 1 ? 1 : job === 'N' ? 2 * n + 1 : 1 + 6 * n + 2 * n * n;
  const whole = n <= 1 || job === 'N' ? 1 : 3 + 5 * n;
  const info = instance.caller.lapack(
    'dsyevd',
    ...[job, uplo, n, block, lda, w, arena.f64(work), work, arena.i32(whole), whole],
  );
  assert.equal(info, 0);
  return { values: get(w, n, 1).data, vectors: get(block, n, n, lda) };
}

bench(
  'DSYEVD, the tests of DDRVST',
  (bench) => {
    const { small, ulp, unfl } = bench;
    cases((what, a) => {
      for (const uplo of ['U', 'L']) {
        const text = `${what}, ${uplo}`;
        const { values, vectors } = bench.scope((inner) => syevd(inner, a, 'V', uplo));
        small(dsyt21(a, vectors, values, ulp), THRESHOLD, `${text}: A − Z·D·Zᵀ`);
        small(dort01(vectors, 'rows', ulp), THRESHOLD, `${text}: I − ZZᵀ`);
        const alone = bench.scope((inner) => syevd(inner, a, 'N', uplo)).values;
        small(apart(values, alone, 1, ulp, unfl), THRESHOLD, `${text}: D without vectors`);
      }
    }, bench);
  },
  doubles,
);

bench(
  "the port's eigh: all vectors, some, none",
  (bench) => {
    const { small, ulp, unfl, lapack, precision } = bench;
    cases((what, a, n) => {
      // Row-major, the lower triangle: the upper one of the transpose.
      const matrix = rowMajor(triangle(a, 'L'), precision) as Parameters<typeof lapack.eigh>[0];
      const whole = lapack.eigh(matrix, n);
      const vectors = transposed(columnMajor(whole.vectors));
      small(dsyt21(a, vectors, whole.values, ulp), THRESHOLD, `${what}: A − Z·D·Zᵀ`);
      small(dort01(vectors, 'rows', ulp), THRESHOLD, `${what}: I − ZZᵀ`);
      assert.ok(
        whole.values.every((value, i) => value <= (whole.values[i - 1] ?? Infinity)),
        `${what}: D descends`,
      );
      for (const count of new Set([0, Math.min(1, n), Math.floor(n / 3), Math.floor(n / 2)])) {
        const some = lapack.eigh(matrix, count);
        small(apart(whole.values, some.values, 1, ulp, unfl), THRESHOLD, `${what}: D of ${count} vectors`);
        const part = { rows: n, cols: count, data: Float64Array.from(some.vectors.data) };
        small(
          dsyt22(a, part, some.values.subarray(0, count), ulp),
          THRESHOLD,
          `${what}: ZᵀAZ − D, ${count} vectors`,
        );
        small(dort01(part, 'columns', ulp), THRESHOLD, `${what}: I − ZᵀZ, ${count} vectors`);
        const image = residual(a, part, some.values);
        small(image / ulp, THRESHOLD, `${what}: A·Z − Z·D, ${count} vectors`);
      }
    }, bench);
  },
  doubles,
);

/** ‖A · Z − Z · D‖ / (‖A‖ · n): stricter than DSYT22 alone, which an invariant subspace of the wrong values passes too. */
function residual(a: Columns, z: Columns, d: ArrayLike<number>): number {
  let [worst, norm] = [0, 0];
  for (let k = 0; k < a.data.length; k++) norm = Math.max(norm, Math.abs(a.data[k]!));
  for (let c = 0; c < z.cols; c++) {
    for (let i = 0; i < a.rows; i++) {
      let sum = -d[c]! * z.data[i + c * a.rows]!;
      for (let j = 0; j < a.rows; j++) sum += a.data[i + j * a.rows]! * z.data[j + c * a.rows]!;
      worst = Math.max(worst, Math.abs(sum));
    }
  }
  return worst === 0 ? 0 : worst / (norm * a.rows);
}
