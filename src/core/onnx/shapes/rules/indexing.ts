import { Element } from '../../elements';
import {
  areNumbers,
  axesOf,
  axisOf,
  forAll,
  lengthOf,
  type Rule,
  type RuleTable,
  require,
  unknownDims,
  withDim,
} from '../call';
import { add, ceilDiv, type Dim, isSymbolic, lowerBound, max, min, mul, sub } from '../dim';
import { type Fact, tensor } from '../fact';
import { elementAt, filled } from '../fold';

const slice: Rule = (call) => {
  const shape = call.shape(0);
  const type = call.type(0);
  const asInputs = call.opset >= 10;
  const argument = (input: number, name: string) => (asInputs ? call.small(input)?.values : call.ints(name));
  const starts = argument(1, 'starts');
  const ends = argument(2, 'ends');
  if (!shape) return tensor(type, null);
  const axesGiven = asInputs ? call.has(3) : call.ints('axes') !== undefined;
  const count =
    starts?.length ?? ends?.length ?? (asInputs ? (lengthOf(call, 1) ?? lengthOf(call, 2)) : undefined);
  const axisNumbers = axesGiven
    ? asInputs
      ? call.numbers(3)
      : call.ints('axes')
    : count === undefined
      ? undefined
      : Array.from({ length: count }, (_, i) => i);
  if (!axisNumbers) return tensor(type, unknownDims(shape.length));
  const axes = axesOf(axisNumbers, shape.length);
  const steps = asInputs && call.has(4) ? call.small(4)?.values : new Array<Dim>(axes.length).fill(1);
  require(!starts || starts.length === axes.length);
  require(!ends || ends.length === axes.length);
  require(!steps || steps.length === axes.length);
  const dims = [...shape];
  const ranges = axes.map((axis, i) => {
    const range = sliceRange(shape[axis]!, starts?.[i] ?? null, ends?.[i] ?? null, steps?.[i] ?? null);
    dims[axis] = range.length;
    return range;
  });
  const small = call.small(0);
  if (!small || !areNumbers(dims)) return tensor(type, dims);
  return filled(type, dims, (at) => {
    const from = [...at];
    for (const [i, axis] of axes.entries()) {
      const { start, step } = ranges[i]!;
      if (typeof start !== 'number' || typeof step !== 'number') return null;
      from[axis] = start + at[axis]! * step;
    }
    return elementAt(small, from);
  });
};

/** Where a slice of an axis begins, and how many elements it takes. Bounds out of range are clamped. */
function sliceRange(size: Dim, start: Dim, end: Dim, step: Dim): { start: Dim; step: Dim; length: Dim } {
  require(step !== 0);
  if (typeof step !== 'number') {
    return { start: null, step, length: null };
  }
  if (step < 0 && (isSymbolic(size) || size === null)) {
    // The whole axis backwards is the one common case.
    const isWhole =
      typeof start === 'number' && start >= 2 ** 31 - 1 && typeof end === 'number' && end <= -(2 ** 31);
    const isLast = start === -1 && typeof end === 'number' && end <= -(2 ** 31);
    return { start: null, step, length: isWhole || isLast ? ceilDiv(size, -step) : null };
  }
  const low = step > 0 ? 0 : -1;
  const high = step > 0 ? size : sub(size, 1);
  const from = clamped(start, size, 0, high);
  const to = clamped(end, size, low, high);
  const length = step > 0 ? ceilDiv(sub(to, from), step) : ceilDiv(sub(from, to), -step);
  return { start: from, step, length: length === null ? null : max(length, 0) };
}

/** A bound counted from the front and kept within the axis. */
function clamped(bound: Dim, size: Dim, low: number, high: Dim): Dim {
  if (bound === null) return null;
  if (typeof bound === 'number' && bound >= 2 ** 31 - 1) return high;
  if (typeof bound === 'number' && bound < 0) {
    if (bound <= -(2 ** 31)) return low;
    return max(low, add(size, bound));
  }
  if (isSymbolic(bound) && lowerBound(bound) < 0) {
    // −N counts from the end, N − 1 from the front.
    if (lowerBound(mul(bound, -1)) >= 1) return max(low, add(size, bound));
    if (lowerBound(add(bound, 1)) < 0) return null;
  }
  return min(bound, high);
}

const gather: Rule = (call) => {
  const data = call.shape(0);
  const indices = call.shape(1);
  if (!data || !indices) return tensor(call.type(0), null);
  require(data.length > 0);
  const axis = axisOf(call.int('axis', 0), data.length);
  const dims = [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)];
  const small = call.small(0);
  const places = call.small(1);
  if (!small || !places) return tensor(call.type(0), dims);
  return filled(call.type(0), dims, (at) => {
    const index = elementAt(places, at.slice(axis, axis + indices.length));
    const length = small.shape[axis]!;
    if (typeof index !== 'number' || index < -length || index >= length) return null;
    const place = index < 0 ? index + length : index;
    return elementAt(small, [...at.slice(0, axis), place, ...at.slice(axis + indices.length)]);
  });
};

