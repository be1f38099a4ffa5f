import {
  areNumbers,
  axesOf,
  type Call,
  lengthOf,
  type Rule,
  type RuleTable,
  require,
  unknownDims,
} from '../call';
import { type Dim, floorDiv, isSymbolic, mul } from '../dim';
import { type Fact, tensor } from '../fact';
import { asShape } from '../fold';

/**
 * ⌊size·scale⌋ in single precision, as runtimes compute it. For sizes that are still symbols, scales must be
 * such that the result is a whole-number division.
 */
function scaled(size: Dim, scale: number): Dim {
  require(scale > 0 && Number.isFinite(scale));
  // Larger sizes have no single-precision form of their own.
  const single = (n: number) => Math.floor(n <= 2 ** 24 ? Math.fround(n * scale) : n * scale);
  if (typeof size === 'number') return single(size);
  for (let denominator = 1; denominator <= 64; denominator *= 2) {
    const numerator = scale * denominator;
    if (Number.isSafeInteger(numerator)) return floorDiv(mul(size, numerator), denominator);
  }
  const inverse = Math.round(1 / scale);
  for (let n = 0; n < LARGEST_SIZE; n++) if (single(n) !== Math.floor(n / inverse)) return null;
  return floorDiv(size, inverse);
}

/** Pictures are no larger: up to here, 1/3 in single precision must divide as 3 does. */
const LARGEST_SIZE = 4096;

function scaledAll(call: Call, shape: readonly Dim[], scales: readonly number[] | undefined): Fact {
  if (!scales) return tensor(call.type(0), unknownDims(shape.length));
  require(scales.length === shape.length);
  return tensor(
    call.type(0),
    shape.map((d, i) => scaled(d, scales[i]!)),
  );
}

const resize: Rule = (call) => {
  const shape = call.shape(0);
  const [scalesInput, sizesInput] = call.opset < 11 ? [1, -1] : [2, 3];
  const axesGiven = call.ints('axes');
  // An absent optional input is often an empty tensor.
  const has = (input: number) => input > 0 && call.has(input) && lengthOf(call, input) !== 0;
  if (!shape) {
    const input = has(sizesInput) ? sizesInput : scalesInput;
    const order = axesGiven ? undefined : lengthOf(call, input);
    return tensor(call.type(0), order ? unknownDims(order) : null);
  }
  const axes = axesGiven ? axesOf(axesGiven, shape.length) : shape.map((_, i) => i);
  if (has(sizesInput)) {
    require(!has(scalesInput) || call.numbers(scalesInput) === undefined);
    const sizes = call.small(sizesInput)?.values;
    if (!sizes)
      return tensor(
        call.type(0),
        shape.map((d, i) => (axes.includes(i) ? null : d)),
      );
    require(sizes.length === axes.length);
    return tensor(call.type(0), sized(call, shape, axes, asShape(sizes)));
  }
  const scales = call.numbers(scalesInput);
  if (!scales)
    return tensor(
      call.type(0),
      shape.map((d, i) => (axes.includes(i) ? null : d)),
    );
  require(scales.length === axes.length);
  const full = shape.map(() => 1);
  axes.forEach((axis, i) => {
    full[axis] = scales[i]!;
  });
  return scaledAll(call, shape, full);
};

/** The sizes asked for; or the largest, or smallest, picture of the old proportions that they allow. */
function sized(
  call: Call,
  shape: readonly Dim[],
  axes: readonly number[],
  sizes: readonly Dim[],
): readonly Dim[] {
  const policy = call.text('keep_aspect_ratio_policy', 'stretch');
  const dims = [...shape];
  const old = axes.map((axis) => shape[axis]!);
  if (policy === 'stretch') {
    axes.forEach((axis, i) => {
      dims[axis] = sizes[i]!;
    });
    return dims;
  }
  const known = areNumbers(sizes) && areNumbers(old);
  const ratios = known ? axes.map((_, i) => (sizes[i] as number) / (old[i] as number)) : [];
  const ratio = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  axes.forEach((axis, i) => {
    dims[axis] = known ? Math.floor((old[i] as number) * ratio + 0.5) : null;
  });
  return dims;
}

/** Up to opset 9; Resize took its place. */
const upsample: Rule = (call) => {
  require(call.opset < 10);
  const shape = call.shape(0);
  if (!shape) {
    const order = lengthOf(call, 1);
    return tensor(call.type(0), order ? unknownDims(order) : null);
  }
  if (call.opset >= 9) return scaledAll(call, shape, call.numbers(1));
  const scales = call.attribute('scales');
  if (scales?.kind === 'floats') return scaledAll(call, shape, scales.value);
  require(shape.length === 4);
  return scaledAll(call, shape, [1, 1, call.float('height_scale', 0), call.float('width_scale', 0)]);
};

/** GridSample: pictures [N, C, …] read at the places of a grid [N, …, axes]. */
const gridSample: Rule = (call) => {
  const data = call.shape(0);
  const grid = call.shape(1);
  const order = data?.length ?? grid?.length;
  if (order === undefined) return tensor(call.type(0), null);
  require(order >= 3 && (!data || !grid || data.length === grid.length));
  const axes = grid?.at(-1);
  if (typeof axes === 'number') require(axes === order - 2);
  const places = grid ? grid.slice(1, -1) : unknownDims(order - 2);
  return tensor(call.type(0), [data?.[0] ?? grid?.[0] ?? null, data?.[1] ?? null, ...places]);
};

const affineGrid: Rule = (call) => {
  const size = call.small(1)?.values;
  const theta = call.shape(0);
  const length = size?.length ?? lengthOf(call, 1);
  if (length === undefined) return tensor(call.type(0), null);
  require(length === 4 || length === 5);
  const dims = size ? asShape(size) : unknownDims(length);
  return tensor(call.type(0), [
    isSymbolic(dims[0]!) || dims[0] === null ? (theta?.[0] ?? dims[0]!) : dims[0]!,
    ...dims.slice(2),
    length - 2,
  ]);
};

export const resizeRules: RuleTable = new Map<string, Rule>([
  ['Resize', resize],
  ['Upsample', upsample],
  ['GridSample', gridSample],
  ['AffineGrid', affineGrid],
]);
