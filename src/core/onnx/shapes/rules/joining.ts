import {
  areNumbers,
  axisOf,
  type Call,
  type Rule,
  type RuleTable,
  require,
  type Small,
  unfit,
  unknownDims,
  withDim,
} from '../call';
import { add, type Dim, floorDiv, mul, sub } from '../dim';
import { constant, type Fact, tensor } from '../fact';
import { elementAt, filled } from '../fold';

const concat: Rule = (call) => {
  require(call.arity > 0);
  const shapes = call.node.inputs.map((_, i) => call.shape(i));
  const order = shapes.find((s) => s !== null)?.length;
  if (order === undefined) return tensor(call.type(0), null);
  const attribute = call.attribute('axis');
  require(attribute?.kind === 'int' || call.opset < 4);
  const axis = axisOf(call.int('axis', 1), order);
  return concatenated(call, shapes, axis, order);
};

function concatenated(
  call: Call,
  shapes: readonly (readonly Dim[] | null)[],
  axis: number,
  order: number,
): Fact {
  const dims: Dim[] = [...unknownDims(order)];
  dims[axis] = 0;
  for (const shape of shapes) {
    require(!shape || shape.length === order);
    for (let i = 0; i < order; i++) {
      const size = shape ? shape[i]! : null;
      if (i === axis) dims[i] = add(dims[i]!, size);
      else dims[i] = better(dims[i]!, size);
    }
  }
  const type = call.type(0);
  const smalls = call.node.inputs.map((_, i) => call.small(i));
  if (!smalls.some((s) => s)) return tensor(type, dims);
  if (order === 1) {
    // Unknown parts of a shape must not hide the known ones.
    const parts = smalls.map((s, i) => s?.values ?? unknownElements(shapes[i]!));
    if (parts.every((part) => part !== undefined)) return constant(type, dims, parts.flat());
  }
  if (!smalls.every((s): s is Small => s !== undefined)) return tensor(type, dims);
  return filled(type, dims, (at) => {
    let offset = at[axis]!;
    for (const small of smalls) {
      if (offset < small.shape[axis]!)
        return elementAt(
          small,
          at.map((p, i) => (i === axis ? offset : p)),
        );
      offset -= small.shape[axis]!;
    }
    return null;
  });
}

function unknownElements(shape: readonly Dim[] | null): readonly Dim[] | undefined {
  const length = shape?.[0];
  return typeof length === 'number' && length <= 64 ? unknownDims(length) : undefined;
}

/** Sizes that must agree: a number says more than an expression, that more than nothing. */
function better(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number' && a !== b) return unfit();
  if (typeof a === 'number' || b === null) return a;
  return typeof b === 'number' || a === null ? b : a;
}

const split: Rule = (call) => {
  const shape = call.shape(0);
  const count = call.node.outputs.length;
  if (!shape) return call.node.outputs.map(() => tensor(call.type(0), null));
  const axis = axisOf(call.int('axis', 0), shape.length);
  const total = shape[axis]!;
  let sizes: readonly Dim[] | undefined = call.opset < 13 ? call.ints('split') : undefined;
  if (!sizes && call.has(1)) {
    sizes = call.small(1)?.values ?? new Array<Dim>(count).fill(null);
  }
  if (!sizes) {
    const parts = call.opset >= 18 ? call.int('num_outputs', count) : count;
    require(parts === count && parts > 0);
    // Since opset 18 the last part may be smaller.
    const part = call.opset >= 18 ? floorDiv(add(total, parts - 1), parts) : floorDiv(total, parts);
    if (call.opset < 18 && typeof total === 'number') require(total % parts === 0);
    sizes = Array.from({ length: parts }, (_, i) =>
      i === parts - 1 ? sub(total, mul(part, parts - 1)) : part,
    );
    require(sizes.every((s) => typeof s !== 'number' || s >= 0));
  }
  require(sizes.length === count);
  const sum = sizes.reduce<Dim>(add, 0);
  if (typeof sum === 'number' && typeof total === 'number') require(sum === total);
  const small = call.small(0);
  let start = 0;
  return sizes.map((size) => {
    const dims = withDim(shape, axis, size);
    if (!small || !areNumbers(dims)) return tensor(call.type(0), dims);
    const from = start;
    start += dims[axis]!;
    return filled(call.type(0), dims, (at) =>
      elementAt(
        small,
        at.map((p, i) => (i === axis ? p + from : p)),
      ),
    );
  });
};

export const joiningRules: RuleTable = new Map<string, Rule>([
  ['Concat', concat],
  ['Split', split],
]);
