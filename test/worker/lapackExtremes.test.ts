import assert from 'node:assert/strict';
import { scaled } from '../core/linalgCases';
import { type Bench, bench } from './lapackBench';
import { dot2 } from './lapackBlasRatios';
import { lapackRandom, type Random } from './lapackMatrices';

/**
 * The norms and rotations that LAPACK 3.10 and later has in Fortran 90 and we in C, over the whole range of numbers:
 * Blue's classes (ACM TOMS 4(1), 1978) of small, medium and big elements and their mixtures, subnormals, infinity
 * and NaN, as DB1NRM2 of later BLAS tests and DROTG's check do.
 */

/** In units of the last place per element. */
const THRESHOLD = 16;

/** The exponents of the smallest subnormal, the smallest normal and the largest power of two. */
const range = ({ ulp }: Bench) =>
  ulp < 1e-10 ? { least: -1074, bottom: -1022, top: 1023 } : { least: -149, bottom: -126, top: 127 };

/** A random number with an exponent between the two. */
const between = (random: Random, low: number, high: number) =>
  scaled(
    (random.uniform() > 0.5 ? 1 : -1) * (1 + random.uniform()),
    Math.floor(low + (high - low) * random.uniform()),
  );

/** Vectors of every class and mixture of classes. The sum's root may overflow: that is part of it. */
function* vectors(bench: Bench, random: Random): Generator<Float64Array> {
  const { least, bottom, top } = range(bench);
  const classes: [number, number][] = [
    [least, bottom],
    [bottom, bottom / 2],
    [bottom / 2, top / 2],
    [top / 2, top - 6],
    [top - 3, top],
    [least, top - 6],
  ];
  for (const n of [1, 2, 3, 5, 10, 37]) {
    for (const [i, one] of classes.entries()) {
      for (const [j, other] of classes.entries()) {
        for (let repeat = 0; repeat < 3; repeat++) {
          const pick = (k: number) => (k % 2 === 0 ? one : other);
          if (i === j && repeat > 1) continue;
          const values = Array.from({ length: n }, (_, k) => between(random, ...pick(k)));
          yield Float64Array.from(bench.precision.from(values));
        }
      }
    }
  }
}

/** √(Σ x²) as f · 2^e: the powers of two come out first, so nothing overflows or underflows that counts. */
function euclid(values: ArrayLike<number>): { factor: number; exponent: number } {
  const largest = Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0 || !Number.isFinite(largest)) return { factor: largest, exponent: 0 };
  const exponent = Math.floor(Math.log2(largest));
  const at = (i: number) => scaled(values[i]!, -exponent);
  return { factor: Math.sqrt(dot2(values.length, at, at).sum), exponent };
}

/** The ratio |computed − exact| / (exact · n · ulp), where an absolute error of the smallest subnormal is none. */
function distance(
  bench: Bench,
  computed: number,
  { factor, exponent }: ReturnType<typeof euclid>,
  n: number,
): number {
  const rounded = bench.precision.from([scaled(factor, exponent)])[0]!;
  // Rounding may go over the edge where the exact value is below it, and the other way round.
  const { least, top } = range(bench);
  if (computed === rounded) return 0;
  if (Math.abs(computed) === Infinity || Math.abs(rounded) === Infinity) {
    const finite = scaled(Math.min(Math.abs(computed), Math.abs(rounded)), -top);
    return (2 - finite) / (n * bench.ulp);
  }
  const error = Math.abs(scaled(computed, -exponent) - factor);
  return Math.max(0, error - scaled(1, Math.max(-1074, least - exponent))) / factor / (n * bench.ulp);
}

/** The vector with a step, NaN in between. */
function laid(values: Float64Array, step: number): Float64Array {
  const data = new Float64Array(Math.max(1, values.length * Math.abs(step))).fill(Number.NaN);
  values.forEach((value, i) => {
    data[(step > 0 ? i : values.length - 1 - i) * Math.abs(step)] = value;
  });
  return data;
}

