import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { Linalg } from '../src/core/tensor/linalg';
import { matrix } from '../src/core/tensor/matrix';
import type { BenchLayer } from './layers';

/**
 * Weights to measure with, all of them made from one seed:
 *
 * - `random`: independent N(0, 2 / fan-in), the start of training (He et al. 2015). The flattest spectrum there is.
 * - `decaying`: Σₖ σₖ uₖ vₖᵀ + N, each layer as out × (in · kernel) with m rows or columns, whichever are fewer:
 *   ⌈m/8⌉ terms, σₖ = 1/k, entries of uₖ and vₖ independent normal and scaled to expected length 1, and normal noise
 *   N whose largest singular value is about that of the last term. So the σ fall as 1/k over the first eighth and
 *   then as those of a random matrix (Marchenko–Pastur), as trained layers' do, in a product's time.
 */
export type WeightKind = 'random' | 'decaying';
export const WEIGHT_KINDS: readonly WeightKind[] = ['random', 'decaying'];

/** Writes the weights of these shapes one behind the other, as raw little-endian float32. */
export function writeWeights(
  file: string,
  shapes: readonly (readonly number[])[],
  kind: WeightKind,
  linalg: Linalg,
): void {
  const normal = createNormal(1);
  const out = openSync(file, 'w');
  try {
    for (const [rows = 1, ...rest] of shapes) {
      const cols = rest.reduce((a, b) => a * b, 1);
      const values =
        kind === 'random' ? normal(rows * cols, Math.sqrt(2 / cols)) : decaying(rows, cols, normal, linalg);
      const bytes = new Uint8Array(values.buffer);
      for (let done = 0; done < bytes.length; ) done += writeSync(out, bytes, done);
    }
  } finally {
    closeSync(out);
  }
}

/** The elements of a layer in the file of weights. */
export function readWeight(file: string, { offset, rows, cols }: BenchLayer): Float32Array {
  const values = new Float32Array(rows * cols);
  const bytes = new Uint8Array(values.buffer);
  const handle = openSync(file, 'r');
  try {
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(handle, bytes, done, bytes.length - done, 4 * offset + done);
      if (read === 0) throw new Error(`${file} ends before its weights do.`);
      done += read;
    }
  } finally {
    closeSync(handle);
  }
  return values;
}

function decaying(rows: number, cols: number, normal: Normal, linalg: Linalg): Float32Array {
  const terms = Math.ceil(Math.min(rows, cols) / 8);
  const left = normal(rows * terms, 1 / Math.sqrt(rows));
  for (let i = 0; i < left.length; i++) left[i] = left[i]! / ((i % terms) + 1);
  const right = normal(terms * cols, 1 / Math.sqrt(cols));
  const { data } = linalg.multiply(matrix(rows, terms, left), matrix(terms, cols, right));
  // A rows × cols matrix of independent N(0, s²) has σ₁ ≈ s (√rows + √cols).
  const noise = normal(rows * cols, 1 / terms / (Math.sqrt(rows) + Math.sqrt(cols)));
  for (let i = 0; i < noise.length; i++) noise[i] = noise[i]! + data[i]!;
  return noise;
}

/** Normal numbers of this deviation. */
type Normal = (count: number, deviation: number) => Float32Array;

/** Marsaglia's polar method on a 32-bit xorshift: the same numbers on every machine. */
function createNormal(seed: number): Normal {
  let state = Math.imul(seed, 0x9e3779b1) || 1;
  // In (−1, 1).
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state + 0.5) / 2 ** 31;
  };
  return (count, deviation) => {
    const values = new Float32Array(count);
    for (let i = 0; i < count; ) {
      const [x, y] = [uniform(), uniform()];
      const square = x * x + y * y;
      if (square >= 1) continue;
      const scale = deviation * Math.sqrt((-2 * Math.log(square)) / square);
      values[i++] = x * scale;
      if (i < count) values[i++] = y * scale;
    }
    return values;
  };
}
