import { type GradientCall, type GradientRule, unknown } from './gradientCall';

const back: GradientRule = ({ build, gradient, x }) => [build.reshape(gradient, { like: x[0]! })];

/** Operators that only move elements. */
export const LAYOUT: readonly (readonly [string, GradientRule])[] = [
  ['Reshape', back],
  ['Flatten', back],
  ['Squeeze', back],
  ['Unsqueeze', back],
  ['Transpose', transpose],
  ['Concat', concat],
  ['Split', split],
  ['Slice', slice],
  ['Gather', gather],
  ['Expand', expand],
  ['Pad', pad],
];

function transpose({ build, call, gradient, x, dims }: GradientCall) {
  const order = dims(x[0]!).length;
  const perm = call.ints('perm') ?? Array.from({ length: order }, (_, i) => order - 1 - i);
  const inverse = perm.map((_, i) => perm.indexOf(i));
  return [build.op('Transpose', [gradient], { perm: inverse })];
}

function concat({ build, call, gradient, x, y, dims, wants }: GradientCall) {
  const axis = axisOf(call.int('axis', 1), dims(y).length);
  let start = 0;
  return x.map((name, i) => {
    const from = start;
    start += dims(name)[axis]!;
    return wants(i) ? build.slice(gradient, [axis], [from], [start]) : undefined;
  });
}

function split({ build, call, node, gradients, x, dims }: GradientCall) {
  const axis = axisOf(call.int('axis', 0), dims(x[0]!).length);
  const parts = node.outputs.map(
    (name, i) => gradients[i] ?? build.op('Mul', [name || unknown(), build.floats([0])]),
  );
  return [build.op('Concat', parts, { axis })];
}

function slice({ build, call, gradient, x, dims }: GradientCall) {
  const size = dims(x[0]!);
  const list = (name: string, input: number) =>
    call.ints(name) ?? (call.has(input) ? (call.numbers(input) ?? unknown()) : undefined);
  const starts = list('starts', 1) ?? unknown();
  const ends = list('ends', 2) ?? unknown();
  const axes = list('axes', 3) ?? starts.map((_, i) => i);
  if (list('steps', 4)?.some((step) => step !== 1)) unknown();
  const pads = new Array<number>(2 * size.length).fill(0);
  axes.forEach((named, i) => {
    const axis = axisOf(named, size.length);
    const length = size[axis]!;
    const at = (place: number) => Math.min(length, Math.max(0, place < 0 ? place + length : place));
    const [start, end] = [at(starts[i]!), at(ends[i]!)];
    pads[axis] = start;
    pads[size.length + axis] = length - Math.max(start, end);
  });
  return [build.pad(gradient, pads)];
}

/** One index only, as of a class token. */
function gather({ build, call, gradient, x, dims, wants }: GradientCall) {
  const index = call.numbers(1) ?? unknown();
  if (wants(1) || index.length !== 1) unknown();
  const size = dims(x[0]!);
  const axis = axisOf(call.int('axis', 0), size.length);
  const place = axisOf(index[0]!, size[axis]!);
  const pads = new Array<number>(2 * size.length).fill(0);
  pads[axis] = place;
  pads[size.length + axis] = size[axis]! - 1 - place;
  const kept = size.map((length, i) => (i === axis ? 1 : length));
  return [build.pad(build.reshape(gradient, kept), pads)];
}

function expand({ build, gradient, x, y, dims }: GradientCall) {
  const [from, to] = [dims(x[0]!), dims(y)];
  const missing = to.length - from.length;
  const axes = to.flatMap((length, i) => (i < missing || (from[i - missing] === 1 && length > 1) ? [i] : []));
  const summed = axes.length > 0 ? build.sum(gradient, axes) : gradient;
  return [missing > 0 ? build.reshape(summed, { like: x[0]! }) : summed];
}

function pad({ build, call, gradient, x, dims }: GradientCall) {
  const pads = call.ints('pads') ?? call.numbers(1) ?? unknown();
  const size = dims(x[0]!);
  if (call.text('mode', 'constant') !== 'constant' || call.has(3) || pads.length !== 2 * size.length)
    unknown();
  if (pads.some((count) => count < 0)) unknown();
  const axes = size.map((_, i) => i);
  const starts = axes.map((axis) => pads[axis]!);
  return [
    build.slice(
      gradient,
      axes,
      starts,
      size.map((length, i) => starts[i]! + length),
    ),
  ];
}

function axisOf(axis: number, order: number): number {
  return axis < 0 ? axis + order : axis;
}
