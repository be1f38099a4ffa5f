import { elementName } from '../core/onnx/elements';
import { toFloat16 } from '../core/onnx/halfFloat';
import type { ElementType } from '../core/onnx/model';
import type { RuntimeTensor } from './runtime';

type Fill = (count: number, value: (i: number) => number) => RuntimeTensor['data'];

function filler<A extends { [i: number]: number }>(
  Kind: new (count: number) => A,
): (count: number, value: (i: number) => number) => A {
  return (count, value) => {
    const out = new Kind(count);
    for (let i = 0; i < count; i++) out[i] = value(i);
    return out;
  };
}

const halves = filler(Uint16Array);

/** The arrays that the runtime takes, by element type: the runtime's word for it, and how it is filled. */
const FILLS = new Map<ElementType, readonly [word: string, fill: Fill]>([
  [1, ['float32', filler(Float32Array)]],
  [2, ['uint8', filler(Uint8Array)]],
  [3, ['int8', filler(Int8Array)]],
  [4, ['uint16', filler(Uint16Array)]],
  [5, ['int16', filler(Int16Array)]],
  [6, ['int32', filler(Int32Array)]],
  [7, ['int64', (n, f) => BigInt64Array.from({ length: n }, (_, i) => BigInt(Math.trunc(f(i))))]],
  [9, ['bool', (n, f) => filler(Uint8Array)(n, (i) => (f(i) ? 1 : 0))]],
  [10, ['float16', (n, f) => halfArray(halves(n, (i) => toFloat16(f(i))))]],
  [11, ['float64', filler(Float64Array)]],
  [12, ['uint32', filler(Uint32Array)]],
  [13, ['uint64', (n, f) => BigUint64Array.from({ length: n }, (_, i) => BigInt(Math.trunc(f(i))))]],
]);

/** The runtime wants a Float16Array where JavaScript has one, and bit patterns where it does not. */
function halfArray(bits: Uint16Array): RuntimeTensor['data'] {
  const Half = (globalThis as { Float16Array?: new (buffer: ArrayBufferLike) => ArrayLike<number> })
    .Float16Array;
  return Half ? new Half(bits.buffer) : bits;
}

/** Whether values of this element type can be handed to the runtime. */
export function isRuntimeType(type: ElementType): boolean {
  return FILLS.has(type);
}

/** The element type of a tensor that came out of the runtime; 0 for what can't be handed to it. */
export function elementTypeOf({ type }: RuntimeTensor): ElementType {
  return [...FILLS].find(([, [word]]) => word === type)?.[0] ?? 0;
}

/** A tensor for the runtime, its elements given as numbers: whole ones where the type is. */
export function runtimeTensor(
  type: ElementType,
  dims: readonly number[],
  value: (i: number) => number,
): RuntimeTensor {
  const known = FILLS.get(type);
  if (!known) throw new Error(`The runtime takes no ${elementName(type)}.`);
  const [word, fill] = known;
  const count = dims.reduce((product, d) => product * d, 1);
  return { type: word, dims, data: fill(count, value) };
}
