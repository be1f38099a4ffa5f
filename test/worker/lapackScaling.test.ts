import assert from 'node:assert/strict';
import type { Argument } from '../../src/worker/lapackCall';
import { scaled } from '../core/linalgCases';
import { type Bench, bench } from './lapackBench';
import { type Columns, filled, lapackRandom, rounded } from './lapackMatrices';

/**
 * BLAS near the ends of the range. Powers of two come out of every sum of products exactly: with operands scaled by
 * them the result is the scaled result, to the last bit, as long as no product leaves the range. And a NaN or an
 * infinity shows in the elements that depend on it and in no other.
 */

/** One call: the inputs and the result it overwrites by their places in `args`, each n × n or n × 1 with n = {@link ORDER}. */
interface Call {
  readonly routine: string;
  args(a: Argument, b: Argument, c: Argument, one: Argument): Argument[];
  /** The result scales with A^`a` · B^`b`; without `keeps` C is overwritten. */
  readonly a: number;
  readonly b: number;
}

const ORDER = 37;
const real = (value: number) => ({ real: value });
const [zero, unit] = [real(0), real(1)];
const n = ORDER;

const calls: readonly Call[] = [
  ...['N', 'T'].flatMap((ta) =>
    ['N', 'T'].map(
      (tb): Call => ({
        routine: 'gemm',
        args: (a, b, c) => [ta, tb, n, n, n, unit, a, n, b, n, zero, c, n],
        a: 1,
        b: 1,
      }),
    ),
  ),
  ...['L', 'U'].flatMap((uplo): Call[] => [
    { routine: 'syrk', args: (a, _, c) => [uplo, 'N', n, n, unit, a, n, zero, c, n], a: 2, b: 0 },
    { routine: 'syr2k', args: (a, b, c) => [uplo, 'T', n, n, unit, a, n, b, n, zero, c, n], a: 1, b: 1 },
    { routine: 'symv', args: (a, b, c) => [uplo, n, unit, a, n, b, 1, zero, c, 1], a: 1, b: 1 },
    { routine: 'symv', args: (a, b, c) => [uplo, n, unit, a, n, b, -1, zero, c, 2], a: 1, b: 1 },
    ...['L', 'R'].flatMap((side): Call[] => [
      { routine: 'trmm', args: (a, _, c) => [side, uplo, 'N', 'N', n, n, unit, a, n, c, n], a: 1, b: 0 },
      { routine: 'trsm', args: (a, _, c) => [side, uplo, 'T', 'N', n, n, unit, a, n, c, n], a: -1, b: 0 },
    ]),
  ]),
  ...['N', 'T'].flatMap((trans): Call[] => [
    { routine: 'gemv', args: (a, b, c) => [trans, n, n, unit, a, n, b, 1, zero, c, 1], a: 1, b: 1 },
    { routine: 'gemv', args: (a, b, c) => [trans, n, n, unit, a, n, b, 2, zero, c, -1], a: 1, b: 1 },
  ]),
];

/** Runs a call on matrices of order {@link ORDER} and returns C. */
function run({ scope }: Bench, call: Call, [a, b, c]: readonly [Columns, Columns, Columns]): Float64Array {
  return scope(({ put, name, instance }) => {
    const target = put(c);
    instance.caller.blas(name(call.routine), ...call.args(put(a), put(b), target, unit));
    return Float64Array.from(target.view());
  });
}

/** Three matrices; A has a dominant diagonal, so that its triangles can be solved with. */
function matrices({ precision }: Bench): [Columns, Columns, Columns] {
  const { symmetric } = lapackRandom(29);
  const [a, b, c] = [0, 1, 2].map(() => rounded(filled(n, n, symmetric), precision)) as [
    Columns,
    Columns,
    Columns,
  ];
  for (let i = 0; i < n; i++) a.data[i * (n + 1)] = 8;
  return [a, b, c];
}

const times = (a: Columns, exponent: number): Columns => ({
  ...a,
  data: a.data.map((value) => scaled(value, exponent)),
});

const isTriangular = ({ routine }: Call) => routine.startsWith('tr');

bench('operands scaled by powers of two scale the result by them, exactly', (bench) => {
  // Far out, but so that products and sums of 37 of them stay in range with bits to spare.
  const [far, near] = bench.ulp < 1e-10 ? [900, 450] : [100, 45];
  const [a, b, c] = matrices(bench);
  for (const call of calls) {
    const plain = run(bench, call, [a, b, c]);
    for (const [p, q] of [
      [near, near],
      [-near, -near],
      [far, -far],
      [-far, far],
      [far, -near],
    ] as const) {
      // A · Aᵀ squares the scale.
      const power = call.a === 2 ? Math.sign(p) * near : p;
      // C is the right-hand side of triangular calls.
      const right = call.a * q;
      const start = isTriangular(call) ? times(c, right) : c;
      const result = run(bench, call, [times(a, power), times(b, q), start]);
      const exponent = call.a * power + (isTriangular(call) ? right : call.b * q);
      plain.forEach((value, i) => {
        // The other triangle of syrk and syr2k, the gaps of a vector.
        if (!isTriangular(call) && Object.is(value, c.data[i])) return;
        const what = `${call.routine} ${call.args('', '', '', '').join(' ')}, 2^${power}, 2^${q}, element ${i}`;
        assert.equal(result[i], scaled(value, exponent), what);
      });
    }
  }
});

bench('NaN and infinity in an operand reach what depends on them and nothing else', (bench) => {
  const [a, b, c] = matrices(bench);
  const spoiled = (matrix: Columns, i: number, j: number, value: number): Columns => {
    const data = matrix.data.slice();
    data[i + j * n] = value;
    return { ...matrix, data };
  };
  for (const value of [Number.NaN, Infinity]) {
    for (const [i, j] of [
      [0, 0],
      [5, 30],
      [36, 36],
      [36, 2],
    ] as const) {
      for (const call of calls.filter(({ routine }) => routine === 'gemm')) {
        const [ta, tb] = call.args('', '', '', '') as [string, string];
        const plain = run(bench, call, [a, b, c]);
        const [row, column] = [ta === 'N' ? i : j, tb === 'N' ? j : i];
        const left = run(bench, call, [spoiled(a, i, j, value), b, c]);
        const right = run(bench, call, [a, spoiled(b, i, j, value), c]);
        for (let k = 0; k < n * n; k++) {
          const text = `gemm ${ta}${tb}, ${value} at ${i}, ${j}: element ${k}`;
          for (const [result, hit] of [
            [left, k % n === row],
            [right, Math.floor(k / n) === column],
          ] as const) {
            if (hit) assert.ok(!Number.isFinite(result[k]!), text);
            else assert.equal(result[k], plain[k], text);
          }
        }
      }
      // Right-hand sides and columns to be multiplied have nothing to do with each other.
      for (const call of calls.filter(isTriangular)) {
        const [side] = call.args('', '', '', '') as [string];
        const plain = run(bench, call, [a, b, c]);
        const result = run(bench, call, [a, b, spoiled(c, i, j, value)]);
        for (let k = 0; k < n * n; k++) {
          const mayChange = side === 'L' ? Math.floor(k / n) === j : k % n === i;
          const text = `${call.routine} ${side}, ${value} at ${i}, ${j}: element ${k}`;
          if (!mayChange) assert.equal(result[k], plain[k], text);
        }
        assert.ok(!Number.isFinite(result[i + j * n]!), `${call.routine} ${side}, ${value} stays`);
      }
    }
  }
});
