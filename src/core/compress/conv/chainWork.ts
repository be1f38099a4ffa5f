import type { ConvForm } from '../layer';
import { product } from '../method';
import { LARGEST_BLOCK } from '../ranks/rankMultiple';
import { type ChainStep, positionsOf, stepKernel, stepUses } from './chain';

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
  const uses = stepUses(form, steps);
  if (!uses) return null;
  let work = 0;
  for (const use of uses) {
    const { step, images } = use;
    const kernel = stepKernel(form, step);
    const terms = product(kernel) * (step.in / step.groups);
    const blocks = Math.ceil(step.out / step.groups / LARGEST_BLOCK);
    const vectors = vectorsOf(blocks, positionsOf(form, use), kernel);
    work += images * form.groups * step.groups * terms * LARGEST_BLOCK * vectors;
  }
  return work;
}

/** Vectors of results in the time that one image takes, each of a block of channels at a position. */
function vectorsOf(blocks: number, sizes: readonly number[], kernel: readonly number[]): number {
  const positions = product(sizes);
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
