import { availableParallelism, cpus, freemem, totalmem } from 'node:os';

/** How many threads compute at the same time at best. */
export function processorCount(): number {
  return availableParallelism();
}

/** Bytes that the machine, or the container, can still give. */
export function availableMemory(): number {
  const known = process as { availableMemory?(): number };
  return known.availableMemory?.() ?? freemem();
}

/** Bytes of memory that the machine, or the container, has. */
export function totalMemory(): number {
  const known = process as { constrainedMemory?(): number };
  // 0, or beyond all measure, where there is no bound.
  return Math.min(totalmem(), known.constrainedMemory?.() || Number.POSITIVE_INFINITY);
}

/** What the processor calls itself: times of one are not those of another. */
export function processorName(): string {
  return cpus()[0]?.model.trim() || 'unknown';
}
