import assert from 'node:assert/strict';
import test from 'node:test';
import type { Numbers } from '../../src/core/tensor/matrix';
import type { Arena, Block } from '../../src/worker/arena';
import { type Instance, instantiate } from '../../src/worker/lapack';
import { double, normals, type Precision, single } from '../core/linalgCases';
import { lapackModules } from './lapackModules';

/**
 * The BLAS kernels against loops that follow the definitions, in double. Matrices are column-major with a
 * leading dimension beyond their rows; what lies in the gaps is NaN and has to stay so: a kernel that reads
 * it spoils its result, one that writes it is found out.
 */

/** A column-major matrix: element (i, j) is data[i + j * ld]. */
interface Columns {
  readonly rows: number;
  readonly cols: number;
  readonly ld: number;
  readonly data: Float64Array;
}

const at = (a: Columns, i: number, j: number) => a.data[i + j * a.ld]!;
const options = { trans: ['N', 'T', 'c'], uplo: ['L', 'u'], side: ['L', 'r'], diag: ['N', 'u'] } as const;
const factors = [0, 1, -1.5] as const;

/** Element (i, j) of op(A). */
const op = (a: Columns, trans: string, i: number, j: number) => (trans === 'N' ? at(a, i, j) : at(a, j, i));

function columns(precision: Precision, rows: number, cols: number, seed: number): Columns {
  const ld = rows + 3;
  const next = normals(seed);
  const data = new Float64Array(ld * cols).fill(Number.NaN);
  for (let j = 0; j < cols; j++) for (let i = 0; i < rows; i++) data[i + j * ld] = next();
  return { rows, cols, ld, data: Float64Array.from(precision.from(data)) };
}

/** A copy with the elements outside the triangle (and, if asked, on the diagonal) NaN. */
function onlyTriangle(a: Columns, uplo: string, unit = false): Columns {
  const data = a.data.slice();
  for (let j = 0; j < a.cols; j++) {
    for (let i = 0; i < a.rows; i++) {
      if ((uplo === 'L' ? i < j : i > j) || (unit && i === j)) data[i + j * a.ld] = Number.NaN;
    }
  }
  return { ...a, data };
}

/** Compares element by element; where `expected` is NaN the result must be too. */
function assertClose(actual: Numbers, expected: Float64Array, bound: number, what: string): void {
  for (let i = 0; i < expected.length; i++) {
    const [value, wanted] = [actual[i]!, expected[i]!];
    if (Number.isNaN(wanted) ? Number.isNaN(value) : Math.abs(value - wanted) <= bound) continue;
    assert.fail(`${what}: element ${i} is ${value}, not ${wanted} ± ${bound}`);
  }
}

interface Bench {
  readonly instance: Instance;
  readonly arena: Arena;
  readonly precision: Precision;
  /** The routine's name with the precision's letter. */
  name(routine: string): string;
  put(values: Float64Array): Block<Numbers>;
}

const modules = lapackModules();
function kernel(what: string, check: (bench: Bench) => void): void {
  for (const { name, module } of modules) {
    for (const precision of [single, double] as const) {
      test(`${name}, ${precision.name}: ${what}`, () => {
        const instance = instantiate(module);
        instance.heap.scope(what, (arena) => {
          check({
            instance,
            arena,
            precision: precision as Precision,
            name: (routine) => (precision === single ? 's' : 'd') + routine,
            put: (values) => arena.copy((precision as Precision).from(values)),
          });
        });
      });
    }
  }
}

/** How far a sum of `n` products of elements of order one may be off. */
const tolerance = (precision: Precision, n: number) => 100 * precision.epsilon * (n + 1);

