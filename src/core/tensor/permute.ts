import { type Numbers, zerosLike } from './matrix';

/**
 * A dense row-major tensor with its axes permuted: axis i of the result is axis `permutation[i]` of `data`,
 * whose dimensions are `dims`. Returns `data` itself when nothing moves, as when only axes of extent 1 do.
 */
export function permuteAxes<T extends Numbers>(
  data: T,
  dims: readonly number[],
  permutation: readonly number[],
): T {
  const moving = permutation.filter((axis) => dims[axis] !== 1);
  if (moving.every((axis, i) => i === 0 || axis > moving[i - 1]!)) return data;
  const strides = rowMajorStrides(dims);
  const shape = permutation.map((axis) => dims[axis]!);
  const steps = permutation.map((axis) => strides[axis]!);
  const out = zerosLike(data, data.length);
  const last = shape.length - 1;
  const inner = shape[last]!;
  const step = steps[last]!;
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let at = 0; at < out.length; at += inner) {
    for (let k = 0, source = from; k < inner; k++, source += step) out[at + k] = data[source]!;
    // Count up the outer axes, like an odometer.
    for (let axis = last - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= steps[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

function rowMajorStrides(dims: readonly number[]): readonly number[] {
  const strides = new Array<number>(dims.length);
  for (let i = dims.length - 1, stride = 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= dims[i]!;
  }
  return strides;
}
