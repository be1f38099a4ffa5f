import { Element } from '../../elements';
import type { ElementType } from '../../model';
import { agreed, type Call, forAll, type Rule, type RuleTable, require, unknownDims } from '../call';
import { type Dim, isSymbolic, lowerBound, mul, sub } from '../dim';
import { type Fact, tensor } from '../fact';
import { slide, unslide, windowOf } from '../window';

/** The order of data and weight, whichever is known; undefined if neither is. */
function spatialAxes(x: readonly Dim[] | null, w: readonly Dim[] | null, call: Call): number | undefined {
  const order = x?.length ?? w?.length;
  if (order === undefined) return call.ints('kernel_shape')?.length;
  require(order >= 2 && (!x || !w || x.length === w.length));
  return order - 2;
}

/** A kernel size that is told twice must be told alike. */
function checkKernel(kernel: readonly Dim[], weight: readonly Dim[]): void {
  for (const [axis, size] of kernel.entries()) agreed(size, weight[2 + axis]!);
}

/** Whether the node has its channels behind everything else: com.microsoft's Nhwc variants, or as an attribute. */
function isChannelsLast(call: Call): boolean {
  return call.node.opType.startsWith('Nhwc') || call.int('channels_last', 0) !== 0;
}

/** [N, …, C] as [N, C, …]. */
function channelsFirst(shape: readonly Dim[] | null): readonly Dim[] | null {
  return shape && [...shape.slice(0, 1), ...shape.slice(-1), ...shape.slice(1, -1)];
}

/** [N, C, …] as [N, …, C]. */
function channelsLast(shape: readonly Dim[] | null): readonly Dim[] | null {
  return shape && [...shape.slice(0, 1), ...shape.slice(2), ...shape.slice(1, 2)];
}

/** A rule that thinks in [N, C, …], on an input `x` and outputs with the channels last where the node says so. */
const inEitherLayout =
  (rule: Rule, x = 0): Rule =>
  (call) => {
    if (!isChannelsLast(call)) return rule(call);
    const shape = channelsFirst(call.shape(x));
    require(!shape || shape.length >= 3);
    const result = rule({ ...call, shape: (i) => (i === x ? shape : call.shape(i)) });
    const turned = (fact: Fact) =>
      fact.kind === 'tensor' ? tensor(fact.type, channelsLast(fact.shape)) : fact;
    return Array.isArray(result) ? result.map(turned) : turned(result as Fact);
  };

/** Convolution of input `x` with weight `w`: [N, C, …] · [M, C/group, …] → [N, M, …]. */
const conv =
  (x: number, w: number, type: (call: Call) => ElementType): Rule =>
  (call) => {
    const data = call.shape(x);
    const weight = call.shape(w);
    const axes = spatialAxes(data, weight, call);
    if (axes === undefined) return tensor(type(call), null);
    const group = call.int('group', 1);
    require(group > 0 && axes > 0);
    const pads = call.ints('pads');
    require(!pads || pads.every((p) => p >= 0));
    const window = windowOf(call, axes, weight ? weight.slice(2) : unknownDims(axes));
    if (weight) checkKernel(window.kernel, weight);
    if (data && weight) agreed(data[1]!, mul(weight[1]!, group));
    const channels = weight?.[0] ?? null;
    if (typeof channels === 'number') require(channels % group === 0);
    const spatial = data ? slide(window, data.slice(2)) : unknownDims(axes);
    return tensor(type(call), [data?.[0] ?? null, channels, ...spatial]);
  };

/** Transposed convolution: [N, C, …] · [C, M/group, …] → [N, M, …]. */
const convTranspose: Rule = (call) => {
  const data = call.shape(0);
  const weight = call.shape(1);
  const axes = spatialAxes(data, weight, call);
  if (axes === undefined) return tensor(call.type(0), null);
  const group = call.int('group', 1);
  require(group > 0 && axes > 0);
  const window = windowOf(call, axes, weight ? weight.slice(2) : unknownDims(axes));
  if (weight) checkKernel(window.kernel, weight);
  if (data && weight) agreed(data[1]!, weight[0]!);
  const pads = call.ints('pads');
  require(!pads || pads.every((p) => p >= 0));
  const outputPadding = call.ints('output_padding') ?? new Array<number>(axes).fill(0);
  require(outputPadding.length === axes && outputPadding.every((p) => p >= 0));
  const channels = mul(weight?.[1] ?? null, group);
  let given = call.ints('output_shape');
  // Some exporters put batch and channels in front.
  if (given?.length === axes + 2) given = given.slice(2);
  require(!given || (given.length === axes && given.every((s) => s >= 0)));
  const sizes = data ? data.slice(2) : unknownDims(axes);
  const spatial = given ?? unslide(window, sizes, outputPadding);
  return tensor(call.type(0), [data?.[0] ?? null, channels, ...spatial]);
};

/** Pooling over every spatial axis of input 0. */
const pool: Rule = (call) => {
  const shape = call.shape(0);
  const outputs = (dims: readonly Dim[] | null) => [tensor(call.type(0), dims), tensor(Element.int64, dims)];
  if (!shape) {
    const axes = call.ints('kernel_shape')?.length;
    return outputs(axes === undefined ? null : unknownDims(axes + 2));
  }
  require(shape.length >= 3);
  const window = windowOf(call, shape.length - 2);
  require(!window.pads || window.pads.every((p) => p >= 0));
  const sizes = shape.slice(2);
  // VALID keeps whole windows only, SAME rounds up by itself.
  const ceilMode = call.int('ceil_mode', 0) !== 0;
  return outputs([shape[0]!, shape[1]!, ...slide(window, sizes, ceilMode)]);
};