kernel('gemm', ({ instance, precision, put, name }) => {
  const sizes = [
    [1, 1, 1],
    [3, 2, 5],
    [8, 6, 4],
    [13, 11, 17],
    [130, 7, 40],
    [245, 19, 30],
    [9, 14, 530],
  ] as const;
  for (const [m, n, k] of sizes) {
    for (const ta of options.trans) {
      for (const tb of options.trans) {
        const a = ta === 'N' ? columns(precision, m, k, 1) : columns(precision, k, m, 1);
        const b = tb === 'N' ? columns(precision, k, n, 2) : columns(precision, n, k, 2);
        const product = new Float64Array(m * n);
        for (let j = 0; j < n; j++) {
          for (let i = 0; i < m; i++) {
            let sum = 0;
            for (let p = 0; p < k; p++) sum += op(a, ta, i, p) * op(b, tb, p, j);
            product[i + j * m] = sum;
          }
        }
        const [blockA, blockB] = [put(a.data), put(b.data)];
        for (const alpha of factors) {
          for (const beta of factors) {
            const c = columns(precision, m, n, 3);
            // With beta = 0 the old C counts for nothing, whatever it holds.
            if (beta === 0) for (let j = 0; j < n; j++) c.data.fill(Number.NaN, j * c.ld, j * c.ld + m);
            const expected = c.data.slice();
            for (let j = 0; j < n; j++) {
              for (let i = 0; i < m; i++) {
                expected[i + j * c.ld] = alpha * product[i + j * m]! + (beta === 0 ? 0 : beta * at(c, i, j));
              }
            }
            const block = put(c.data);
            instance.caller.blas(
              name('gemm'),
              ...[ta, tb, m, n, k, { real: alpha }, blockA, a.ld, blockB, b.ld, { real: beta }, block, c.ld],
            );
            const what = `${ta}${tb} ${m} × ${n} × ${k}, alpha ${alpha}, beta ${beta}`;
            assertClose(block.view(), expected, tolerance(precision, k), what);
          }
        }
      }
    }
  }
});

kernel('gemm over more columns than a panel', ({ instance, precision, arena, name }) => {
  const [m, n, k] = [3, 3100, 5];
  const [a, b] = [columns(precision, m, k, 1), columns(precision, k, n, 2)];
  const [blockA, blockB] = [arena.copy(precision.from(a.data)), arena.copy(precision.from(b.data))];
  const c = arena.like(precision.from([]), m * n);
  const real = [{ real: 1 }, { real: 0 }] as const;
  instance.caller.blas(name('gemm'), 'N', 'N', m, n, k, real[0], blockA, a.ld, blockB, b.ld, real[1], c, m);
  const expected = new Float64Array(m * n);
  for (let j = 0; j < n; j++)
    for (let i = 0; i < m; i++) for (let p = 0; p < k; p++) expected[i + j * m]! += at(a, i, p) * at(b, p, j);
  assertClose(c.view(), expected, tolerance(precision, k), 'gemm');
});

kernel('syrk and syr2k', ({ instance, precision, put, name }) => {
  for (const [n, k] of [
    [1, 1],
    [2, 3],
    [7, 4],
    [15, 33],
    [131, 9],
    [250, 3],
    [20, 300],
  ] as const) {
    for (const uplo of options.uplo) {
      for (const trans of options.trans) {
        const [rows, cols] = trans === 'N' ? [n, k] : [k, n];
        const [a, b] = [columns(precision, rows, cols, 4), columns(precision, rows, cols, 5)];
        const [blockA, blockB] = [put(a.data), put(b.data)];
        for (const two of [false, true]) {
          for (const [alpha, beta] of [
            [1, 0],
            [0, -1.5],
            [-1.5, 1],
            [1, -1.5],
          ] as const) {
            const c = onlyTriangle(columns(precision, n, n, 6), uplo);
            const expected = c.data.slice();
            for (let j = 0; j < n; j++) {
              for (let i = 0; i < n; i++) {
                if (uplo === 'L' ? i < j : i > j) continue;
                let sum = 0;
                for (let p = 0; p < k; p++) {
                  sum += two
                    ? op(a, trans, i, p) * op(b, trans, j, p) + op(b, trans, i, p) * op(a, trans, j, p)
                    : op(a, trans, i, p) * op(a, trans, j, p);
                }
                expected[i + j * c.ld] = alpha * sum + beta * at(c, i, j);
              }
            }
            const block = put(c.data);
            const second = two ? [blockB, b.ld] : [];
            instance.caller.blas(
              name(two ? 'syr2k' : 'syrk'),
              ...[uplo, trans, n, k, { real: alpha }, blockA, a.ld, ...second, { real: beta }, block, c.ld],
            );
            const what = `${two ? 'syr2k' : 'syrk'} ${uplo}${trans} ${n} × ${k}, alpha ${alpha}, beta ${beta}`;
            assertClose(block.view(), expected, tolerance(precision, 2 * k), what);
          }
        }
      }
    }
  }
});

