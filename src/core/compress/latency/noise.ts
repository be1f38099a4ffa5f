import { elementCount } from '../../onnx/elements';

/** The size of made-up weights of these dimensions, so that sums of products neither grow nor fade: numbers near zero would be slower. */
export function scaleOf(dims: readonly number[]): number {
  return Math.sqrt((3 * (dims[0] ?? 1)) / Math.max(1, elementCount(dims)));
}

/** Numbers between −scale and scale, always the same. */
export function noise(count: number, scale: number): Float32Array {
  const out = new Float32Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = scale * (state / 2 ** 31 - 1);
  }
  return out;
}
