import { LinalgError } from '../core/tensor/linalg';
import type { Numbers } from '../core/tensor/matrix';

/** What of lapack.wasm the heap needs (`wasm/kernels/heap.c`). */
export interface HeapExports {
  readonly memory: WebAssembly.Memory;
  heap_top(): number;
  heap_alloc(bytes: number): number;
  heap_release(mark: number): void;
}

/** An array in the heap of lapack.wasm; valid until its arena closes. */
export interface Block<T extends Numbers | Int32Array = Numbers | Int32Array> {
  /** Byte address. */
  readonly pointer: number;
  /** Number of elements. */
  readonly length: number;
  /** The elements. Ask again after any allocation: the heap's growth detaches views. */
  view(): T;
  /** The same array from element `index` on. */
  from(index: number): Block<T>;
}

/** Allocates for one call of the library; content is undefined at first. Throws LinalgError 'out-of-memory'. */
export interface Arena {
  f32(length: number): Block<Float32Array>;
  f64(length: number): Block<Float64Array>;
  i32(length: number): Block<Int32Array>;
  /** An array of the same precision as `like`. */
  like<T extends Numbers>(like: T, length: number): Block<T>;
  /** A copy of `data`, which must not lie in the heap: see {@link Arena.duplicate}. */
  copy<T extends Numbers>(data: T): Block<T>;
  /** A copy of a block. It is looked at after the allocation, whose growth of the heap would detach a view. */
  duplicate(block: Block<Float64Array>): Block<Float64Array>;
}

/** The heap of one instance of lapack.wasm. */
export interface Heap {
  /** Runs `work` with an arena and frees whatever it allocated, however it ends. `task` names it in the out-of-memory sentence. Nests. */
  scope<R>(task: string, work: (arena: Arena) => R): R;
  /** Address of the first free byte: between calls always the same. */
  top(): number;
  /** Size of the memory; it only grows. */
  bytes(): number;
}

const mebibyte = 2 ** 20;

/** The heap behind an instance's exports. */
export function createHeap(wasm: HeapExports): Heap {
  const top = () => wasm.heap_top() >>> 0;

  const allocate = (task: string, bytes: number): number => {
    // Beyond 2³² the module would see the remainder only.
    const pointer = bytes < 2 ** 32 ? wasm.heap_alloc(bytes) >>> 0 : 0;
    if (pointer === 0) {
      const [more, used] = [bytes, top()].map((size) => Math.ceil(size / mebibyte));
      throw new LinalgError(
        'out-of-memory',
        `${task}: there is no room for another ${more} MiB beside the ${used} MiB in use; WebAssembly's memory ends at 4096 MiB, or earlier where the machine's does.`,
      );
    }
    return pointer;
  };

  const arenaFor = (task: string): Arena => {
    const block = <T extends Numbers | Int32Array>(
      type: {
        new (buffer: ArrayBuffer, offset: number, length: number): T;
        readonly BYTES_PER_ELEMENT: number;
      },
      length: number,
    ): Block<T> => {
      const at = (pointer: number, count: number): Block<T> => ({
        pointer,
        length: count,
        view: () => new type(wasm.memory.buffer, pointer, count),
        from: (index) => at(pointer + index * type.BYTES_PER_ELEMENT, count - index),
      });
      return at(allocate(task, length * type.BYTES_PER_ELEMENT), length);
    };
    const f32 = (length: number) => block(Float32Array, length);
    const f64 = (length: number) => block(Float64Array, length);
    const like = <T extends Numbers>(sample: T, length: number) =>
      (sample instanceof Float32Array ? f32(length) : f64(length)) as unknown as Block<T>;
    return {
      f32,
      f64,
      like,
      i32: (length) => block(Int32Array, length),
      copy: (data) => {
        const target = like(data, data.length);
        target.view().set(data);
        return target;
      },
      duplicate: (original) => {
        const target = f64(original.length);
        target.view().set(original.view());
        return target;
      },
    };
  };

  return {
    top,
    bytes: () => wasm.memory.buffer.byteLength,
    scope(task, work) {
      const mark = top();
      try {
        return work(arenaFor(task));
      } finally {
        wasm.heap_release(mark);
      }
    },
  };
}
