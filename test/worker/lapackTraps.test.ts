import assert from 'node:assert/strict';
import test from 'node:test';
import { LinalgError } from '../../src/core/tensor/linalg';
import { attach, createLapack, type Instance, instantiate } from '../../src/worker/lapack';
import type { Argument } from '../../src/worker/lapackCall';
import { double, random, single } from '../core/linalgCases';
import { lapackModules } from './lapackModules';
import { OPCODE, opcodes } from './lapackOpcodes';

/** LAPACK never traps: there is no instruction that could but memory accesses, and what it is given does not make it leave its memory, its stack or its loops. */

const MEBIBYTE = 2 ** 20;

for (const { name, bytes, module } of lapackModules()) {
  test(`${name}: no "unreachable", no call through a table`, () => {
    const counts = opcodes(bytes);
    assert.ok(counts.get(OPCODE.call)! > 1000, 'the code has been read');
    // What clang makes of abort, of undefined behaviour and of prototypes that do not fit.
    assert.equal(counts.get(OPCODE.unreachable) ?? 0, 0);
    assert.equal(counts.get(OPCODE.callIndirect) ?? 0, 0);
  });

  test(`${name}: the deepest call uses a small part of the stack`, () => {
    const { wasm, heap } = instantiate(module);
    // The linker puts the stack first: it grows down from the end of the first MiB towards address 0.
    const stack = () => new Uint8Array(wasm.memory.buffer, 0, MEBIBYTE);
    assert.ok(stack().every((byte) => byte === 0) && heap.top() > MEBIBYTE);
    stack().fill(0xaa);
    const lapack = createLapack(module, () => attach(wasm));
    for (const precision of [single, double]) {
      const a = random<Float32Array | Float64Array>(precision, 260, 300);
      const g = lapack.gram(a);
      lapack.svd(a, 20);
      lapack.qr(a);
      lapack.leastSquares(a, a);
      for (const count of [0, 20, 260]) lapack.eigh(g, count);
      lapack.solveLower(lapack.cholesky(g), g);
    }
    const used = MEBIBYTE - stack().findIndex((byte) => byte !== 0xaa);
    assert.ok(used > 256 && used < MEBIBYTE / 16, `${used} bytes of the stack`);
  });

  test(`${name}: NaN and infinity, which the port refuses, neither trap nor hang LAPACK`, () => {
    const instance = instantiate(module);
    const top = instance.heap.top();
    for (const n of [1, 3, 30, 70]) {
      for (const bad of [Number.NaN, Infinity, -Infinity, 1e308]) {
        for (const at of ['everywhere', 'in the middle'])
          call(instance, n, (i) => at === 'everywhere' || i === n >> 1, bad);
      }
    }
    assert.equal(instance.heap.top(), top);
    // And they leave nothing behind.
    const a = random(double, 30, 40);
    const [before, after] = [
      createLapack(module).svd(a, 30),
      createLapack(module, () => instance).svd(a, 30),
    ];
    assert.deepEqual(after, before);
  });

  test(`${name}: an instance that did trap is not used again`, () => {
    for (const error of [new Error('unreachable'), new RangeError('Maximum call stack size exceeded')]) {
      if (!(error instanceof RangeError)) error.name = 'RuntimeError';
      let starts = 0;
      const lapack = createLapack(module, (given) => {
        const { wasm } = instantiate(given);
        starts++;
        const dgemm_ = () => {
          throw error;
        };
        return attach(starts === 1 ? { ...wasm, dgemm_ } : wasm);
      });
      const a = random(double, 4, 4);
      assert.throws(
        () => lapack.multiply(a, a),
        (thrown) => thrown === error,
      );
      assert.equal(lapack.multiply(a, a).rows, 4);
      assert.equal(starts, 2);
    }
  });
}

/** Every driver on matrices of order n with a `bad` element, or only such. What comes of it is not asked: INFO, a refusal, garbage. */
function call({ caller, heap }: Instance, n: number, isBad: (index: number) => boolean, bad: number): void {
  heap.scope('test', (arena) => {
    const next = random(double, n, n).data;
    const square = () => {
      const data = next.map((value, k) => (isBad(k % n) && isBad(Math.floor(k / n)) ? bad : value));
      return arena.copy(data);
    };
    const column = () => arena.copy(next.slice(0, n).map((value, i) => (isBad(i) ? bad : value)));
    const [real, whole] = [(length: number) => arena.f64(length), (length: number) => arena.i32(length)];
    const attempt = (work: () => number) => {
      try {
        assert.ok(Number.isInteger(work()));
      } catch (error) {
        assert.ok(error instanceof LinalgError && error.code === 'bad-argument', String(error));
      }
    };
    const { lapack, lapackWithWork } = caller;
    const room = 1 + 6 * n + 2 * n * n;
    const vectors = () => [real(n * n), n] as Argument[];
    for (const job of ['A', 'S', 'O', 'N'])
      attempt(() =>
        lapackWithWork(
          'dgesdd',
          [job, n, n, square(), n, real(n), ...vectors(), ...vectors()],
          [whole(8 * n)],
        ),
      );
    for (const job of ['V', 'N'])
      attempt(() => lapack('dsyevd', job, 'L', n, square(), n, real(n), real(room), room, whole(room), room));
    attempt(() => lapack('dsterf', n, column(), column()));
    attempt(() =>
      lapack('dstedc', 'I', n, column(), column(), ...vectors(), real(room), room, whole(room), room),
    );
    attempt(() => {
      const right = [column(), n, real(n), { real: -1 }, whole(1)];
      return lapackWithWork('dgelsd', [n, n, 1, square(), n, ...right], [whole(11 * n + 3 * n * 8)]);
    });
    attempt(() => lapack('dpotrf', 'U', n, square(), n));
    attempt(() => lapackWithWork('dgeqrf', [n, n, square(), n, real(n)]));
    attempt(() => lapackWithWork('dgelqf', [n, n, square(), n, real(n)]));
    attempt(() => lapackWithWork('dsytrd', ['U', n, square(), n, real(n), real(n), real(n)]));
  });
}