kernel('trsm and trmm', ({ instance, precision, put, name }) => {
  for (const [m, n] of [
    [1, 1],
    [5, 3],
    [33, 70],
    [70, 33],
    [97, 5],
    [4, 130],
  ] as const) {
    for (const side of options.side) {
      for (const uplo of options.uplo) {
        for (const trans of options.trans) {
          for (const diag of options.diag) {
            const order = side === 'L' ? m : n;
            const triangle = columns(precision, order, order, 7);
            for (let j = 0; j < order; j++) {
              // Small beside the diagonal: solutions stay of order one.
              for (let i = 0; i < order; i++) triangle.data[i + j * triangle.ld]! /= order;
              triangle.data[j + j * triangle.ld] = 1.5 + (j % 3);
            }
            const a = onlyTriangle(
              { ...triangle, data: Float64Array.from(precision.from(triangle.data)) },
              uplo,
              diag === 'u',
            );
            const entry = (i: number, j: number) => {
              if (i === j) return diag === 'u' ? 1 : at(a, i, i);
              const [row, col] = trans === 'N' ? [i, j] : [j, i];
              return (uplo === 'L' ? row > col : row < col) ? at(a, row, col) : 0;
            };
            /** op(A) · B or B · op(A), gaps and all. */
            const product = (b: Columns) => {
              const result = b.data.slice();
              for (let j = 0; j < n; j++) {
                for (let i = 0; i < m; i++) {
                  let sum = 0;
                  for (let p = 0; p < order; p++)
                    sum += side === 'L' ? entry(i, p) * at(b, p, j) : at(b, i, p) * entry(p, j);
                  result[i + j * b.ld] = sum;
                }
              }
              return result;
            };
            const block = put(a.data);
            for (const alpha of factors) {
              const b = columns(precision, m, n, 8);
              const what = `${side}${uplo}${trans}${diag} ${m} × ${n}, alpha ${alpha}`;
              const letters = [side, uplo, trans, diag, m, n, { real: alpha }, block, a.ld];
              const times = put(b.data);
              instance.caller.blas(name('trmm'), ...letters, times, b.ld);
              const scaled = product(b).map((value) => alpha * value);
              assertClose(times.view(), scaled, tolerance(precision, order), `trmm ${what}`);
              const solved = put(b.data);
              instance.caller.blas(name('trsm'), ...letters, solved, b.ld);
              const back = product({ ...b, data: Float64Array.from(solved.view()) });
              const wanted = b.data.map((value) => alpha * value);
              assertClose(back as Float64Array, wanted, tolerance(precision, 4 * order), `trsm ${what}`);
            }
          }
        }
      }
    }
  }
});

/** A vector of n elements `step` apart, NaN between them; negative steps run backwards, as in BLAS. */
function spread(precision: Precision, n: number, step: number, seed: number) {
  const next = normals(seed);
  const values = Float64Array.from(precision.from(Array.from({ length: n }, next)));
  const place = (i: number) => (step > 0 ? i * step : (i - n + 1) * step);
  const lay = (elements: Float64Array) => {
    const data = new Float64Array(Math.max(1, (n - 1) * Math.abs(step) + 1)).fill(Number.NaN);
    elements.forEach((value, i) => {
      data[place(i)] = value;
    });
    return data;
  };
  return { values, lay, data: lay(values) };
}

const steps = [1, 2, -1, -3] as const;

