/**
 * Memory in which one computation after another makes its large arrays. A thread that factors weight after weight asks
 * for new memory while it meets larger ones, and then no more: else each job leaves its arrays to the garbage
 * collector, which comes late, and the system's allocator is left with memory in pieces.
 */
export interface Scratch {
  /**
   * Runs a computation. Its arrays of {@link takeScratch} are there until it ends: nothing it returns may hold one.
   * Where there is no room they are made as ever; the next computation then finds more.
   */
  run<R>(compute: () => R): R;
  /** Bytes that are held. */
  bytes(): number;
}

/** A range of a buffer that others have ranges of, too. */
interface Place {
  readonly buffer: ArrayBuffer;
  readonly offset: number;
}

/** Arrays of fewer bytes are not worth it. */
const SMALLEST = 32 * 1024;
/** A line of the processor's cache. */
const ALIGNMENT = 64;
const MIB = 2 ** 20;

/** Where the computation that runs on this thread has its arrays. */
let current: ((bytes: number) => Place | undefined) | undefined;

/** A scratch that grows with what computations need, to `limit` bytes. */
export function createScratch(limit: number): Scratch {
  // Blocks are added, never replaced by larger ones: those would be garbage for a long time.
  const blocks: { readonly buffer: ArrayBuffer; used: number }[] = [];
  let held = 0;
  return {
    bytes: () => held,
    run(compute) {
      let missing = 0;
      const outer = current;
      current = (bytes) => {
        const room = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
        // Never all of a block: an array that is all of its buffer is one that may be handed over with it.
        const block = blocks.find(({ buffer, used }) => used + room < buffer.byteLength);
        if (!block) {
          missing += room;
          return undefined;
        }
        const offset = block.used;
        block.used += room;
        return { buffer: block.buffer, offset };
      };
      try {
        return compute();
      } finally {
        current = outer;
        for (const block of blocks) block.used = 0;
        const more = missing === 0 ? 0 : Math.min(limit - held, Math.ceil((missing + 1) / MIB) * MIB);
        if (more > 0) blocks.push({ buffer: new ArrayBuffer(more), used: 0 });
        held += more;
      }
    },
  };
}

/** Room for a large array of the computation that runs, with anything in it; undefined where there is none. */
export function takeScratch(bytes: number): Place | undefined {
  return bytes < SMALLEST ? undefined : current?.(bytes);
}
