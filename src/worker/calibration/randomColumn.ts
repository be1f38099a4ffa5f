import { elementCount } from '../../core/onnx/elements';
import { seededNormals } from '../../core/tensor/seeded';
import { madeUpValues } from '../madeUpValues';
import type { ModelInput } from './modelInput';
import type { SampleColumn } from './sampleColumn';

/** Random samples of an input, each from a seed of its own: the same whatever is read before. */
export function randomColumn(
  input: ModelInput,
  shape: readonly number[],
  count: number,
  seed: number,
  bind: ReadonlyMap<string, number>,
): SampleColumn {
  const length = elementCount(shape);
  return {
    label: `random numbers, seed ${seed}`,
    count,
    shape,
    type: input.type,
    read(indices, out) {
      for (const [k, index] of indices.entries()) {
        const value = madeUpValues(input, bind, seededNormals(mixed(seed, input.name, index)));
        for (let i = 0; i < length; i++) out[k * length + i] = value();
      }
    },
  };
}

/** A seed for each input and sample (FNV-1a over the name, then MurmurHash3's finalizer). */
function mixed(seed: number, name: string, index: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ index, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