kernel('gemv and ger', ({ instance, precision, put, name }) => {
  for (const [m, n] of [
    [1, 1],
    [3, 7],
    [16, 4],
    [37, 29],
    [1030, 6],
  ] as const) {
    const a = columns(precision, m, n, 9);
    const block = put(a.data);
    for (const incx of steps) {
      for (const incy of steps) {
        for (const trans of options.trans) {
          const [lengthX, lengthY] = trans === 'N' ? [n, m] : [m, n];
          for (const [alpha, beta] of [
            [1, 0],
            [-1.5, 1],
            [1, -1.5],
            [0, -1.5],
          ] as const) {
            const [x, y] = [spread(precision, lengthX, incx, 10), spread(precision, lengthY, incy, 11)];
            const expected = y.values.map((value, i) => {
              let sum = 0;
              for (let p = 0; p < lengthX; p++) sum += op(a, trans, i, p) * x.values[p]!;
              return alpha * sum + beta * value;
            });
            const target = put(beta === 0 ? y.data.fill(Number.NaN) : y.data);
            instance.caller.blas(
              name('gemv'),
              ...[trans, m, n, { real: alpha }, block, a.ld, put(x.data), incx, { real: beta }, target, incy],
            );
            const what = `gemv ${trans} ${m} × ${n}, steps ${incx} ${incy}, alpha ${alpha}, beta ${beta}`;
            assertClose(target.view(), y.lay(expected), tolerance(precision, lengthX), what);
          }
        }
        const [x, y] = [spread(precision, m, incx, 12), spread(precision, n, incy, 13)];
        for (const alpha of factors) {
          const target = put(a.data);
          instance.caller.blas(
            name('ger'),
            m,
            n,
            { real: alpha },
            put(x.data),
            incx,
            put(y.data),
            incy,
            target,
            a.ld,
          );
          const expected = a.data.slice();
          for (let j = 0; j < n; j++)
            for (let i = 0; i < m; i++) expected[i + j * a.ld]! += alpha * x.values[i]! * y.values[j]!;
          assertClose(
            target.view(),
            expected,
            tolerance(precision, 1),
            `ger ${m} × ${n}, steps ${incx} ${incy}`,
          );
        }
      }
    }
  }
});

kernel('symv', ({ instance, precision, put, name }) => {
  for (const n of [1, 3, 4, 5, 8, 31, 66]) {
    for (const uplo of options.uplo) {
      const a = onlyTriangle(columns(precision, n, n, 14), uplo);
      const block = put(a.data);
      const entry = (i: number, j: number) => ((uplo === 'L' ? i >= j : i <= j) ? at(a, i, j) : at(a, j, i));
      for (const incx of steps) {
        for (const incy of steps) {
          for (const [alpha, beta] of [
            [1, 0],
            [-1.5, 1],
            [1, -1.5],
            [0, -1.5],
          ] as const) {
            const [x, y] = [spread(precision, n, incx, 15), spread(precision, n, incy, 16)];
            const expected = y.values.map((value, i) => {
              let sum = 0;
              for (let p = 0; p < n; p++) sum += entry(i, p) * x.values[p]!;
              return alpha * sum + beta * value;
            });
            const target = put(beta === 0 ? y.data.fill(Number.NaN) : y.data);
            instance.caller.blas(
              name('symv'),
              ...[uplo, n, { real: alpha }, block, a.ld, put(x.data), incx, { real: beta }, target, incy],
            );
            const what = `symv ${uplo} ${n}, steps ${incx} ${incy}, alpha ${alpha}, beta ${beta}`;
            assertClose(target.view(), y.lay(expected), tolerance(precision, n), what);
          }
        }
      }
    }
  }
});

