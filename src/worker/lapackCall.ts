import { LinalgError } from '../core/tensor/linalg';
import type { Numbers } from '../core/tensor/matrix';
import type { Block, Heap, HeapExports } from './arena';

/** Everything lapack.wasm exports: the library's routines by link name, and our own (`wasm/exports.mjs`). */
export interface LapackExports extends HeapExports {
  readonly [routine: `${string}_`]: unknown;
  gram_f32(
    m: number,
    k: number,
    a: number,
    rowStride: number,
    columnStride: number,
    beta: number,
    g: number,
    ldg: number,
  ): void;
  xerbla_routine(): number;
  xerbla_argument(): number;
  relaxed_simd(): number;
}

/**
 * An argument of a Fortran routine: a number is an INTEGER, a string a CHARACTER, `{ real }` a
 * scalar of the routine's own precision (its name's first letter), a block an array.
 */
export type Argument = number | string | { readonly real: number } | Block;

/** Calls routines of lapack.wasm by their Fortran names. */
export interface Caller {
  /** A BLAS routine, or any other without INFO. Returns a function's result, 0 for a subroutine. */
  blas(routine: string, ...args: Argument[]): number;
  /** A LAPACK routine, whose INFO argument is appended. Returns INFO ≥ 0. */
  lapack(routine: string, ...args: Argument[]): number;
  /** A LAPACK routine whose arguments go on with WORK and LWORK after `before`: asks it for the size first. */
  lapackWithWork(routine: string, before: Argument[], after?: Argument[]): number;
}

/** Fortran's calling convention: every argument by address, the lengths of strings after all of them. Refused arguments throw LinalgError 'bad-argument'. */
export function createCaller(wasm: LapackExports, heap: Heap): Caller {
  const invoke = (routine: string, args: readonly Argument[]): number => {
    const code = wasm[`${routine}_`];
    if (typeof code !== 'function') throw new Error(`lapack.wasm has no routine ${routine}.`);
    return heap.scope(routine.toUpperCase(), (arena) => {
      const scalars = arena.f64(args.length);
      const bytes = new DataView(wasm.memory.buffer, scalars.pointer, 8 * args.length);
      const lengths: number[] = [];
      const addresses = args.map((argument, index) => {
        const offset = 8 * index;
        if (typeof argument === 'number') bytes.setInt32(offset, argument, true);
        else if (typeof argument === 'string') lengths.push(setText(bytes, offset, argument));
        else if ('pointer' in argument) return argument.pointer;
        else if (routine.startsWith('s')) bytes.setFloat32(offset, argument.real, true);
        else bytes.setFloat64(offset, argument.real, true);
        return scalars.pointer + offset;
      });
      wasm.xerbla_argument();
      const result: number = code(...addresses, ...lengths) ?? 0;
      const refused = wasm.xerbla_argument();
      if (refused !== 0) throw refusal(text(wasm.memory, wasm.xerbla_routine() >>> 0), refused);
      return result;
    });
  };

  const lapack = (routine: string, ...args: Argument[]) =>
    heap.scope(routine.toUpperCase(), (arena) => {
      const info = arena.i32(1);
      info.view()[0] = 0;
      invoke(routine, [...args, info]);
      const value = info.view()[0] ?? 0;
      // A few checks, that for NaN among them, report by INFO alone.
      if (value < 0) throw refusal(routine, -value);
      return value;
    });

  return {
    blas: (routine, ...args) => invoke(routine, args),
    lapack,
    lapackWithWork(routine, before, after = []) {
      const like = routine.startsWith('s') ? new Float32Array(0) : new Float64Array(0);
      const size = heap.scope(routine.toUpperCase(), (arena) => {
        const answer = arena.like(like, 1);
        lapack(routine, ...before, answer, -1, ...after);
        // A float holds 24 bits of the size: not every routine rounds up.
        return Math.ceil((answer.view()[0] ?? 1) * (routine.startsWith('s') ? 1 + 2 ** -23 : 1));
      });
      return heap.scope(`${routine.toUpperCase()}'s workspace`, (arena) =>
        lapack(routine, ...before, arena.like(like, Math.max(1, size)), Math.max(1, size), ...after),
      );
    },
  };
}

function setText(bytes: DataView, offset: number, value: string): number {
  for (let i = 0; i < value.length; i++) bytes.setUint8(offset + i, value.charCodeAt(i));
  return value.length;
}

function text(memory: WebAssembly.Memory, pointer: number): string {
  const bytes = new Uint8Array(memory.buffer, pointer, 16);
  return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
}

function refusal(routine: string, argument: number): LinalgError {
  return new LinalgError('bad-argument', `${routine.toUpperCase()} refused its argument number ${argument}.`);
}

/** The routine's name in the precision of the data. */
export function routine(data: Numbers, name: string): string {
  return (data instanceof Float32Array ? 's' : 'd') + name;
}

/** A copy of the first elements of a block, out of the heap. */
export function take<T extends Numbers>(block: Block<T>, length = block.view().length): T {
  return block.view().slice(0, length) as T;
}
