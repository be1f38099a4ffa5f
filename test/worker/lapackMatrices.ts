import type { Precision } from '../core/linalgCases';
import { single } from '../core/linalgCases';

/**
 * The test matrices of LAPACK's own test programs (LAPACK Working Note 41, sections 5.3 and 6.2; TESTING/MATGEN),
 * written anew from their documentation. Every matrix is made in double and then rounded to the precision under
 * test: what a routine is judged by is the matrix that it was given.
 */

/** A column-major matrix without gaps: element (i, j) is data[i + j * rows]. */
export interface Columns {
  readonly rows: number;
  readonly cols: number;
  readonly data: Float64Array;
}

/** A matrix of zeros. */
export function zeros(rows: number, cols: number): Columns {
  return { rows, cols, data: new Float64Array(rows * cols) };
}

/** What xLAMCH says of a precision: `eps` ('E'), `ulp` ('P'), the safe minimum, and the overflow threshold. */
export interface Machine {
  readonly eps: number;
  readonly ulp: number;
  readonly unfl: number;
  readonly ovfl: number;
}

export function machine(precision: Precision): Machine {
  const [eps, unfl, ovfl] =
    precision.name === single.name
      ? [2 ** -24, 2 ** -126, 2 ** 127 * (2 - 2 ** -23)]
      : [2 ** -53, 2 ** -1022, Number.MAX_VALUE];
  return { eps, ulp: 2 * eps, unfl, ovfl };
}

/** LAPACK's stream of random numbers. */
export interface Random {
  /** On (0, 1): DLARND's distribution 1. */
  uniform(): number;
  /** On (−1, 1): distribution 2. */
  symmetric(): number;
  /** Normally distributed: distribution 3. */
  normal(): number;
}