/** The rule without the outputs after the first. */
const onlyFirst =
  (rule: Rule): Rule =>
  (call) => {
    const result = rule(call);
    return Array.isArray(result) ? result.slice(0, 1) : result;
  };

const globalPool: Rule = (call) => {
  const shape = call.shape(0);
  if (!shape) return tensor(call.type(0), null);
  require(shape.length >= 2);
  return tensor(call.type(0), [shape[0]!, shape[1]!, ...shape.slice(2).map(() => 1)]);
};

const maxUnpool: Rule = (call) => {
  const shape = call.shape(0);
  const indices = call.shape(1);
  require(!indices || indices.length >= 2);
  if (call.has(2)) {
    const given = call.numbers(2);
    require(!given || !shape || given.length === shape.length);
    if (given) require(given.every((size) => size >= 0));
    return tensor(call.type(0), given ?? (shape && unknownDims(shape.length)));
  }
  if (!shape) return tensor(call.type(0), null);
  require(shape.length >= 3);
  const window = windowOf(call, shape.length - 2);
  const none = new Array<number>(shape.length - 2).fill(0);
  return tensor(call.type(0), [
    shape[0]!,
    shape[1]!,
    ...unslide({ ...window, pads: window.pads ?? none }, shape.slice(2), none),
  ]);
};

/** Regions of interest: one output picture per region. */
const regions =
  (height: (call: Call) => number, width: (call: Call) => number): Rule =>
  (call) => {
    const data = call.shape(0);
    const rois = call.shape(1);
    require(!data || data.length === 4);
    require(!rois || rois.length === 2);
    require(height(call) > 0 && width(call) > 0);
    // RoiAlign also has one picture number per region.
    const count = call.has(2) ? call.shape(2) : null;
    require(!count || count.length === 1);
    return tensor(call.type(0), [
      agreed(rois?.[0] ?? null, count?.[0] ?? null),
      data?.[1] ?? null,
      height(call),
      width(call),
    ]);
  };

/** Col2Im: (columns, image shape, block shape) → [N, C, …image]. */
const col2im: Rule = (call) => {
  const data = call.shape(0);
  const image = call.small(1)?.values;
  const block = call.small(2)?.values;
  require(!data || data.length === 3);
  const imageLength = call.shape(1)?.[0];
  const order = image?.length ?? (typeof imageLength === 'number' ? imageLength : undefined);
  if (order === undefined) return tensor(call.type(0), null);
  const blockSize = block ? block.reduce<Dim>(mul, 1) : null;
  const rows = data?.[1] ?? null;
  let channels: Dim = null;
  if (typeof rows === 'number' && typeof blockSize === 'number' && blockSize > 0) {
    require(rows % blockSize === 0);
    channels = rows / blockSize;
  }
  const spatial = image
    ? image.map((d) => (isSymbolic(d) || lowerBound(sub(d, 1)) >= 0 ? d : null))
    : unknownDims(order);
  return tensor(call.type(0), [data?.[0] ?? null, channels, ...spatial]);
};

const MICROSOFT = 'com.microsoft';

export const convRules: RuleTable = new Map<string, Rule>([
  ['Conv', conv(0, 1, (call) => call.type(0))],
  ['ConvInteger', conv(0, 1, () => Element.int32)],
  ['QLinearConv', conv(0, 3, (call) => call.type(7))],
  ['DeformConv', conv(0, 1, (call) => call.type(0))],
  ['ConvTranspose', convTranspose],
  ...forAll('MaxPool AveragePool LpPool', pool),
  ...forAll('GlobalAveragePool GlobalMaxPool GlobalLpPool', globalPool),
  ['MaxUnpool', maxUnpool],
  [
    'MaxRoiPool',
    regions(
      (call) => call.ints('pooled_shape')?.[0] ?? 0,
      (call) => call.ints('pooled_shape')?.[1] ?? 0,
    ),
  ],
  [
    'RoiAlign',
    regions(
      (call) => call.int('output_height', 1),
      (call) => call.int('output_width', 1),
    ),
  ],
  ['Col2Im', col2im],
  ...forAll(
    'FusedConv NhwcConv NhwcFusedConv',
    inEitherLayout(conv(0, 1, (call) => call.type(0))),
    MICROSOFT,
  ),
  ...forAll('QLinearConv', inEitherLayout(conv(0, 3, (call) => call.type(7))), MICROSOFT),
  ...forAll('NhwcMaxPool QLinearAveragePool MaxpoolWithMask', inEitherLayout(onlyFirst(pool)), MICROSOFT),
  ...forAll('QLinearGlobalAveragePool', inEitherLayout(globalPool), MICROSOFT),
  ...forAll(
    'ConvTransposeWithDynamicPads',
    (call) => tensor(call.type(0), call.shape(0) && unknownDims(call.shape(0)!.length)),
    MICROSOFT,
  ),
]);
