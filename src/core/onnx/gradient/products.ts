import { type GradientCall, type GradientRule, summedTo, unknown } from './gradientCall';
import type { NodeBuilder } from './nodeBuilder';

/** Operators that multiply. Gradients of weights are not asked for: rules refuse where a convolution's is computed. */
export const PRODUCTS: readonly (readonly [string, GradientRule])[] = [
  ['MatMul', matMul],
  ['Gemm', gemm],
  ['Conv', conv],
  ['ConvTranspose', convTranspose],
];

/** With the last two axes swapped. */
function turned(build: NodeBuilder, name: string, order: number): string {
  const perm = Array.from({ length: order }, (_, i) => i);
  [perm[order - 2], perm[order - 1]] = [order - 1, order - 2];
  return build.op('Transpose', [name], { perm });
}

function matMul(call: GradientCall): readonly (string | undefined)[] {
  const { build, gradient, x, y, dims, wants } = call;
  const [a = '', b = ''] = x;
  const [left, right] = [dims(a), dims(b)];
  if (left.length < 2 || right.length < 2) unknown();
  // Only what stands in front of the matrices is broadcast.
  const batch = dims(y).slice(0, -2);
  const product = (...factors: [string, string]) => build.op('MatMul', factors);
  return [
    wants(0)
      ? summedTo(call, product(gradient, turned(build, b, right.length)), a, [...batch, ...left.slice(-2)])
      : undefined,
    wants(1)
      ? summedTo(call, product(turned(build, a, left.length), gradient), b, [...batch, ...right.slice(-2)])
      : undefined,
  ];
}

function gemm(call: GradientCall): readonly (string | undefined)[] {
  const { build, call: node, gradient, x, y, wants } = call;
  const [a = '', b = '', c = ''] = x;
  const [isA, isB] = [node.int('transA', 0) === 1, node.int('transB', 0) === 1];
  const scaled = (name: string, by: number) =>
    by === 1 ? name : build.op('Mul', [name, build.floats([by])]);
  const g = scaled(gradient, node.float('alpha', 1));
  const turn = (name: string, isTurned: boolean) => (isTurned ? turned(build, name, 2) : name);
  // A' = A or Aᵀ, and so on: ∂/∂A' = g · B'ᵀ, ∂/∂B' = A'ᵀ · g.
  return [
    wants(0) ? turn(build.op('MatMul', [g, turn(b, !isB)]), isA) : undefined,
    wants(1) ? turn(build.op('MatMul', [turn(a, !isA), g]), isB) : undefined,
    wants(2) ? summedTo(call, scaled(gradient, node.float('beta', 1)), c, call.dims(y)) : undefined,
  ];
}

/** Sizes of a convolution: along each spatial axis. */
interface ConvSizes {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Explicit sizes, whatever the node says of its padding; `small` and `large` are the sizes of y and x, or the other way round. */
export function windowOf(
  { call }: Pick<GradientCall, 'call'>,
  kernel: readonly number[],
  large: readonly number[],
  small: readonly number[],
): ConvSizes {
  const order = kernel.length;
  const ones = new Array<number>(order).fill(1);
  const strides = call.ints('strides') ?? ones;
  const dilations = call.ints('dilations') ?? ones;
  const automatic = call.text('auto_pad', 'NOTSET');
  const pads = call.ints('pads') ?? new Array<number>(2 * order).fill(0);
  const sides = kernel.map((extent, i) => {
    if (automatic === 'VALID') return [0, 0];
    if (automatic === 'NOTSET') return [pads[i]!, pads[order + i]!];
    const needed = Math.max(0, (small[i]! - 1) * strides[i]! + (extent - 1) * dilations[i]! + 1 - large[i]!);
    const less = Math.floor(needed / 2);
    return automatic === 'SAME_LOWER' ? [needed - less, less] : [less, needed - less];
  });
  if (![strides, dilations].every((list) => list.length === order) || pads.length !== 2 * order) unknown();
  return {
    kernel,
    strides,
    dilations,
    before: sides.map(([one]) => one!),
    after: sides.map(([, other]) => other!),
  };
}

/** A convolution's gradient is the transposed convolution with the same weight. */
function conv(call: GradientCall): readonly (string | undefined)[] {
  const { build, gradient, x, y, dims, wants } = call;
  if (wants(1) || wants(2)) unknown();
  const [large, small, kernel] = [dims(x[0]!).slice(2), dims(y).slice(2), dims(x[1]!).slice(2)];
  const sizes = windowOf(call, kernel, large, small);
  return [scattered(build, gradient, x[1]!, sizes, large, small, call.call.int('group', 1))];
}

/** The transposed convolution that takes `small` back to exactly `large`. */
export function scattered(
  build: NodeBuilder,
  gradient: string,
  weight: string,
  { kernel, strides, dilations, before, after }: ConvSizes,
  large: readonly number[],
  small: readonly number[],
  group: number,
): string {
  const rest = large.map(
    (length, i) =>
      length -
      ((small[i]! - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1 - before[i]! - after[i]!),
  );
  // Beyond this nothing of x is looked at; below 0 the window stands over the edge.
  if (rest.some((length, i) => length < 0 || length >= Math.max(strides[i]!, dilations[i]!))) unknown();
  return build.op('ConvTranspose', [gradient, weight], {
    kernel_shape: kernel,
    strides,
    dilations,
    pads: [...before, ...after],
    output_padding: rest,
    group,
  });
}

function convTranspose(call: GradientCall): readonly (string | undefined)[] {
  const { build, call: node, gradient, x, y, dims, wants } = call;
  if (wants(1) || wants(2) || node.attribute('output_shape')) unknown();
  if (!['NOTSET', 'VALID'].includes(node.text('auto_pad', 'NOTSET'))) unknown();
  const [small, large, kernel] = [dims(x[0]!).slice(2), dims(y).slice(2), dims(x[1]!).slice(2)];
  const { strides, dilations, before, after } = windowOf(call, kernel, large, small);
  const back = large.map((length, i) =>
    Math.floor((length + before[i]! + after[i]! - dilations[i]! * (kernel[i]! - 1) - 1) / strides[i]! + 1),
  );
  if (back.some((length, i) => length !== small[i])) unknown();
  const pads = [...before, ...after];
  const group = node.int('group', 1);
  return [build.op('Conv', [gradient, x[1]!], { kernel_shape: kernel, strides, dilations, pads, group })];
}