/** DLARAN: x := 33952834046453 · x mod 2⁴⁸, in two halves of 24 bits, from the odd seed that LAPACK's tests start with. */
export function lapackRandom(seed = 1): Random {
  const [half, high, low] = [2 ** 24, 2023746, 10275317];
  let [upper, lower] = [0, 2 * seed - 1];
  const uniform = () => {
    const product = lower * low;
    upper = (Math.floor(product / half) + upper * low + lower * high) % half;
    lower = product % half;
    return (upper * half + lower) / half ** 2;
  };
  return {
    uniform,
    symmetric: () => 2 * uniform() - 1,
    normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** How the spectrum of a matrix is spaced: DLATM1's modes 1, 3 and 4. */
export type Spacing = 'clustered' | 'geometric' | 'even';

/** DLATM1: `n` values from 1 down to 1/cond, scaled (DLATMS) so that the largest is `norm`. */
export function spectrum(n: number, spacing: Spacing, cond: number, norm: number): Float64Array {
  const value = (i: number) => {
    if (i === 0) return 1;
    if (spacing === 'clustered') return 1 / cond;
    if (spacing === 'geometric') return cond ** (-i / (n - 1));
    return ((n - 1 - i) / (n - 1)) * (1 - 1 / cond) + 1 / cond;
  };
  return Float64Array.from({ length: n }, (_, i) => value(i) * norm);
}

/** Random signs, as DLATM1 with IRSIGN = 1. */
export function withSigns(values: Float64Array, random: Random): Float64Array {
  return values.map((value) => (random.uniform() > 0.5 ? -value : value));
}

/** The m × n matrix with these values on its diagonal. */
export function diagonal(rows: number, cols: number, values: ArrayLike<number>): Columns {
  const a = zeros(rows, cols);
  for (let i = 0; i < Math.min(rows, cols); i++) a.data[i * (rows + 1)] = values[i]!;
  return a;
}

/** A := (I − 2vvᵀ/vᵀv) · A on the rows from `first` on. */
function reflectRows(a: Columns, first: number, v: readonly number[]): void {
  const factor = 2 / v.reduce((sum, value) => sum + value * value, 0);
  for (let j = 0; j < a.cols; j++) {
    const at = first + j * a.rows;
    let sum = 0;
    for (let i = 0; i < v.length; i++) sum += v[i]! * a.data[at + i]!;
    sum *= factor;
    for (let i = 0; i < v.length; i++) a.data[at + i]! -= sum * v[i]!;
  }
}

export function transposed(a: Columns): Columns {
  const result = zeros(a.cols, a.rows);
  for (let j = 0; j < a.cols; j++)
    for (let i = 0; i < a.rows; i++) result.data[j + i * a.cols] = a.data[i + j * a.rows]!;
  return result;
}

/** DLAGGE: U · D · V with random orthogonal U and V (products of Householder matrices, after Stewart 1980). */
export function dense(d: Columns, random: Random): Columns {
  let a: Columns = { ...d, data: d.data.slice() };
  for (let side = 0; side < 2; side++) {
    for (let i = a.rows - 1; i >= 0; i--)
      reflectRows(
        a,
        i,
        Array.from({ length: a.rows - i }, () => random.normal()),
      );
    a = transposed(a);
  }
  return a;
}

/** DLAGSY: U · D · Uᵀ, symmetric to the last bit. */
export function denseSymmetric(values: Float64Array, random: Random): Columns {
  const n = values.length;
  let a = diagonal(n, n, values);
  for (let i = n - 1; i >= 0; i--) {
    const v = Array.from({ length: n - i }, () => random.normal());
    reflectRows(a, i, v);
    a = transposed(a);
    reflectRows(a, i, v);
  }
  return symmetrised(a);
}

/** The lower triangle, mirrored. */
export function symmetrised(a: Columns): Columns {
  const result: Columns = { ...a, data: a.data.slice() };
  for (let j = 0; j < a.cols; j++)
    for (let i = 0; i < j; i++) result.data[i + j * a.rows] = a.data[j + i * a.rows]!;
  return result;
}

/** The elements that `keep` names, `rest` elsewhere. */
export function masked(a: Columns, keep: (i: number, j: number) => boolean, rest: number): Columns {
  return {
    ...a,
    data: a.data.map((value, k) => (keep(k % a.rows, Math.floor(k / a.rows)) ? value : rest)),
  };
}

/** Elements one after the other from `next`. */
export function filled(rows: number, cols: number, next: () => number): Columns {
  return { rows, cols, data: Float64Array.from({ length: rows * cols }, next) };
}

/** alpha · A. */
export function scaledBy(a: Columns, alpha: number): Columns {
  return { ...a, data: a.data.map((value) => alpha * value) };
}

/** A as the routine under test sees it. */
export function rounded(a: Columns, precision: Precision): Columns {
  return { ...a, data: Float64Array.from(precision.from(a.data)) };
}

/** A kind of test matrix. */
export interface MatrixType {
  readonly name: string;
  build(m: number, n: number, random: Random, machine: Machine): Columns;
}

const spaced = (spacing: Spacing, isDense: boolean): MatrixType => ({
  name: `${isDense ? 'dense' : 'diagonal'}, ${spacing} values`,
  build: (m, n, random, { ulp }) => {
    const d = diagonal(m, n, withSigns(spectrum(Math.min(m, n), spacing, 1 / ulp, 1), random));
    return isDense ? dense(d, random) : d;
  },
});

/** DDRVBD's types 3 to 5: evenly spaced values 1 … 1/min(m, n). */
const evenly = (name: string, norm: (machine: Machine) => number): MatrixType => ({
  name,
  build: (m, n, random, limits) => {
    const k = Math.min(m, n);
    return dense(diagonal(m, n, spectrum(k, 'even', Math.max(1, k), norm(limits))), random);
  },
});

/** DDRVBD's types, and those of DCHKBD that DDRVBD lacks: the other spacings, random, of low rank (DQRT15), graded. */
export const generalTypes: readonly MatrixType[] = [
  { name: 'zero', build: (m, n) => zeros(m, n) },
  { name: 'identity', build: (m, n) => diagonal(m, n, new Float64Array(Math.min(m, n)).fill(1)) },
  ...(['even', 'geometric', 'clustered'] as const).flatMap((spacing) => [
    spaced(spacing, false),
    spaced(spacing, true),
  ]),
  evenly('well conditioned', () => 1),
  evenly('near underflow', ({ unfl, ulp }) => unfl / ulp),
  evenly('near overflow', ({ ovfl, ulp }) => ovfl * ulp),
  { name: 'random', build: (m, n, random) => filled(m, n, random.symmetric) },
  {
    name: 'of rank 3/4',
    build: (m, n, random) => {
      const k = Math.min(m, n);
      const values = spectrum(k, 'even', 10, 1).map((value, i) => (i < Math.floor((3 * k) / 4) ? value : 0));
      return dense(diagonal(m, n, values), random);
    },
  },
  ...(['rows', 'columns'] as const).map(
    (along): MatrixType => ({
      name: `graded by ${along}`,
      build: (m, n, random, { ulp }) => {
        const a = filled(m, n, random.symmetric);
        const data = a.data.map(
          (value, k) => value * ulp ** ((along === 'rows' ? k % m : Math.floor(k / m)) / (m + n)),
        );
        return { ...a, data };
      },
    }),
  ),
];
