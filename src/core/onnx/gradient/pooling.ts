import { type GradientCall, type GradientRule, unknown } from './gradientCall';
import { scattered, windowOf } from './products';

/** Operators that summarise positions. */
export const POOLING: readonly (readonly [string, GradientRule])[] = [
  ['MaxPool', maxPool],
  ['AveragePool', averagePool],
  ['GlobalAveragePool', globalAverage],
  ['GlobalMaxPool', largest],
  ['ReduceMean', (call) => spread(call, true)],
  ['ReduceSum', (call) => spread(call, false)],
];

function globalAverage({ build, gradient, x, dims }: GradientCall) {
  const positions = dims(x[0]!)
    .slice(2)
    .reduce((a, b) => a * b, 1);
  const share = build.op('Mul', [gradient, build.floats([1 / positions])]);
  return [build.op('Expand', [share, build.op('Shape', [x[0]!])])];
}

/** To all that are as large as the largest. */
function largest({ build, gradient, x, y }: GradientCall) {
  const below = build.op('Sign', [build.op('Abs', [build.op('Sub', [x[0]!, y])])]);
  return [build.op('Mul', [gradient, build.op('Sub', [build.floats([1]), below])])];
}

function spread({ build, call, gradient, x, dims, wants }: GradientCall, isMean: boolean) {
  const size = dims(x[0]!);
  if (wants(1)) unknown();
  const listed = call.ints('axes') ?? (call.has(1) ? (call.numbers(1) ?? unknown()) : undefined);
  if (!listed?.length && call.int('noop_with_empty_axes', 0) === 1) return [gradient];
  const axes = listed?.length
    ? listed.map((axis) => (axis + size.length) % size.length)
    : size.map((_, i) => i);
  const kept = size.map((length, i) => (axes.includes(i) ? 1 : length));
  const count = axes.reduce((product, axis) => product * size[axis]!, 1);
  const share = isMean ? build.op('Mul', [gradient, build.floats([1 / count])]) : gradient;
  return [build.op('Expand', [build.reshape(share, kept), build.op('Shape', [x[0]!])])];
}

/**
 * To the largest of each window, where the pool's own indices say. MaxUnpool overwrites, so windows that overlap go in turns
 * that do not, and the turns are summed.
 */
function maxPool(call: GradientCall): readonly (string | undefined)[] {
  const { build, node, call: own, gradient, x, y, dims } = call;
  const kernel = own.ints('kernel_shape') ?? unknown();
  const order = kernel.length;
  const strides = own.ints('strides') ?? kernel.map(() => 1);
  if (own.ints('dilations')?.some((dilation) => dilation !== 1) || own.int('storage_order', 0) !== 0)
    unknown();
  const [, indices = ''] = build.many('MaxPool', [x[0]!], 2, Object.fromEntries(node.attributes));
  const shape = build.op('Shape', [x[0]!]);
  const small = dims(y).slice(2);
  const turns = kernel.map((extent, i) => Math.min(small[i]!, Math.ceil(extent / strides[i]!)));
  const ones = kernel.map(() => 1);
  let sum: string | undefined;
  for (const start of product(turns)) {
    const of = (name: string) =>
      turns.reduce((rest, step, i) => {
        if (step === 1) return rest;
        const places = Array.from(
          { length: Math.ceil((small[i]! - start[i]!) / step) },
          (_, k) => start[i]! + k * step,
        );
        return build.op('Gather', [rest, build.ints(places)], { axis: i + 2 });
      }, name);
    const part = build.op('MaxUnpool', [of(gradient), of(indices), shape], {
      kernel_shape: ones,
      strides: ones,
      pads: new Array<number>(2 * order).fill(0),
    });
    sum = sum === undefined ? part : build.op('Add', [sum, part]);
  }
  return [sum];
}

/** All lists with 0 ≤ listᵢ < limitsᵢ. */
function product(limits: readonly number[]): readonly (readonly number[])[] {
  return limits.reduce<readonly (readonly number[])[]>(
    (lists, limit) => lists.flatMap((list) => Array.from({ length: limit }, (_, i) => [...list, i])),
    [[]],
  );
}

/** To all elements of the window alike: a transposed convolution of each channel with ones. */
function averagePool(call: GradientCall): readonly (string | undefined)[] {
  const { build, call: own, gradient, x, y, dims } = call;
  const kernel = own.ints('kernel_shape') ?? unknown();
  const [input, output] = [dims(x[0]!), dims(y)];
  if (own.int('ceil_mode', 0) !== 0 || own.ints('dilations')?.some((dilation) => dilation !== 1)) unknown();
  const [large, small] = [input.slice(2), output.slice(2)];
  const sizes = windowOf(call, kernel, large, small);
  const isPadded = [...sizes.before, ...sizes.after].some((pad) => pad > 0);
  const count = kernel.reduce((a, b) => a * b, 1);
  let share = build.op('Mul', [gradient, build.floats([1 / count])]);
  if (isPadded && own.int('count_include_pad', 0) === 0) share = build.op('Mul', [share, missing()]);
  const planes = build.reshape(share, [-1, 1, ...small]);
  const weight = build.floats(new Array<number>(count).fill(1), [1, 1, ...kernel]);
  return [build.reshape(scattered(build, planes, weight, sizes, large, small, 1), { like: x[0]! })];

  /** By how much a window's elements count for more, as some of it lies outside. */
  function missing(): string {
    const within = small.reduce<readonly number[]>(
      (counts, length, axis) =>
        counts.flatMap((rest) =>
          Array.from({ length }, (_, i) => {
            const start = i * sizes.strides[axis]! - sizes.before[axis]!;
            return rest * (Math.min(large[axis]!, start + kernel[axis]!) - Math.max(0, start));
          }),
        ),
      [1],
    );
    return build.floats(
      within.map((elements) => count / elements),
      small,
    );
  }
}
