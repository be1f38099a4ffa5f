import { fromFloat16 } from '../../core/onnx/halfFloat';
import type { RuntimeTensor } from '../runtime';

/** The values of one tensor in one run, row-major. */
export interface Activation {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** What a runtime gave out, in single precision; undefined for what holds no numbers. Singles are not copied. */
export function toActivation({ type, dims, data }: RuntimeTensor): Activation | undefined {
  if (data instanceof Float32Array) return { dims, data };
  if (type === 'string') return undefined;
  if (type === 'float16' && data instanceof Uint16Array) {
    halves ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => fromFloat16(bits));
    const out = new Float32Array(data.length);
    for (let i = 0; i < out.length; i++) out[i] = halves[data[i]!]!;
    return { dims, data: out };
  }
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = Number(data[i]);
  return { dims, data: out };
}

/** Every half there is. Runtimes give bit patterns where JavaScript has no array of halves. */
let halves: Float32Array | undefined;