bench('xNRM2 and xLASSQ', (bench) => {
  const random = lapackRandom(17);
  for (const values of vectors(bench, random)) {
    const n = values.length;
    const what = `[${values.subarray(0, 4).join(', ')}${n > 4 ? ', …' : ''}] of ${n}`;
    for (const step of [1, 2, -1, -2]) {
      bench.scope(({ arena, instance: { caller }, name, precision, small }) => {
        const x = arena.copy(precision.from(laid(values, step)));
        const norm = caller.blas(name('nrm2'), n, x, step);
        small(distance(bench, norm, euclid(values), n), THRESHOLD, `nrm2 ${what}, step ${step}`);
        // LAPACK starts from (0, 1), from (1, 0) or from the sum of another vector.
        const { bottom, top } = range(bench);
        const earlier = Math.abs(between(random, bottom, top - 4));
        for (const [scale, sum] of [
          [0, 1],
          [1, 0],
          [earlier, 1 + random.uniform()],
        ] as const) {
          const [a, b] = [arena.copy(precision.from([scale])), arena.copy(precision.from([sum]))];
          // scale² · sum as the elements scale · √sum.
          const start = a.view()[0]! * Math.sqrt(b.view()[0]!);
          caller.blas(name('lassq'), n, x, step, a, b);
          const [factor, square] = [a.view()[0]!, b.view()[0]!];
          assert.ok(Number.isFinite(factor) && Number.isFinite(square), `lassq ${what}`);
          const exact = euclid([...values, start]);
          const total = scaled(factor, -exact.exponent) * Math.sqrt(square);
          const error = exact.factor === 0 ? total : Math.abs(total - exact.factor) / exact.factor;
          small(error / ((n + 1) * bench.ulp), THRESHOLD, `lassq ${what}, from ${scale}² · ${sum}`);
        }
      });
    }
  }
});

bench(
  'xNRM2 and xLASSQ with infinity and NaN among the elements',
  ({ arena, instance: { caller }, precision, name }) => {
    const { NaN: none } = Number;
    for (const n of [1, 2, 3, 8]) {
      for (let at = 0; at < n; at++) {
        for (const [special, also] of [
          [Infinity, 1],
          [-Infinity, Infinity],
          [none, 1],
          [none, Infinity],
          [none, 0],
        ] as const) {
          const values = new Float64Array(n).fill(also);
          values[at] = special;
          const expected = Number.isNaN(special) ? none : Infinity;
          const x = arena.copy(precision.from(values));
          assert.equal(caller.blas(name('nrm2'), n, x, 1), expected, `nrm2 [${values.join(', ')}]`);
          const [scale, sum] = [arena.copy(precision.from([1])), arena.copy(precision.from([0]))];
          caller.blas(name('lassq'), n, x, 1, scale, sum);
          const total = scale.view()[0]! * Math.sqrt(sum.view()[0]!);
          assert.equal(total, expected, `lassq [${values.join(', ')}]`);
        }
      }
    }
  },
);

bench('xLARTG: c, s and r each to a few units in the last place', (bench) => {
  const {
    arena,
    instance: { caller },
    precision,
    name,
    small,
  } = bench;
  const random = lapackRandom(23);
  const { least, top } = range(bench);
  const [c, s, r] = [0, 1, 2].map(() => arena.copy(precision.from([0])));
  for (let i = 0; i < 20_000; i++) {
    const far = between(random, least, top);
    // Half of them of similar magnitude, where neither c nor s is trivial.
    const near = far * between(random, -3, 3);
    const pair = precision.from([far, i % 2 === 0 ? near : between(random, least, top)]);
    const [f, g] = (i % 4 < 2 ? [...pair] : [...pair].reverse()) as [number, number];
    if (!Number.isFinite(f) || !Number.isFinite(g) || f === 0 || g === 0) continue;
    caller.blas(name('lartg'), { real: f }, { real: g }, c!, s!, r!);
    const [cosine, sine, length] = [c, s, r].map((block) => block!.view()[0]!) as [number, number, number];
    const norm = euclid([f, g]);
    const what = `lartg(${f}, ${g})`;
    const sign = Math.sign(f);
    small(distance(bench, length * sign, norm, 1), THRESHOLD, `${what}: r`);
    for (const [computed, part, text] of [
      [cosine, Math.abs(f), 'c'],
      [sine * sign, g, 's'],
    ] as const) {
      const exponent = Math.floor(Math.log2(Math.abs(part)));
      const quotient = { factor: scaled(part, -exponent) / norm.factor, exponent: exponent - norm.exponent };
      const exact = scaled(quotient.factor, quotient.exponent);
      const error = Math.max(0, Math.abs(computed - exact) - scaled(1, least));
      small(error === 0 ? 0 : error / Math.abs(exact) / bench.ulp, THRESHOLD, `${what}: ${text}`);
    }
  }
  // The special cases are exact.
  for (const [f, g, expected] of [
    [0, 0, [1, 0, 0]],
    [-3, 0, [1, 0, -3]],
    [0, -4, [0, -1, 4]],
    [0, 2 ** -140, [0, 1, 2 ** -140]],
  ] as const) {
    caller.blas(name('lartg'), { real: f }, { real: g }, c!, s!, r!);
    assert.deepEqual(
      [c, s, r].map((block) => block!.view()[0]! + 0),
      [...expected],
      `lartg(${f}, ${g})`,
    );
  }
});
