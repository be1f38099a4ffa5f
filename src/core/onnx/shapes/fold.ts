import { Element, isFloatType } from '../elements';
import type { ElementType } from '../model';
import { type Call, require, type Small, smallOf, unfit } from './call';
import { type Dim, isSymbolic, max, sameDim } from './dim';
import { constant, countOf, foldLimit, type TensorFact, tensor } from './fact';

/** The shape of several shapes broadcast against each other (numpy rules); null if one of them is unknown. */
export function broadcast(shapes: readonly (readonly Dim[] | null)[]): readonly Dim[] | null {
  let result: readonly Dim[] = [];
  for (const shape of shapes) {
    if (shape === null) return null;
    const order = Math.max(shape.length, result.length);
    const previous = result;
    result = Array.from({ length: order }, (_, i) =>
      broadcastDim(
        previous[i - order + previous.length] ?? (i < order - previous.length ? 1 : null),
        shape[i - order + shape.length] ?? (i < order - shape.length ? 1 : null),
      ),
    );
  }
  return result;
}

function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === 1 || sameDim(a, b)) return b;
  if (b === 1) return a;
  if (typeof a === 'number' && typeof b === 'number') return unfit();
  if (typeof a === 'number') return a;
  if (typeof b === 'number') return b;
  // Either they are equal or one of them is 1.
  return max(a, b);
}

/** A tensor computed element by element: `element` gets the position in the output. */
export function filled(
  type: ElementType,
  shape: readonly Dim[],
  element: (position: readonly number[]) => Dim,
): TensorFact {
  const count = countOf(tensor(type, shape));
  if (count === undefined || count > foldLimit(type)) return tensor(type, shape);
  const sizes = shape as readonly number[];
  const position = sizes.map(() => 0);
  const values: Dim[] = [];
  for (let i = 0; i < count; i++) {
    values.push(element(position));
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      position[axis]!++;
      if (position[axis]! < sizes[axis]!) break;
      position[axis] = 0;
    }
  }
  return constant(type, shape, values);
}

/** The element of a small tensor at a position. */
export function elementAt(small: Small, position: readonly number[]): Dim {
  let offset = 0;
  for (let axis = 0; axis < small.shape.length; axis++) {
    offset = offset * small.shape[axis]! + position[axis]!;
  }
  return small.values[offset] ?? null;
}

/** The element that broadcasting puts at a position of the output. */
export function broadcastAt(small: Small, position: readonly number[]): Dim {
  const lead = position.length - small.shape.length;
  return elementAt(
    small,
    small.shape.map((size, axis) => (size === 1 ? 0 : position[lead + axis]!)),
  );
}

/** Whether a constant of this type and shape is worth computing. */
export function isFoldable(type: ElementType, shape: readonly Dim[] | null): boolean {
  const count = shape && countOf(tensor(type, shape));
  return typeof count === 'number' && count <= foldLimit(type);
}

/** The elementwise result on broadcast inputs, with its elements where all inputs are small constants. */
export function elementwise(
  call: Call,
  type: ElementType,
  shape: readonly Dim[] | null,
  compute: ((values: readonly Dim[]) => Dim) | undefined,
): TensorFact {
  const plain = tensor(type, shape);
  if (!compute || shape === null) return plain;
  const inputs = call.node.inputs.map((_, i) => call.input(i));
  if (!inputs.every((f) => f.values && isFoldable(f.type, f.shape)) || !isFoldable(type, shape)) return plain;
  const smalls: Small[] = [];
  for (const fact of inputs) {
    const small = smallOf(fact);
    if (!small) return plain;
    smalls.push(small);
  }
  return filled(type, shape, (at) => stored(type, compute(smalls.map((s) => broadcastAt(s, at)))));
}

const RANGES = new Map<ElementType, readonly [number, number]>([
  [2, [0, 255]],
  [3, [-128, 127]],
  [4, [0, 65535]],
  [5, [-32768, 32767]],
  [Element.int32, [-(2 ** 31), 2 ** 31 - 1]],
  [12, [0, 2 ** 32 - 1]],
]);

/**
 * The value as its type holds it: rounded to single precision, since ⌊0.7 · 10⌋ is 7 there and 6 in double;
 * unknown where an integer would wrap around or half precision would have to be imitated.
 */
export function stored(type: ElementType, value: Dim): Dim {
  if (typeof value !== 'number' || type === 0) return value;
  if (type === Element.float) return Math.fround(value);
  if (type === Element.double) return value;
  if (isFloatType(type)) return Number.isInteger(value) && Math.abs(value) <= 256 ? value : null;
  const range = RANGES.get(type);
  if (range) return value >= range[0] && value <= range[1] ? value : null;
  // INT64_MAX reads as 2^63: as the end of a slice that means "to the end", so it must survive.
  return Number.isSafeInteger(value) || Math.abs(value) === 2 ** 63 ? value : null;
}

/** A shape given as the elements of a tensor: each must be a size. */
export function asShape(values: readonly Dim[]): readonly Dim[] {
  require(values.length <= 64);
  return values.map((v) => {
    if (typeof v === 'number') require(Number.isSafeInteger(v) && v >= 0);
    return isSymbolic(v) || typeof v === 'number' ? v : null;
  });
}
