import { Element } from '../../elements';
import {
  areNumbers,
  axesOf,
  type Call,
  lengthOf,
  type Rule,
  type RuleTable,
  require,
  unknownDims,
  withDim,
} from '../call';
import { type Dim, floorDiv, mul, productOf } from '../dim';
import { constant, countOf, type Fact, int64, type TensorFact, tensor } from '../fact';
import { asShape, broadcast, broadcastAt, elementAt, filled } from '../fold';

/** The elements of input 0 in a new shape. */
function reshaped(call: Call, dims: readonly Dim[] | null): TensorFact {
  const { type, values } = call.input(0);
  const result = tensor(type, dims);
  const count = countOf(result);
  return values && count !== undefined && count === countOf(call.input(0)) ? { ...result, values } : result;
}

const reshape: Rule = (call) => {
  const { shape } = call.input(0);
  const target = call.opset < 5 && !call.has(1) ? call.ints('shape') : call.small(1)?.values;
  if (!target) {
    const order = lengthOf(call, 1);
    require(call.shape(1) === null || call.shape(1)!.length === 1);
    return tensor(call.type(0), order === undefined ? null : unknownDims(order));
  }
  return reshaped(call, reshapedDims(shape, target, call.int('allowzero', 0) !== 0));
};

/** 0 copies the dimension of the input, −1 takes what is left over. */
export function reshapedDims(
  shape: readonly Dim[] | null,
  target: readonly Dim[],
  allowZero: boolean,
): readonly Dim[] {
  const known = target.map((size, i) => {
    if (size === 0 && !allowZero) {
      if (shape) require(i < shape.length);
      return shape ? shape[i]! : null;
    }
    return size;
  });
  const rest = known.flatMap((size, i) => (size === -1 ? [i] : []));
  require(rest.length <= 1 && known.every((size) => typeof size !== 'number' || size >= -1));
  const total = shape ? productOf(shape) : null;
  const at = rest[0];
  if (at === undefined) {
    const count = productOf(known);
    if (typeof total === 'number' && typeof count === 'number') require(total === count);
    // One unknown size follows from the others.
    const gaps = known.flatMap((size, i) => (size === null ? [i] : []));
    if (gaps.length !== 1) return known;
    // An unknown 0 or −1 in the target would mean something else, but the quotient is the same.
    return withDim(
      known,
      gaps[0]!,
      quotient(
        total,
        known.filter((size) => size !== null),
      ),
    );
  }
  const others = known.filter((_, i) => i !== at);
  // A dimension that is copied cancels even where its size is unknown.
  const copied = target.flatMap((size, i) => (size === 0 && !allowZero ? [i] : []));
  const left = shape ? shape.filter((_, i) => !copied.includes(i)) : null;
  const divisors = others.length === 0 ? [] : known.filter((_, i) => i !== at && !copied.includes(i));
  const precise = left ? quotient(productOf(left), divisors) : null;
  return withDim(known, at, precise ?? quotient(total, others));
}

/** total / ∏ divisors, which must come out even. */
function quotient(total: Dim, divisors: readonly Dim[]): Dim {
  const divisor = productOf(divisors);
  if (total === null || divisor === null || divisor === 0) return null;
  if (typeof total === 'number' && typeof divisor === 'number') require(total % divisor === 0);
  return floorDiv(total, divisor);
}

const transpose: Rule = (call) => {
  const shape = call.shape(0);
  const perm = call.ints('perm') ?? shape?.map((_, i) => shape.length - 1 - i);
  if (!perm) return tensor(call.type(0), null);
  require(!shape || shape.length === perm.length);
  require(axesOf(perm, perm.length).every((axis, i) => axis === perm[i]));
  const dims = shape ? perm.map((axis) => shape[axis]!) : unknownDims(perm.length);
  const small = call.small(0);
  if (!small) return tensor(call.type(0), dims);
  return filled(call.type(0), dims, (at) => {
    const from = new Array<number>(at.length);
    perm.forEach((axis, i) => {
      from[axis] = at[i]!;
    });
    return elementAt(small, from);
  });
};

/** The axes of Squeeze and Unsqueeze: an input since opset 13. undefined: not given; null: not known. */
function axesArgument(call: Call): readonly number[] | undefined | null {
  if (call.opset < 13) return call.ints('axes');
  return call.has(1) ? (call.numbers(1) ?? null) : undefined;
}

const squeeze: Rule = (call) => {
  const shape = call.shape(0);
  const axes = axesArgument(call);
  if (!shape) return tensor(call.type(0), null);
  if (axes === null) {
    const gone = lengthOf(call, 1);
    return tensor(
      call.type(0),
      gone === undefined || gone > shape.length ? null : unknownDims(shape.length - gone),
    );
  }
  if (!axes) {
    // Every 1 goes: an unknown size may be one.
    return areNumbers(shape)
      ? reshaped(
          call,
          shape.filter((d) => d !== 1),
        )
      : tensor(call.type(0), null);
  }
  const gone = new Set(axesOf(axes, shape.length));
  shape.forEach((d, i) => {
    require(!gone.has(i) || typeof d !== 'number' || d === 1);
  });
  return reshaped(
    call,
    shape.filter((_, i) => !gone.has(i)),
  );
};