const gatherND: Rule = (call) => {
  const data = call.shape(0);
  const indices = call.shape(1);
  if (!data || !indices) return tensor(call.type(0), null);
  const batch = call.int('batch_dims', 0);
  const depth = indices.at(-1);
  require(depth !== undefined && batch >= 0 && batch < Math.min(data.length, indices.length));
  if (typeof depth !== 'number') return tensor(call.type(0), null);
  require(batch + depth <= data.length);
  return tensor(call.type(0), [...indices.slice(0, -1), ...data.slice(batch + depth)]);
};

const gatherElements: Rule = (call) => {
  const data = call.shape(0);
  const indices = call.shape(1);
  if (data) axisOf(call.int('axis', 0), data.length);
  require(!data || !indices || data.length === indices.length);
  return tensor(call.type(0), indices ?? (data && unknownDims(data.length)));
};

/** Pad: begins then ends, for all axes or for the named ones. */
const pad: Rule = (call) => {
  const shape = call.shape(0);
  const asInputs = call.opset >= 11;
  const pads = asInputs ? call.small(1)?.values : (call.ints('pads') ?? call.ints('paddings'));
  if (!shape) {
    const count = pads?.length ?? lengthOf(call, 1);
    return tensor(call.type(0), count === undefined || call.has(3) ? null : unknownDims(count / 2));
  }
  if (!pads) return tensor(call.type(0), unknownDims(shape.length));
  const given = asInputs && call.has(3) ? call.numbers(3) : shape.map((_, i) => i);
  if (!given) return tensor(call.type(0), unknownDims(shape.length));
  const axes = axesOf(given, shape.length);
  require(pads.length === 2 * axes.length);
  const dims = [...shape];
  axes.forEach((axis, i) => {
    const size = add(dims[axis]!, add(pads[i]!, pads[i + axes.length]!));
    if (typeof size === 'number') require(size >= 0);
    dims[axis] = size;
  });
  return tensor(call.type(0), dims);
};

const oneHot: Rule = (call) => {
  const indices = call.shape(0);
  const depthShape = call.shape(1);
  require(
    !depthShape ||
      depthShape.length === 0 ||
      // Without elements the depth is just unknown.
      (depthShape.length === 1 && (typeof depthShape[0] !== 'number' || depthShape[0] <= 1)),
  );
  const values = call.shape(2);
  require(!values || (values.length === 1 && (values[0] === 2 || typeof values[0] !== 'number')));
  if (!indices) return tensor(call.type(2), null);
  require(indices.length > 0);
  const axis = axisOf(call.int('axis', -1), indices.length + 1);
  const depth = call.small(1)?.values[0] ?? null;
  if (typeof depth === 'number') require(depth > 0);
  return tensor(call.type(2), [...indices.slice(0, axis), depth, ...indices.slice(axis)]);
};

const topK: Rule = (call) => {
  const shape = call.shape(0);
  const outputs = (dims: readonly Dim[] | null) => [tensor(call.type(0), dims), tensor(Element.int64, dims)];
  if (!shape) return outputs(null);
  const axis = axisOf(call.int('axis', -1), shape.length);
  const k = call.opset >= 10 ? (call.small(1)?.values[0] ?? null) : call.int('k', -1);
  const size = shape[axis]!;
  if (typeof k === 'number') require(k >= 0 && (typeof size !== 'number' || k <= size));
  return outputs(withDim(shape, axis, k));
};

const nonZero: Rule = (call) => {
  const shape = call.shape(0);
  const values = call.numbers(0);
  const found = values ? values.filter((v) => v !== 0).length : null;
  // A scalar that is not zero is found in one place, told by no coordinate.
  return tensor(Element.int64, [shape ? shape.length : null, found]);
};

const compress: Rule = (call) => {
  const shape = call.shape(0);
  const axis = call.attribute('axis');
  const kept = call.numbers(1)?.filter((v) => v !== 0).length ?? null;
  if (axis?.kind !== 'int') return tensor(call.type(0), [kept]);
  return tensor(call.type(0), shape && withDim(shape, axisOf(axis.value, shape.length), kept));
};

const unique: Rule = (call) => {
  const shape = call.shape(0);
  const axis = call.attribute('axis');
  const list = tensor(Element.int64, [null]);
  let dims: readonly Dim[] | null = [null];
  if (axis?.kind === 'int') dims = shape && withDim(shape, axisOf(axis.value, shape.length), null);
  return [tensor(call.type(0), dims), list, list, list];
};

const nonMaxSuppression: Rule = (): Fact => tensor(Element.int64, [null, 3]);

/** Scatter checks: data, indices and updates have one order. */
const scatterElements: Rule = (call) => {
  require(call.node.opType !== 'Scatter' || call.opset < 11);
  const data = call.shape(0);
  const indices = call.shape(1);
  if (data) axisOf(call.int('axis', 0), data.length);
  require(!data || !indices || data.length === indices.length);
  return tensor(call.type(0), data);
};

export const indexingRules: RuleTable = new Map<string, Rule>([
  ['Slice', slice],
  ['Gather', gather],
  ['GatherND', gatherND],
  ['GatherElements', gatherElements],
  ['Pad', pad],
  ['OneHot', oneHot],
  ['TopK', topK],
  ['NonZero', nonZero],
  ['Compress', compress],
  ['Unique', unique],
  ['NonMaxSuppression', nonMaxSuppression],
  ...forAll('Scatter ScatterElements', scatterElements),
]);
