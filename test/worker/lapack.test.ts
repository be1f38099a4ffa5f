import assert from 'node:assert/strict';
import test from 'node:test';
import { LinalgError } from '../../src/core/tensor/linalg';
import { type Matrix, matrix } from '../../src/core/tensor/matrix';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { attach, createLapack, type Instance, instantiate } from '../../src/worker/lapack';
import type { LapackExports } from '../../src/worker/lapackCall';
import { departure, distance, double, generalCases, naive, norm, random, single } from '../core/linalgCases';
import { testLinalg } from '../core/linalgProperties';
import { lapackModules } from './lapackModules';

for (const { name, module } of lapackModules()) {
  testLinalg(`lapack.${name}.wasm`, createLapack(module));

  /** An engine whose instance the test can look into, with some exports replaced. */
  const open = (replace: (wasm: LapackExports) => Partial<LapackExports> = () => ({})) => {
    let instance: Instance | undefined;
    const lapack = createLapack(module, (started) => {
      const { wasm } = instantiate(started);
      instance = attach({ ...wasm, ...replace(wasm) });
      return instance;
    });
    return { lapack, heap: instance!.heap, caller: instance!.caller };
  };

  test(`${name}: agrees with ml-matrix`, () => {
    const oracle = createMlMatrix();
    const { lapack } = open();
    for (const precision of [single, double] as const) {
      for (const { name: what, matrix: a, exponent } of generalCases<Float32Array | Float64Array>(
        precision,
      )) {
        const [one, other] = [lapack.svd(a, 0).sigma, oracle.svd(a, 0).sigma];
        const units = (other[0] ?? 0) * Math.max(a.rows, a.cols) * precision.epsilon;
        one.forEach((value, i) => {
          assert.ok(Math.abs(value - other[i]!) <= 30 * units, `${what}: σ${i} is ${value}, not ${other[i]}`);
        });
        if (exponent !== 0) continue;
        const [mine, theirs] = [lapack.gram(a), oracle.gram(a)];
        assert.ok(
          distance(mine, theirs) <= 30 * norm(theirs.data) * a.cols * double.epsilon,
          `${what}: Gram matrix`,
        );
      }
    }
  });

  test(`${name}: a Gram matrix in several slabs is the same, and reports its progress`, () => {
    const { lapack, heap } = open();
    for (const precision of [single, double] as const) {
      // 70 rows of 32 MiB / (70 · 256) columns: more than one slab in either precision.
      const a = random<Float32Array | Float64Array>(precision, 70, 130_000);
      const progress: number[] = [];
      const g = lapack.gram(a, (done) => progress.push(done));
      assert.ok(distance(g, naive(a, a, false, true)) <= norm(g.data) * 1e-12);
      assert.ok(
        progress.length > 1 && progress.at(-1) === 1 && progress.every((x, i) => x > (progress[i - 1] ?? 0)),
      );
    }
    assert.ok(heap.bytes() < 60 * 2 ** 20, `${heap.bytes()} bytes: the heap holds slabs, not the matrix`);
  });

  test(`${name}: a larger eigenproblem goes through the panels and reports its progress`, () => {
    const n = 300;
    const a = random(double, n, n);
    const s = matrix(n, n, naive(a, a, false, true).data);
    const progress: number[] = [];
    const { values, vectors } = open().lapack.eigh(s, 40, (done) => progress.push(done));
    const turned = matrix(
      40,
      n,
      vectors.data.map((value, i) => value * values[Math.floor(i / n)]!),
    );
    assert.ok(distance(naive(vectors, s), turned) < 30 * norm(s.data) * n * double.epsilon);
    assert.ok(departure(vectors, 'rows') < 30 * n * double.epsilon);
    assert.ok(
      progress.length > 5 && progress.at(-1) === 1 && progress.every((x, i) => x > (progress[i - 1] ?? 0)),
    );
  });

  test(`${name}: DSTEDC stands in for a DSTEMR that gives up`, () => {
    const a = random(double, 25, 40);
    const s = naive(a, a, false, true);
    const { lapack, heap } = open((wasm) => ({
      dstemr_: (...args: number[]) => {
        new DataView(wasm.memory.buffer).setInt32(args[20]!, 2, true);
      },
    }));
    const before = heap.top();
    const [mine, right] = [lapack.eigh(s, 6), createLapack(module).eigh(s, 6)];
    assert.ok(norm(mine.values.map((value, i) => value - right.values[i]!)) < 1e-12 * right.values[0]!);
    mine.vectors.data.forEach((value, i) => {
      assert.ok(Math.abs(Math.abs(value) - Math.abs(right.vectors.data[i]!)) < 1e-10, `vector element ${i}`);
    });
    assert.equal(heap.top(), before);
  });

  test(`${name}: what does not converge is said so`, () => {
    const setInfo =
      (at: number) =>
      (wasm: LapackExports) =>
      (...args: number[]) => {
        new DataView(wasm.memory.buffer).setInt32(args[at]!, 1, true);
      };
    const { lapack } = open((wasm) => ({
      sgesdd_: setInfo(13)(wasm),
      dsterf_: setInfo(3)(wasm),
      dgelsd_: setInfo(13)(wasm),
    }));
    const stuck = (call: () => unknown) =>
      assert.throws(call, (error) => error instanceof LinalgError && error.code === 'no-convergence');
    stuck(() => lapack.svd(random(single, 3, 4), 2));
    stuck(() => lapack.eigh(random(double, 3, 3), 2));
    stuck(() => lapack.leastSquares(random(double, 3, 3), random(double, 3, 1)));
  });

  test(`${name}: nothing leaks, not over a thousand calls and not over errors`, () => {
    const { lapack, heap } = open();
    const top = heap.top();
    const a = random(single, 20, 30);
    const s = naive(a, a, false, true);
    const bad = matrix(2, 2, Float64Array.of(1, 0, 2, 1));
    const round = (i: number) => {
      lapack.svd(a, i % 20);
      lapack.eigh(s, i % 20);
      lapack.leastSquares(a, random(single, 20, 2));
      assert.throws(() => lapack.cholesky(bad), LinalgError);
      assert.throws(
        () =>
          lapack.gram(a, () => {
            throw new RangeError('stop');
          }),
        RangeError,
      );
      assert.equal(heap.top(), top);
    };
    round(19);
    const size = heap.bytes();
    for (let i = 0; i < 250; i++) round(i);
    assert.equal(heap.bytes(), size);
  });

  test(`${name}: out of memory is an error with the sizes, and the instance goes on`, () => {
    const { lapack, heap } = open((wasm) => ({
      // A heap that ends 4 MiB above where it is: the real limit takes gigabytes to reach.
      heap_alloc: (bytes: number) => (wasm.heap_top() + bytes > ceiling ? 0 : wasm.heap_alloc(bytes)),
    }));
    const ceiling = heap.top() + 4 * 2 ** 20;
    const top = heap.top();
    const full = (call: () => unknown) =>
      assert.throws(call, (error) => {
        assert.ok(error instanceof LinalgError);
        assert.equal(error.code, 'out-of-memory');
        assert.match(error.message, /^.* no room for another \d+ MiB beside the \d+ MiB in use.*\.$/);
        return true;
      });
    const large: Matrix<Float64Array> = random(double, 800, 800);
    full(() => lapack.svd(large, 800));
    full(() => lapack.eigh(large, 800));
    full(() => lapack.gram(large));
    full(() => lapack.multiply(large, large));
    full(() => lapack.qr(large));
    full(() => lapack.cholesky(large));
    full(() => lapack.solveLower(large, large));
    full(() => lapack.leastSquares(large, large));
    assert.equal(heap.top(), top);
    const a = random(double, 20, 30);
    assert.ok(distance(lapack.multiply(a, a, { transposeB: true }), naive(a, a, false, true)) < 1e-12);
  });

  test(`${name}: a block is duplicated even where its copy makes the heap grow`, () => {
    const { heap } = open();
    const length = heap.bytes() / 8 - heap.top() / 8 - 1024;
    heap.scope('test', (arena) => {
      const original = arena.f64(length);
      original.view()[length - 1] = 7;
      const size = heap.bytes();
      assert.equal(arena.duplicate(original).view()[length - 1], 7);
      assert.ok(heap.bytes() > size, 'the heap has grown in between');
    });
  });

  test(`${name}: the heap itself refuses what does not fit into 4 GiB`, () => {
    const { heap } = open();
    const top = heap.top();
    for (const length of [2 ** 29, 2 ** 29 - 1, 2 ** 40]) {
      assert.throws(
        () => heap.scope('test', (arena) => arena.f64(length)),
        (error) => error instanceof LinalgError && error.code === 'out-of-memory',
      );
    }
    assert.equal(heap.top(), top);
  });

  test(`${name}: views follow the heap when it grows`, () => {
    const { heap } = open();
    heap.scope('test', (arena) => {
      const first = arena.copy(Float64Array.of(1, 2, 3));
      const stale = first.view();
      const size = heap.bytes();
      const second = arena.f64(size / 8);
      assert.ok(heap.bytes() > size && stale.length === 0);
      assert.deepEqual(first.view(), Float64Array.of(1, 2, 3));
      assert.equal(second.pointer % 64, 0);
      assert.deepEqual(first.from(1).view(), Float64Array.of(2, 3));
    });
  });

  test(`${name}: released memory is gone and the engine starts again`, () => {
    const lapack = createLapack(module);
    const a = random(single, 1500, 1500);
    const product = lapack.multiply(a, a);
    assert.ok(lapack.heapBytes() > 3 * 4 * 1500 * 1500);
    lapack.release();
    assert.equal(lapack.heapBytes(), 0);
    assert.deepEqual(lapack.multiply(a, a).data, product.data);
  });

  test(`${name}: LAPACK's refusals name the routine and the argument`, () => {
    const { caller, heap } = open();
    heap.scope('test', (arena) => {
      const block = arena.f64(9);
      block.view().fill(1);
      const refused = (sentence: string, call: () => unknown) =>
        assert.throws(call, (error) => {
          assert.ok(error instanceof LinalgError && error.code === 'bad-argument');
          assert.equal(error.message, sentence);
          return true;
        });
      refused('DPOTRF refused its argument number 1.', () => caller.lapack('dpotrf', 'X', 3, block, 3));
      refused('DPOTRF refused its argument number 4.', () => caller.lapack('dpotrf', 'L', 3, block, 2));
      refused('DGEQRF refused its argument number 1.', () =>
        caller.lapackWithWork('dgeqrf', [-1, 3, block, 3, block]),
      );
      // Without its INFO being looked at: by XERBLA's record alone, as level 3 of BLAS would report.
      refused('DPOTRF refused its argument number 2.', () =>
        caller.blas('dpotrf', 'L', -1, block, 3, arena.i32(1)),
      );
      // The record is read once: the next call is innocent.
      block.view().set([4, 2, 2, 2, 5, 3, 2, 3, 6]);
      assert.equal(caller.lapack('dpotrf', 'L', 3, block, 3), 0);
    });
  });
}
