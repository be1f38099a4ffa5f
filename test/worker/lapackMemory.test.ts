import assert from 'node:assert/strict';
import test from 'node:test';
import { type Linalg, LinalgError } from '../../src/core/tensor/linalg';
import { type Matrix, matrix, type Numbers } from '../../src/core/tensor/matrix';
import { attach, createLapack, type Instance, instantiate, type Lapack } from '../../src/worker/lapack';
import type { LapackExports } from '../../src/worker/lapackCall';
import { double, identity, random, single } from '../core/linalgCases';
import { lapackModules, withoutGrowth } from './lapackModules';

/** Memory that runs out, wherever it does, is a LinalgError 'out-of-memory', and the instance goes on as if nothing had been. */

/** Symmetric, and positive definite by its diagonal. */
const symmetric = (n: number): Matrix<Float64Array> => {
  const element = (i: number, j: number) => (i === j ? n : ((i * j) % 7) / 7);
  return matrix(
    n,
    n,
    Float64Array.from({ length: n * n }, (_, k) => element(Math.floor(k / n), k % n)),
  );
};

/** One call of every method, and of every path of it that allocates otherwise. */
function calls(n: number): Record<string, (linalg: Linalg) => unknown> {
  const [a, d] = [random(single, n, n + 9), random(double, n, n + 9)];
  const s = symmetric(n);
  const lower = identity(n);
  return {
    'multiply, float': (linalg) => linalg.multiply(a, a, { transposeB: true }).data,
    'gram, float': (linalg) => linalg.gram(a).data,
    'gram, double': (linalg) => linalg.gram(d).data,
    'eigh without vectors': (linalg) => linalg.eigh(s, 0).values,
    'eigh with few vectors': (linalg) => linalg.eigh(s, 3),
    'eigh with all vectors': (linalg) => linalg.eigh(s, n),
    'svd without vectors': (linalg) => linalg.svd(d, 0).sigma,
    'svd, float': (linalg) => linalg.svd(a, 5),
    'svd, double': (linalg) => linalg.svd(d, n),
    'qr, float': (linalg) => linalg.qr(a),
    'qr, double': (linalg) => linalg.qr(d),
    cholesky: (linalg) => linalg.cholesky(s).data,
    solveLower: (linalg) => linalg.solveLower(lower, d).data,
    'leastSquares, float': (linalg) => linalg.leastSquares(a, a),
    'leastSquares, double': (linalg) => linalg.leastSquares(d, d),
  };
}

const outOfMemory = (error: unknown, what: string) => {
  assert.ok(error instanceof LinalgError, `${what}: ${error}`);
  assert.equal(error.code, 'out-of-memory', what);
  assert.match(error.message, /^[A-Z].*\.$/, what);
  return true;
};

/** An engine on an instance with some exports replaced. */
function open(
  module: WebAssembly.Module,
  replace: (wasm: LapackExports) => Partial<LapackExports> = () => ({}),
): { lapack: Lapack; heap: Instance['heap']; started: () => number } {
  let [starts, heap] = [0, undefined as Instance['heap'] | undefined];
  const lapack = createLapack(module, (given) => {
    starts++;
    const { wasm } = instantiate(given);
    const instance = attach({ ...wasm, ...replace(wasm) });
    heap = instance.heap;
    return instance;
  });
  return { lapack, heap: heap!, started: () => starts };
}

for (const { name, bytes, module } of lapackModules()) {
  test(`${name}: each allocation of each call in turn fails`, () => {
    let [left, allocations] = [Infinity, 0];
    const { lapack, heap, started } = open(module, (wasm) => ({
      heap_alloc: (size: number) => {
        allocations++;
        return left-- > 0 ? wasm.heap_alloc(size) : 0;
      },
    }));
    const top = heap.top();
    // 70: beyond the panels of the reduction to tridiagonal form.
    for (const [what, call] of Object.entries(calls(70))) {
      [left, allocations] = [Infinity, 0];
      const expected = call(lapack);
      const total = allocations;
      assert.ok(total > 1, what);
      for (let fail = 0; fail < total; fail++) {
        left = fail;
        const text = `${what}, allocation ${fail + 1} of ${total}`;
        assert.throws(
          () => call(lapack),
          (error) => outOfMemory(error, text),
        );
        assert.equal(heap.top(), top, text);
      }
      left = Infinity;
      assert.deepEqual(call(lapack), expected, `${what}: afterwards`);
    }
    assert.equal(started(), 1, 'it is the same instance all the time');
  });

  test(`${name}: a memory that really cannot grow`, () => {
    const { lapack, heap, started } = open(withoutGrowth(bytes));
    const [top, size] = [heap.top(), heap.bytes()];
    assert.equal(size, 16 * 2 ** 20);
    const small = calls(40);
    const expected = calls(40);
    // Of order 1500 nothing fits, of 500 some of it: those calls run out in one of their later steps.
    for (const n of [500, 1500]) {
      for (const [what, call] of Object.entries(calls(n))) {
        try {
          call(lapack);
          assert.ok(n < 1500, `${what}: order ${n} should not fit`);
        } catch (error) {
          outOfMemory(error, what);
        }
        assert.equal(heap.top(), top, what);
        assert.equal(heap.bytes(), size, what);
      }
    }
    const plain = createLapack(module);
    for (const [what, call] of Object.entries(small)) {
      assert.deepEqual(call(lapack), expected[what]!(plain), `${what}: afterwards`);
    }
    assert.equal(started(), 1);
  });

  test(`${name}: results that JavaScript has no room for`, () => {
    const { lapack, heap } = open(module);
    const top = heap.top();
    // 2²⁰ × 0 matrices: their products have 2⁴⁰ elements.
    const empty = (rows: number, cols: number) => matrix(rows, cols, new Float64Array(0));
    const [tall, wide] = [empty(2 ** 20, 0), empty(0, 2 ** 20)];
    for (const call of [
      () => lapack.multiply(tall, wide),
      () => lapack.gram(tall),
      () => lapack.multiply<Numbers>(matrix(2 ** 20, 0, new Float32Array(0)), wide),
    ]) {
      assert.throws(call, (error) => outOfMemory(error, 'result'));
    }
    assert.equal(heap.top(), top);
  });

  test(`${name}: no room for the instance itself`, () => {
    const { Instance: original } = WebAssembly;
    const refuse = class {
      constructor() {
        throw new RangeError('WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory');
      }
    };
    const lapack = createLapack(module);
    lapack.release();
    const a = random(double, 3, 3);
    Object.assign(WebAssembly, { Instance: refuse });
    try {
      assert.throws(
        () => lapack.gram(a),
        (error) => outOfMemory(error, 'instance'),
      );
    } finally {
      Object.assign(WebAssembly, { Instance: original });
    }
    assert.equal(lapack.gram(a).rows, 3);
  });
}
