import assert from 'node:assert/strict';
import test from 'node:test';
import { type Matrix, matrix, type Numbers } from '../../src/core/tensor/matrix';
import type { Arena, Block } from '../../src/worker/arena';
import { createLapack, type Instance, instantiate, type Lapack } from '../../src/worker/lapack';
import type { Argument } from '../../src/worker/lapackCall';
import { double, type Precision, single } from '../core/linalgCases';
import { type Columns, type Machine, machine, transposed } from './lapackMatrices';
import { lapackModules } from './lapackModules';

/** What a check of a routine in one precision, in one of the two modules, works with. */
export interface Bench extends Machine {
  readonly precision: Precision;
  readonly instance: Instance;
  /** The port on an instance of its own. */
  readonly lapack: Lapack;
  readonly arena: Arena;
  /** Runs `work` with an arena of its own. */
  scope<R>(work: (bench: Bench) => R): R;
  /** The routine's name with the precision's letter. */
  name(routine: string): string;
  /** The matrix in the heap with leading dimension `ld`, NaN in the gaps. */
  put(a: Columns, ld?: number): Block<Numbers>;
  /** Room for an m × n matrix with leading dimension `ld`, all NaN. */
  room(rows: number, cols: number, ld?: number): Block<Numbers>;
  /** A matrix out of the heap. */
  get(block: Block<Numbers>, rows: number, cols: number, ld?: number): Columns;
  /** A driver with WORK and LWORK after `before`; INFO must be 0. */
  driver(routine: string, before: Argument[], after?: Argument[]): void;
  /** Requires a ratio below the threshold. NaN is not. */
  small(ratio: number, threshold: number, what: string): void;
}

/** Registers a test for each module and precision. Its name tells the worst of its ratios in units of the threshold. */
export function bench(
  what: string,
  check: (bench: Bench) => void,
  precisions: readonly Precision[] = [single as Precision, double as Precision],
): void {
  for (const { name, module } of lapackModules()) {
    for (const precision of precisions) {
      test(`${name}, ${precision.name}: ${what}`, (context) => {
        const instance = instantiate(module);
        const lapack = createLapack(module);
        const top = instance.heap.top();
        const worst = { ratio: 0, what: 'nothing' };
        instance.heap.scope(what, (arena) => check(benchOn(instance, lapack, arena, precision, worst)));
        assert.equal(instance.heap.top(), top);
        if (worst.ratio > 0)
          context.diagnostic(`worst ratio ${worst.ratio.toFixed(3)} of the threshold: ${worst.what}`);
      });
    }
  }
}

function benchOn(
  instance: Instance,
  lapack: Lapack,
  arena: Arena,
  precision: Precision,
  worst: { ratio: number; what: string },
): Bench {
  const name = (routine: string) => (precision.name === single.name ? 's' : 'd') + routine;
  const room = (rows: number, cols: number, ld = rows) => {
    const block = arena.like(precision.from([]), Math.max(1, ld * cols));
    block.view().fill(Number.NaN);
    return block;
  };
  return {
    ...machine(precision),
    precision,
    instance,
    lapack,
    arena,
    name,
    room,
    scope: (work) =>
      instance.heap.scope('check', (inner) => work(benchOn(instance, lapack, inner, precision, worst))),
    put: (a, ld = a.rows) => {
      const block = room(a.rows, a.cols, ld);
      const view = block.view();
      for (let j = 0; j < a.cols; j++) view.set(a.data.subarray(j * a.rows, (j + 1) * a.rows), j * ld);
      return block;
    },
    get: (block, rows, cols, ld = rows) => {
      const data = new Float64Array(rows * cols);
      const view = block.view();
      for (let j = 0; j < cols; j++) data.set(view.subarray(j * ld, j * ld + rows), j * rows);
      return { rows, cols, data };
    },
    driver: (routine, before, after) =>
      assert.equal(instance.caller.lapackWithWork(name(routine), before, after), 0, `INFO of ${routine}`),
    small: (ratio, threshold, text) => {
      if (!(ratio < threshold)) assert.fail(`${text}: ratio ${ratio}, not below ${threshold}`);
      if (ratio / threshold > worst.ratio) Object.assign(worst, { ratio: ratio / threshold, what: text });
    },
  };
}

/** The port's row-major matrix of the same elements, in the precision under test. */
export function rowMajor(a: Columns, precision: Precision): Matrix {
  return matrix(a.rows, a.cols, precision.from(transposed(a).data));
}

/** Back from the port. */
export function columnMajor({ rows, cols, data }: Matrix): Columns {
  return transposed({ rows: cols, cols: rows, data: Float64Array.from(data) });
}
