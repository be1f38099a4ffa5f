import { type GradientCall, type GradientRule, unknown } from './gradientCall';

/** Operators that centre or scale by what they see. */
export const NORMALISATION: readonly (readonly [string, GradientRule])[] = [
  ['BatchNormalization', batchNorm],
  ['LayerNormalization', layerNorm],
  ['Softmax', softmax],
  ['LogSoftmax', logSoftmax],
];

/** As it acts once trained it scales each channel: so does its gradient, without a shift. */
function batchNorm({ build, call, gradient, x, wants }: GradientCall) {
  if ([1, 2, 3, 4].some(wants) || call.int('training_mode', 0) !== 0) unknown();
  const [, scale = '', , mean = '', variance = ''] = x;
  const none = build.op('Sub', [mean, mean]);
  const epsilon = { kind: 'float', value: call.float('epsilon', 1e-5) } as const;
  return [build.op('BatchNormalization', [gradient, scale, none, none, variance], { epsilon })];
}

/** With ĝ = g · scale and x̂ the normalised input: (ĝ − mean ĝ − x̂ · mean(ĝ · x̂)) / σ (Ba, Kiros & Hinton 2016). */
function layerNorm({ build, call, gradient, x, dims, wants }: GradientCall) {
  if (wants(1) || wants(2)) unknown();
  const size = dims(x[0]!);
  const named = call.int('axis', -1);
  const axes = size.map((_, i) => i).slice(named);
  const count = axes.reduce((product, axis) => product * size[axis]!, 1);
  const mean = (name: string) => build.op('Mul', [build.sum(name, axes), build.floats([1 / count])]);
  const centred = build.op('Sub', [x[0]!, mean(x[0]!)]);
  const variance = mean(build.op('Mul', [centred, centred]));
  const shifted = build.op('Add', [variance, build.floats([call.float('epsilon', 1e-5)])]);
  const scale = build.op('Reciprocal', [build.op('Sqrt', [shifted])]);
  const normal = build.op('Mul', [centred, scale]);
  const g = build.op('Mul', [gradient, x[1]!]);
  const along = build.op('Mul', [normal, mean(build.op('Mul', [g, normal]))]);
  const rest = build.op('Sub', [build.op('Sub', [g, mean(g)]), along]);
  return [build.op('Mul', [rest, scale])];
}

/** y · (g − Σ g · y). */
function softmax(call: GradientCall) {
  const { build, gradient, y } = call;
  const mean = build.sum(build.op('Mul', [gradient, y]), softmaxAxes(call));
  return [build.op('Mul', [y, build.op('Sub', [gradient, mean])])];
}

/** g − eʸ · Σ g. */
function logSoftmax(call: GradientCall) {
  const { build, gradient, y } = call;
  const sum = build.sum(gradient, softmaxAxes(call));
  return [build.op('Sub', [gradient, build.op('Mul', [build.op('Exp', [y]), sum])])];
}

/** The axes over which a softmax sums to 1: before operator set 13 one and all behind it. */
function softmaxAxes({ build, call, x, dims }: GradientCall): readonly number[] {
  const order = dims(x[0]!).length;
  const isSingle = build.opset >= 13;
  const named = call.int('axis', isSingle ? -1 : 1);
  const axis = named < 0 ? named + order : named;
  return isSingle ? [axis] : Array.from({ length: order - axis }, (_, i) => axis + i);
}