kernel('level 1', ({ instance: { caller }, precision, put, name }) => {
  for (const n of [0, 1, 2, 7, 16, 35, 100]) {
    for (const incx of steps) {
      for (const incy of steps) {
        const [x, y] = [spread(precision, n, incx, 17), spread(precision, n, incy, 18)];
        const close = (actual: Block<Numbers>, expected: Float64Array, what: string) =>
          assertClose(
            actual.view(),
            expected,
            tolerance(precision, n),
            `${what} ${n}, steps ${incx} ${incy}`,
          );
        const dot = caller.blas(name('dot'), n, put(x.data), incx, put(y.data), incy);
        const sum = x.values.reduce((total, value, i) => total + value * y.values[i]!, 0);
        assert.ok(Math.abs(dot - sum) <= tolerance(precision, n), `dot ${n}`);
        for (const alpha of factors) {
          const target = put(y.data);
          caller.blas(name('axpy'), n, { real: alpha }, put(x.data), incx, target, incy);
          close(target, y.lay(y.values.map((value, i) => value + alpha * x.values[i]!)), 'axpy');
        }
        const copied = put(y.data);
        caller.blas(name('copy'), n, put(x.data), incx, copied, incy);
        close(copied, y.lay(x.values), 'copy');
        const [turnedX, turnedY] = [put(x.data), put(y.data)];
        caller.blas(name('rot'), n, turnedX, incx, turnedY, incy, { real: 0.6 }, { real: 0.8 });
        close(turnedX, x.lay(x.values.map((value, i) => 0.6 * value + 0.8 * y.values[i]!)), 'rot, x');
        close(turnedY, y.lay(y.values.map((value, i) => 0.6 * value - 0.8 * x.values[i]!)), 'rot, y');
      }
      const [x, scaled] = [spread(precision, n, incx, 17), put(spread(precision, n, incx, 17).data)];
      caller.blas(name('scal'), n, { real: -1.5 }, scaled, incx);
      // Like reference BLAS, nothing happens for a negative step.
      const expected = incx > 0 ? x.lay(x.values.map((value) => -1.5 * value)) : x.data;
      assertClose(scaled.view(), expected, tolerance(precision, 1), `scal ${n}, step ${incx}`);
    }
  }
});

/** Magnitudes over the whole range: what squares to infinity, what squares to zero, subnormals, and both at once. */
function extremes(precision: Precision): number[][] {
  const [top, bottom, least] =
    precision.name === 'float' ? [2 ** 126, 2 ** -126, 2 ** -149] : [2 ** 1022, 2 ** -1022, 2 ** -1074];
  return [
    [],
    [0],
    [0, 0, 0],
    [3, -4],
    [-5],
    [top, top],
    [0.75 * top, top, -top],
    [bottom, -bottom, bottom],
    [3 * bottom, 4 * bottom],
    [3 * least, 4 * least],
    [least],
    [3000 * least, 4000 * least, 0],
    [top, 1, bottom],
    [1, bottom, least],
    [2 ** -60, 2 ** 60, 1],
    [Infinity, 1],
    [Infinity, -Infinity],
    [1, Number.NaN, 2],
  ];
}

/** √(Σ x²) with the largest magnitude taken out first. */
function euclid(values: number[]): number {
  const largest = values.reduce(
    (most, value) => (Number.isNaN(value) ? value : Math.max(most, Math.abs(value))),
    0,
  );
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  return largest * Math.sqrt(values.reduce((sum, value) => sum + (value / largest) ** 2, 0));
}

function assertNear(actual: number, expected: number, precision: Precision, what: string): void {
  if (
    Object.is(actual, expected) ||
    Math.abs(actual - expected) <= 8 * precision.epsilon * Math.abs(expected)
  )
    return;
  assert.fail(`${what}: ${actual}, not ${expected}`);
}

