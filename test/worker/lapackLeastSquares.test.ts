import assert from 'node:assert/strict';
import { type Bench, bench, columnMajor, rowMajor } from './lapackBench';
import { dqrt14, dqrt16, dqrt17, spectrumError } from './lapackLeastSquaresRatios';
import {
  type Columns,
  dense,
  diagonal,
  filled,
  lapackRandom,
  type Machine,
  type Random,
  rounded,
  scaledBy,
  zeros,
} from './lapackMatrices';
import { apart, normMax, product } from './lapackRatios';

/** Of LAPACK's dtest.in. */
const THRESHOLD = 30;

const sizes = [0, 1, 2, 3, 5, 10, 50];
const shapes = [
  ...sizes.flatMap((m) => sizes.map((n) => [m, n] as const)),
  ...([
    [16, 130],
    [130, 16],
    [90, 70],
    [70, 90],
  ] as const),
];
const rightHandSides = [1, 2, 15];

type Scale = 'of order one' | 'near overflow' | 'near underflow';
const scales: readonly Scale[] = ['of order one', 'near overflow', 'near underflow'];

interface Problem {
  readonly a: Columns;
  /** In the range of A. */
  readonly b: Columns;
  readonly s: Float64Array;
  readonly rank: number;
}

/** DQRT15: A of full rank or of 3/4 of it with singular values on (0.1, 1), B in its range, both scaled alike. */
function dqrt15(
  m: number,
  n: number,
  k: number,
  full: boolean,
  scale: Scale,
  random: Random,
  machine: Machine,
): Problem {
  const fewer = Math.min(m, n);
  const rank = full ? fewer : Math.floor((3 * fewer) / 4);
  const values = Float64Array.from({ length: fewer }, (_, i) =>
    i >= rank ? 0 : i === 0 ? 1 : 0.1 + 0.9 * random.uniform(),
  ).sort((x, y) => y - x);
  const a = dense(diagonal(m, n, values), random);
  const b = rank === 0 ? zeros(m, k) : product(a, filled(n, k, random.symmetric));
  const { unfl, eps } = machine;
  const small = unfl / eps / eps;
  const size = scale === 'of order one' ? 1 : scale === 'near overflow' ? 1 / small : small;
  const factor = size === 1 || rank === 0 ? 1 : size / normMax(a.data);
  return { a: scaledBy(a, factor), b: scaledBy(b, factor), s: values.map((value) => value * factor), rank };
}

/** DDRVLS's RCOND: between eps and √eps. */
const rcond = (eps: number) => (Math.sqrt(eps) + eps) / 2;

function problems(bench: Bench, check: (problem: Problem, what: string) => void): void {
  for (const [m, n] of shapes) {
    for (const k of Math.max(m, n) > 50 ? [2] : rightHandSides) {
      for (const full of [true, false]) {
        for (const scale of scales) {
          const problem = dqrt15(m, n, k, full, scale, lapackRandom(m + 5 * n + k), bench);
          const [a, b] = [rounded(problem.a, bench.precision), rounded(problem.b, bench.precision)];
          const what = `${full ? 'full rank' : 'rank 3/4'}, ${scale}, ${m} × ${n}, ${k} right-hand sides`;
          check({ ...problem, a, b }, what);
        }
      }
    }
  }
}

/** Tests 15 to 18 of DDRVLS. */
function judge(
  { small, eps }: Bench,
  { a, b, s }: Problem,
  x: Columns,
  sigma: Float64Array,
  rank: number,
  what: string,
) {
  small(spectrumError(sigma, s, eps), THRESHOLD, `${what}: singular values`);
  small(dqrt16(a, x, b, eps), THRESHOLD, `${what}: B − A·X`);
  if (a.rows > rank) small(dqrt17(a, x, b, eps, true), THRESHOLD, `${what}: (B − A·X)ᵀ·A`);
  if (a.cols > rank) small(dqrt14(a, x, eps), THRESHOLD, `${what}: X in the space of A's rows`);
}

bench('xGELSD, tests 15 to 18 of DDRVLS', (bench) => {
  problems(bench, (problem, what) => {
    const { a, b } = problem;
    const { rows: m, cols: n } = a;
    const [fewer, more] = [Math.min(m, n), Math.max(m, n)];
    bench.scope(({ put, room, get, arena, driver }) => {
      const [lda, ldb] = [m + 1, Math.max(1, more + 2)];
      const target = room(more, b.cols, ldb);
      const view = target.view();
      for (let j = 0; j < b.cols; j++) view.set(b.data.subarray(j * m, (j + 1) * m), j * ldb);
      const [s, rank] = [room(fewer, 1), arena.i32(1)];
      const whole = 3 * fewer * 6 + 11 * fewer;
      driver(
        'gelsd',
        [m, n, b.cols, put(a, lda), lda, target, ldb, s, { real: rcond(bench.eps) }, rank],
        [arena.i32(Math.max(1, whole))],
      );
      if (fewer === 0) return;
      assert.equal(rank.view()[0], problem.rank, `${what}: rank`);
      const x = get(target, n, b.cols, ldb);
      judge(bench, problem, x, get(s, fewer, 1).data, problem.rank, what);
    });
  });
});

bench("the port's leastSquares, the same tests", (bench) => {
  const { lapack, precision } = bench;
  problems(bench, (problem, what) => {
    const { a, b } = problem;
    const solved = lapack.leastSquares(rowMajor(a, precision), rowMajor(b, precision), rcond(bench.eps));
    assert.equal(solved.rank, problem.rank, `${what}: rank`);
    judge(bench, problem, columnMajor(solved.x), solved.sigma, solved.rank, what);
  });
});

bench("the port's leastSquares: right-hand sides out of the range (DQRT17, IRESID = 2)", (bench) => {
  const { lapack, precision, small, eps, ulp, unfl } = bench;
  for (const [m, n] of shapes) {
    for (const full of [true, false]) {
      const what = `${full ? 'full rank' : 'rank 3/4'}, ${m} × ${n}`;
      const problem = dqrt15(m, n, 2, full, 'of order one', lapackRandom(m + n), bench);
      const a = rounded(problem.a, precision);
      const b = rounded(filled(m, 2, lapackRandom(m).symmetric), precision);
      const { x, sigma, rank } = lapack.leastSquares(
        rowMajor(a, precision),
        rowMajor(b, precision),
        rcond(eps),
      );
      assert.equal(rank, problem.rank, what);
      small(apart(sigma, problem.s, Math.min(m, n), ulp, unfl), THRESHOLD, `${what}: singular values`);
      if (m > rank) small(dqrt17(a, columnMajor(x), b, eps, false), THRESHOLD, `${what}: (B − A·X)ᵀ·A`);
      if (n > rank) small(dqrt14(a, columnMajor(x), eps), THRESHOLD, `${what}: X in the space of A's rows`);
    }
  }
});
