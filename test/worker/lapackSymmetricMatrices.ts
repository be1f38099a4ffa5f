import {
  type Columns,
  denseSymmetric,
  diagonal,
  filled,
  lapackRandom,
  type Machine,
  type Random,
  type Spacing,
  scaledBy,
  spectrum,
  symmetrised,
  withSigns,
  zeros,
} from './lapackMatrices';
import { tridiagonal } from './lapackRatios';

/** The symmetric matrices of LAPACK's tests of eigenproblems and of Cholesky factors. */

/** A kind of symmetric test matrix. */
export interface SymmetricType {
  readonly name: string;
  build(n: number, random: Random, machine: Machine): Columns;
}

const norms = {
  'of order one': () => 1,
  'near √overflow': (n: number, { ovfl, ulp }: Machine) => (Math.sqrt(ovfl) * ulp) / Math.max(1, n),
  'near √underflow': (n: number, { unfl, ulp }: Machine) => (Math.sqrt(unfl) * n) / ulp,
};
type Size = keyof typeof norms;

type Kind = 'diagonal' | 'dense' | 'positive definite';

/** DCHKST's types 3 to 12 and 16 to 20: a spectrum of given spacing, with random signs or positive. */
const spaced = (kind: Kind, spacing: Spacing, size: Size = 'of order one'): SymmetricType => ({
  name: `${kind}, ${spacing} eigenvalues, ${size}`,
  build: (n, random, machine) => {
    const cond = kind === 'positive definite' ? Math.max(1, 1 / machine.ulp / n / 10) : 1 / machine.ulp;
    const values = spectrum(n, spacing, cond, norms[size](n, machine));
    if (kind === 'positive definite') return denseSymmetric(values, random);
    const signed = withSigns(values, random);
    return kind === 'diagonal' ? diagonal(n, n, signed) : denseSymmetric(signed, random);
  },
});

/** DCHKST's types 13 to 15. */
const random = (size: Size): SymmetricType => ({
  name: `random, ${size}`,
  build: (n, next, machine) => scaledBy(symmetrised(filled(n, n, next.symmetric)), norms[size](n, machine)),
});

/** DCHKST's 21 types, numbered as there, then ours: what a Gram matrix of low rank and a graded one look like. */
export const symmetricTypes: readonly SymmetricType[] = [
  { name: 'zero', build: (n) => zeros(n, n) },
  { name: 'identity', build: (n) => diagonal(n, n, new Float64Array(n).fill(1)) },
  spaced('diagonal', 'even'),
  spaced('diagonal', 'geometric'),
  spaced('diagonal', 'clustered'),
  spaced('diagonal', 'even', 'near √overflow'),
  spaced('diagonal', 'even', 'near √underflow'),
  spaced('dense', 'even'),
  spaced('dense', 'geometric'),
  spaced('dense', 'clustered'),
  spaced('dense', 'even', 'near √overflow'),
  spaced('dense', 'even', 'near √underflow'),
  random('of order one'),
  random('near √overflow'),
  random('near √underflow'),
  spaced('positive definite', 'even'),
  spaced('positive definite', 'geometric'),
  spaced('positive definite', 'clustered'),
  spaced('positive definite', 'even', 'near √overflow'),
  spaced('positive definite', 'even', 'near √underflow'),
  {
    name: 'tridiagonal, dominant diagonal',
    build: (n, next, { ulp }) => {
      const d = spectrum(n, 'geometric', 1 / ulp, 1);
      const e = Array.from(d, (value, i) => 0.5 * Math.sqrt(value * (d[i + 1] ?? 0)) * next.symmetric());
      return tridiagonal(d, e);
    },
  },
  {
    name: 'of rank n/4',
    build: (n, next) =>
      denseSymmetric(
        spectrum(n, 'even', 10, 1).map((value, i) => (i < Math.ceil(n / 4) ? value : 0)),
        next,
      ),
  },
  {
    name: 'graded',
    build: (n, next, { ulp }) => {
      const a = symmetrised(filled(n, n, next.symmetric));
      return {
        ...a,
        data: a.data.map((value, k) => value * ulp ** (((k % n) + Math.floor(k / n)) / (2 * n))),
      };
    },
  },
];

/** A symmetric tridiagonal matrix. */
export interface Tridiagonal {
  readonly name: string;
  readonly d: Float64Array;
  readonly e: Float64Array;
}

/** Tridiagonal matrices that are hard for their eigensolvers (LAWN 182 and 183, on DSTEMR's tests): 1-2-1, Wilkinson's, glued, splitting, Clement's. */
export function tridiagonals(n: number): Tridiagonal[] {
  const make = (name: string, d: (i: number) => number, e: (i: number) => number): Tridiagonal => ({
    name: `${name} of order ${n}`,
    d: Float64Array.from({ length: n }, (_, i) => d(i)),
    e: Float64Array.from({ length: Math.max(0, n - 1) }, (_, i) => e(i)),
  });
  const middle = (n - 1) / 2;
  const next = lapackRandom(n).normal;
  return [
    make(
      '1-2-1',
      () => 2,
      () => 1,
    ),
    make(
      "Wilkinson's W⁺",
      (i) => Math.abs(i - middle),
      () => 1,
    ),
    make(
      'Wilkinson’s matrices glued',
      (i) => Math.abs((i % 21) - 10),
      (i) => (i % 21 === 20 ? 1e-14 : 1),
    ),
    make(
      "Clement's",
      () => 0,
      (i) => Math.sqrt((i + 1) * (n - 1 - i)),
    ),
    make(
      'splitting',
      (i) => i % 3,
      (i) => (i % 4 === 3 ? 0 : 1),
    ),
    make(
      'graded',
      (i) => 10 ** (-i / 3),
      (i) => 10 ** (-(i + 1) / 3),
    ),
    make(
      'with a tiny coupling',
      () => 1,
      () => 2 ** -60,
    ),
    make('random', next, next),
    make(
      'random, near √overflow',
      () => next() * 2 ** 480,
      () => next() * 2 ** 480,
    ),
    make(
      'random, near √underflow',
      () => next() * 2 ** -480,
      () => next() * 2 ** -480,
    ),
  ];
}

/** DLATB4 and DLATB5 for DPO: the symmetric positive definite types 1, 2 and 6 to 9. */
export const definiteTypes: readonly SymmetricType[] = [
  {
    name: 'diagonal',
    build: (n) => diagonal(n, n, spectrum(n, 'geometric', 2, 1)),
  },
  ...(
    [
      ['condition 2', () => [2, 1]],
      ['condition √(0.1/ulp)', ({ ulp }) => [Math.sqrt(0.1 / ulp), 1]],
      ['condition 0.1/ulp', ({ ulp }) => [0.1 / ulp, 1]],
      ['near underflow', ({ unfl, ulp }) => [2, (0.25 * unfl) / ulp]],
      ['near overflow', ({ unfl, ulp }) => [2, ulp / (0.25 * unfl)]],
    ] as [string, (machine: Machine) => [number, number]][]
  ).map(
    ([name, shape]): SymmetricType => ({
      name,
      build: (n, next, machine) => denseSymmetric(spectrum(n, 'geometric', ...shape(machine)), next),
    }),
  ),
];