kernel('nrm2 and lassq over the whole range', ({ instance: { caller }, precision, put, arena, name }) => {
  for (const values of extremes(precision)) {
    const exact = precision.from(values);
    for (const step of [1, 2, -1]) {
      const laid = new Float64Array(Math.max(1, values.length * Math.abs(step))).fill(Number.NaN);
      exact.forEach((value, i) => {
        laid[(step > 0 ? i : exact.length - 1 - i) * Math.abs(step)] = value;
      });
      const x = put(laid);
      const what = `[${values.join(', ')}], step ${step}`;
      const expected = precision.from([euclid([...exact])])[0]!;
      assertNear(caller.blas(name('nrm2'), values.length, x, step), expected, precision, `nrm2 ${what}`);
      // Σ starts at nothing, in both spellings that LAPACK uses, and goes on from an earlier sum.
      for (const [scale, sum] of [
        [0, 1],
        [1, 0],
        [2, 3],
      ] as const) {
        const [blockScale, blockSum] = [
          arena.copy(precision.from([scale])),
          arena.copy(precision.from([sum])),
        ];
        caller.blas(name('lassq'), values.length, x, step, blockScale, blockSum);
        const result = blockScale.view()[0]! * Math.sqrt(blockSum.view()[0]!);
        const start = scale * Math.sqrt(sum);
        const total = precision.from([euclid([...exact, start])])[0]!;
        assertNear(precision.from([result])[0]!, total, precision, `lassq ${what}, from ${scale}² · ${sum}`);
      }
    }
  }
});

kernel('lartg over the whole range', ({ instance: { caller }, precision, arena, name }) => {
  const [top, bottom] = precision.name === 'float' ? [2 ** 126, 2 ** -126] : [2 ** 1022, 2 ** -1022];
  const magnitudes = [
    0,
    1,
    3,
    bottom,
    4 * bottom,
    Math.sqrt(bottom),
    top / 4,
    top,
    Math.sqrt(top),
    1e-20,
    1e20,
  ];
  for (const f of magnitudes.flatMap((value) => [value, -value])) {
    for (const g of magnitudes.flatMap((value) => [value, -value])) {
      const [c, s, r] = [0, 1, 2].map(() => arena.copy(precision.from([Number.NaN])));
      caller.blas(name('lartg'), { real: f }, { real: g }, c!, s!, r!);
      const [cosine, sine, length] = [c, s, r].map((block) => block!.view()[0]!) as [number, number, number];
      const [exactF, exactG] = precision.from([f, g]) as Float64Array;
      const what = `lartg(${f}, ${g})`;
      const norm = euclid([exactF!, exactG!]);
      assertNear(Math.abs(length), norm, precision, what);
      assert.ok(Math.abs(cosine ** 2 + sine ** 2 - 1) <= 8 * precision.epsilon, `${what}: c² + s²`);
      if (norm === 0) continue;
      const [unitF, unitG] = [exactF! / norm, exactG! / norm];
      assert.ok(
        Math.abs(cosine * unitF + sine * unitG - length / norm) <= 8 * precision.epsilon,
        `${what}: r`,
      );
      assert.ok(Math.abs(cosine * unitG - sine * unitF) <= 8 * precision.epsilon, `${what}: 0`);
    }
  }
});

test('gram_f32: float data, double sums, any strides, adding to what is there', () => {
  for (const { name, module } of modules) {
    const { heap, wasm } = instantiate(module);
    for (const [m, k] of [
      [1, 1],
      [5, 3],
      [9, 600],
      [125, 40],
    ] as const) {
      heap.scope('test', (arena) => {
        const next = normals(19);
        const values = Float32Array.from({ length: m * k }, () => 1 + 1e-4 * next());
        for (const [row, column] of [
          [k, 1],
          [1, m],
        ] as const) {
          for (const beta of [0, 1]) {
            const a = arena.copy(values);
            const g = arena.f64(m * m);
            g.view().fill(beta === 0 ? Number.NaN : 0.5);
            wasm.gram_f32(m, k, a.pointer, row, column, beta, g.pointer, m);
            const view = g.view();
            for (let j = 0; j < m; j++) {
              for (let i = j; i < m; i++) {
                let sum = beta * 0.5;
                for (let p = 0; p < k; p++)
                  sum += values[i * row + p * column]! * values[j * row + p * column]!;
                assert.ok(
                  Math.abs(view[i + j * m]! - sum) <= 1e-15 * k * sum,
                  `${name} ${m} × ${k}: (${i}, ${j})`,
                );
              }
            }
          }
        }
      });
    }
  }
});
