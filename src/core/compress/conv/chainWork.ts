import type { ConvForm } from '../layer';
import { LARGEST_BLOCK } from '../ranks/rankMultiple';
import { type ChainStep, isTransposedStep, stepKernel } from './chain';

/** A kernel keeps the results of so many blocks of channels at so many neighbouring positions in registers: a tile. */
const TILE_BLOCKS = 4;
const TILE_POSITIONS = 6;

/** A tile of fewer vectors of results takes as long as one of so many: each waits for its last multiplication. */
const LEAST_VECTORS = 8;

/**
 * The multiply-adds that a runtime's kernels have time for while they compute a chain, as many as its own where all tiles are
 * full: a part of a block of channels counts as a whole one, and a tile that is too small to keep the processor busy as one
 * that does. Such are the tiles of narrow images, most of all of kernels that are wide there: positions whose
 * windows reach over an edge are computed one by one. null where the sizes are unknown. The numbers are those of
 * ONNX Runtime's kernels for AVX-512 in blocked layout (NCHWc).
 */
export function chainWork(form: ConvForm, steps: readonly ChainStep[]): number | null {
  let work = 0;
  for (const { batch, inputSize, outputSize } of form.calls) {
    if (batch === null || inputSize === null || outputSize === null) return null;
    const sizes = [...inputSize];
    let parts = 1;
    for (const step of steps) {
      if (step.kind === 'split') parts = step.parts;
      if (step.kind === 'join') parts = 1;
      if (step.kind !== 'conv') continue;
      const before = [...sizes];
      step.acts.forEach((acts, axis) => {
        if (acts) sizes[axis] = outputSize[axis]!;
      });
      const kernel = stepKernel(form, step);
      const groups = form.groups * step.groups;
      const terms = kernel.reduce((a, b) => a * b, step.in / step.groups);
      const vectors = vectorsOf(
        Math.ceil(step.out / step.groups / LARGEST_BLOCK),
        isTransposedStep(form, step) ? before : sizes,
        kernel,
      );
      work += batch * parts * groups * terms * LARGEST_BLOCK * vectors;
    }
  }
  return work;
}

/** Vectors of results in the time that one image takes, each of a block of channels at a position. */
function vectorsOf(blocks: number, sizes: readonly number[], kernel: readonly number[]): number {
  const positions = sizes.reduce((a, b) => a * b, 1);
  const isPoint = kernel.every((extent) => extent === 1);
  // A 1 × 1 kernel knows no rows.
  const width = isPoint ? positions : sizes.at(-1)!;
  const edges = Math.min(width, kernel.at(-1)! - 1);
  const along = (filters: number) =>
    edges * tile(filters, 1) + inTiles(width - edges, TILE_POSITIONS, (count) => tile(filters, count));
  return (positions / width) * inTiles(blocks, TILE_BLOCKS, along);
}

function tile(blocks: number, positions: number): number {
  return Math.max(LEAST_VECTORS, blocks * positions);
}

/** The sum over as many full tiles as there are and what is left. */
function inTiles(count: number, full: number, each: (count: number) => number): number {
  const rest = count % full;
  return Math.floor(count / full) * each(full) + (rest > 0 ? each(rest) : 0);
}