const unsqueeze: Rule = (call) => {
  const shape = call.shape(0);
  const axes = axesArgument(call);
  if (!shape) return tensor(call.type(0), null);
  if (!axes) {
    const more = axes === null ? lengthOf(call, 1) : undefined;
    return tensor(call.type(0), more === undefined ? null : unknownDims(shape.length + more));
  }
  const order = shape.length + axes.length;
  const added = new Set(axesOf(axes, order));
  const rest = [...shape];
  return reshaped(
    call,
    Array.from({ length: order }, (_, i) => (added.has(i) ? 1 : rest.shift()!)),
  );
};

const flatten: Rule = (call) => {
  const shape = call.shape(0);
  if (!shape) return tensor(call.type(0), [null, null]);
  const axis = call.int('axis', 1);
  require(axis >= -shape.length && axis <= shape.length);
  const at = axis < 0 ? axis + shape.length : axis;
  return reshaped(call, [productOf(shape.slice(0, at)), productOf(shape.slice(at))]);
};

const expand: Rule = (call) => {
  const shape = call.shape(0);
  const target = call.small(1)?.values;
  if (!target) {
    const order = lengthOf(call, 1);
    require(call.shape(1) === null || call.shape(1)!.length === 1);
    const dims = shape && order !== undefined ? broadcast([shape, unknownDims(order)]) : null;
    return tensor(call.type(0), dims);
  }
  require(target.every((d) => typeof d !== 'number' || d >= 0));
  const dims = broadcast([shape, asShape(target)]);
  const small = call.small(0);
  return small && dims
    ? filled(call.type(0), dims, (at) => broadcastAt(small, at))
    : tensor(call.type(0), dims);
};

const tile: Rule = (call) => {
  const shape = call.shape(0);
  if (call.opset < 6) return tensor(call.type(0), shape && unknownDims(shape.length));
  const repeats = call.small(1)?.values;
  require(!shape || !repeats || repeats.length === shape.length);
  const order = shape?.length ?? lengthOf(call, 1);
  if (order === undefined) return tensor(call.type(0), null);
  if (!shape || !repeats) return tensor(call.type(0), unknownDims(order));
  require(repeats.every((d) => typeof d !== 'number' || d >= 0));
  const dims = shape.map((d, i) => mul(d, repeats[i]!));
  const small = call.small(0);
  return small
    ? filled(call.type(0), dims, (at) =>
        elementAt(
          small,
          at.map((p, i) => p % small.shape[i]!),
        ),
      )
    : tensor(call.type(0), dims);
};

const shapeOf: Rule = (call) => {
  const shape = call.shape(0);
  if (!shape) return tensor(Element.int64, [null]);
  const clamp = (at: number) => Math.max(0, Math.min(shape.length, at < 0 ? at + shape.length : at));
  const end = call.attribute('end')?.kind === 'int' ? call.int('end', 0) : shape.length;
  return int64(shape.slice(clamp(call.int('start', 0)), clamp(end)));
};

const size: Rule = (call) => {
  const shape = call.shape(0);
  return constant(Element.int64, [], [shape ? productOf(shape) : null]);
};

const depthToSpace: Rule = (call) => blocks(call, (d, b) => floorDiv(d, b * b), mul);
const spaceToDepth: Rule = (call) =>
  blocks(
    call,
    (d, b) => mul(d, b * b),
    (d, b) => floorDiv(d, b),
  );

function blocks(
  call: Call,
  channels: (d: Dim, block: number) => Dim,
  sizes: (d: Dim, block: number) => Dim,
): Fact {
  const shape = call.shape(0);
  const block = call.int('blocksize', 0);
  require(block > 0);
  if (!shape) return tensor(call.type(0), unknownDims(4));
  require(shape.length === 4);
  const dims = [shape[0]!, channels(shape[1]!, block), sizes(shape[2]!, block), sizes(shape[3]!, block)];
  const before = productOf(shape);
  if (typeof before === 'number') require(productOf(dims) === before);
  return tensor(call.type(0), dims);
}

const identity: Rule = (call) => call.fact(0);

/** Crops or pads to a given size around the centre: the named axes get that size. */
const centerCropPad: Rule = (call) => {
  const shape = call.shape(0);
  if (!shape) return tensor(call.type(0), null);
  const axes = call.ints('axes') ? axesOf(call.ints('axes')!, shape.length) : shape.map((_, i) => i);
  const sizes = call.small(1)?.values;
  if (!sizes)
    return tensor(
      call.type(0),
      shape.map((d, i) => (axes.includes(i) ? null : d)),
    );
  require(sizes.length === axes.length);
  const dims = [...shape];
  asShape(sizes).forEach((s, i) => {
    dims[axes[i]!] = s;
  });
  return tensor(call.type(0), dims);
};

export const layoutRules: RuleTable = new Map<string, Rule>([
  ['Reshape', reshape],
  ['Transpose', transpose],
  ['Squeeze', squeeze],
  ['Unsqueeze', unsqueeze],
  ['Flatten', flatten],
  ['Expand', expand],
  ['Tile', tile],
  ['Shape', shapeOf],
  ['Size', size],
  ['DepthToSpace', depthToSpace],
  ['SpaceToDepth', spaceToDepth],
  ['Identity', identity],
  ['CenterCropPad', centerCropPad],
]);
