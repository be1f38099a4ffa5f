import { type Bench, bench, columnMajor, rowMajor } from './lapackBench';
import {
  type Columns,
  dense,
  diagonal,
  generalTypes,
  lapackRandom,
  type MatrixType,
  masked,
  rounded,
  spectrum,
  transposed,
} from './lapackMatrices';
import { dort01, dqrt01, leading } from './lapackRatios';

/** Of LAPACK's dtest.in. */
const THRESHOLD = 30;

/** dtest.in's sizes against each other for DCHKQR's types, pairs of them for the others. */
const sizes = [0, 1, 2, 3, 5, 10, 50];
const square = sizes.flatMap((m) => sizes.map((n) => [m, n] as const));
const pairs = [1, 3, 16, 50].flatMap((m) => [2, 16, 50].map((n) => [m, n] as const));
/** Across several blocks of 32 columns, and the crossover at 128. */
const larger = [
  [150, 135],
  [40, 170],
] as const;

/** A dense m × n matrix with geometrically spaced singular values 1 … 1/cond (DLATMS, mode 3) times `norm`. */
const latms = (m: number, n: number, cond: number, norm: number, seed: number): Columns =>
  dense(diagonal(m, n, spectrum(Math.min(m, n), 'geometric', cond, norm)), lapackRandom(seed));

/** DLATB4's eight types for DQR and DLQ. The triangular ones are parts of dense ones. */
const types: readonly MatrixType[] = [
  { name: 'diagonal', build: (m, n) => diagonal(m, n, spectrum(Math.min(m, n), 'geometric', 2, 1)) },
  {
    name: 'upper triangular',
    build: (m, n) => masked(latms(m, n, 2, 1, 3), (i, j) => i <= j, 0),
  },
  {
    name: 'lower triangular',
    build: (m, n) => masked(latms(m, n, 2, 1, 4), (i, j) => i >= j, 0),
  },
  { name: 'condition 2', build: (m, n) => latms(m, n, 2, 1, 5) },
  { name: 'condition √(0.1/ulp)', build: (m, n, _, { ulp }) => latms(m, n, Math.sqrt(0.1 / ulp), 1, 6) },
  { name: 'condition 0.1/ulp', build: (m, n, _, { ulp }) => latms(m, n, 0.1 / ulp, 1, 7) },
  { name: 'near underflow', build: (m, n, _, { unfl, ulp }) => latms(m, n, 2, (0.25 * unfl) / ulp, 8) },
  { name: 'near overflow', build: (m, n, _, { unfl, ulp }) => latms(m, n, 2, ulp / (0.25 * unfl), 9) },
];

function cases(bench: Bench, check: (what: string, a: Columns) => void): void {
  const run = (shapes: readonly (readonly [number, number])[], kinds: readonly MatrixType[]) => {
    for (const [m, n] of shapes) {
      for (const type of kinds) {
        const a = type.build(m, n, lapackRandom(m + 3 * n), bench);
        check(`${type.name} ${m} × ${n}`, rounded(a, bench.precision));
      }
    }
  };
  run(square, types);
  run(pairs, generalTypes);
  run(larger, types.slice(3));
}

/** xGEQRF and xORGQR (or for the transpose xGELQF and xORGLQ): the square Q, its first k columns made alone, and R. */
function factorise({ put, room, get, driver }: Bench, a: Columns, lq: boolean) {
  const { rows: m, cols: n } = a;
  const k = Math.min(m, n);
  // All as for QR: what xGELQF works on is the transpose.
  const factor = put(lq ? transposed(a) : a, (lq ? n : m) + 2);
  const ld = (lq ? n : m) + 2;
  const tau = room(k, 1);
  driver(lq ? 'gelqf' : 'geqrf', [...(lq ? [n, m] : [m, n]), factor, ld, tau]);
  const packed = lq ? transposed(get(factor, n, m, ld)) : get(factor, m, n, ld);
  const reflectors = leading(packed, k);
  const make = (columns: number): Columns => {
    const start = { rows: m, cols: columns, data: new Float64Array(m * columns).fill(Number.NaN) };
    start.data.set(reflectors.data);
    const q = lq ? put(transposed(start), columns + 1) : put(start, m + 1);
    const order = lq ? [columns, m, k] : [m, columns, k];
    driver(lq ? 'orglq' : 'orgqr', [...order, q, lq ? columns + 1 : m + 1, tau]);
    return lq ? transposed(get(q, columns, m, columns + 1)) : get(q, m, columns, m + 1);
  };
  return { q: make(m), thin: make(k), r: masked(packed, (i, j) => i <= j, 0) };
}

for (const lq of [false, true]) {
  bench(lq ? 'xGELQF and xORGLQ, tests of DCHKLQ' : 'xGEQRF and xORGQR, tests of DCHKQR', (bench) => {
    const { small, eps } = bench;
    cases(bench, (what, a) => {
      const { q, thin, r } = bench.scope((inner) => factorise(inner, a, lq));
      small(dqrt01(a, q, r, eps), THRESHOLD, `${what}: R − QᵀA`);
      small(dort01(q, 'columns', eps), THRESHOLD, `${what}: I − QᵀQ`);
      // DQRT02: the thin Q alone.
      const top = transposed(leading(transposed(r), thin.cols));
      small(dqrt01(a, thin, top, eps), THRESHOLD, `${what}: R − QᵀA, thin`);
      small(dort01(thin, 'columns', eps), THRESHOLD, `${what}: I − QᵀQ, thin`);
    });
  });
}

bench("the port's qr", (bench) => {
  const { small, eps, precision, lapack } = bench;
  cases(bench, (what, a) => {
    const factors = lapack.qr(rowMajor(a, precision));
    const [q, r] = [columnMajor(factors.q), columnMajor(factors.r)];
    small(dqrt01(a, q, r, eps), THRESHOLD, `${what}: R − QᵀA`);
    small(dort01(q, 'columns', eps), THRESHOLD, `${what}: I − QᵀQ`);
  });
});
