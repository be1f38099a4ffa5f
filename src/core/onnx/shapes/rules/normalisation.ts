import { Element } from '../../elements';
import { agreed, axisOf, type Call, forAll, type Rule, type RuleTable, require, unfit } from '../call';
import type { Dim } from '../dim';
import { type Fact, tensor } from '../fact';

const batchNormalization: Rule = (call) => {
  const shape = call.shape(0);
  let channels: Dim = null;
  if (shape) {
    require(shape.length >= 1);
    channels = shape.length === 1 ? 1 : shape[1]!;
  }
  for (let i = 1; i < 5; i++) {
    const statistics = call.shape(i);
    require(!statistics || statistics.length === 1);
    if (statistics) channels = agreed(channels, statistics[0]!);
  }
  const more = call.node.outputs
    .slice(1)
    .map((_, i): Fact => tensor(call.type(3 + (i % 2)) || call.type(0), [channels]));
  return [tensor(call.type(0), shape), ...more];
};

/** Normalised over the axes from `axis` on; mean and deviation keep 1 in their place. */
function layerNormalization(call: Call, statisticsType: number): Fact[] {
  const shape = call.shape(0);
  let reduced: readonly Dim[] | null = null;
  if (shape) {
    const axis = axisOf(call.int('axis', -1), shape.length);
    reduced = shape.map((d, i) => (i < axis ? d : 1));
  }
  const statistics = tensor(statisticsType, reduced);
  return [tensor(call.type(0), shape), statistics, statistics];
}

/** com.microsoft skip connections: the fourth output is the sum before normalisation. */
const skipLayerNormalization: Rule = (call) => [
  ...layerNormalization(call, Element.float),
  tensor(call.type(0), call.shape(0)),
];

/** Losses: the class axis disappears, or everything does. */
function loss(call: Call): Fact {
  const input = call.shape(0);
  const target = call.shape(1);
  if (call.text('reduction', 'mean') !== 'none') {
    checkLoss(input, target, call.has(2) ? call.shape(2) : null);
    return tensor(call.type(0), []);
  }
  if (!input || !target) return tensor(call.type(0), null);
  checkLoss(input, target, call.has(2) ? call.shape(2) : null);
  return tensor(call.type(0), target);
}

function checkLoss(
  input: readonly Dim[] | null,
  target: readonly Dim[] | null,
  weight: readonly Dim[] | null,
): void {
  if (input) require(input.length >= 2);
  if (weight) require(weight.length === 1);
  if (!input || !target) return;
  require(input.length === target.length + 1);
  for (const [i, d] of target.entries()) agreed(d, input[i === 0 ? 0 : i + 1]!);
}

const groupNormalization: Rule = (call) => {
  const shape = call.shape(0);
  if (shape && shape.length < 2) return unfit();
  return tensor(call.type(0), shape);
};

const MICROSOFT = 'com.microsoft';

export const normalisationRules: RuleTable = new Map<string, Rule>([
  ['BatchNormalization', batchNormalization],
  ['LayerNormalization', (call) => layerNormalization(call, call.int('stash_type', Element.float))],
  ['GroupNormalization', groupNormalization],
  ...forAll('SimplifiedLayerNormalization', (call) => layerNormalization(call, call.int('stash_type', 1))),
  ...forAll(
    'LayerNormalization SimplifiedLayerNormalization',
    (call) => layerNormalization(call, Element.float),
    MICROSOFT,
  ),
  ...forAll('SkipLayerNormalization SkipSimplifiedLayerNormalization', skipLayerNormalization, MICROSOFT),
  ...forAll('GroupNorm', (call) => tensor(call.type(0), call.shape(0)), MICROSOFT),
  ...forAll(
    'SkipGroupNorm',
    (call) => [tensor(call.type(0), call.shape(0)), tensor(call.type(0), call.shape(0))],
    MICROSOFT,
  ),
  ['NegativeLogLikelihoodLoss', loss],
  ['SoftmaxCrossEntropyLoss', (call) => [loss(call), tensor(call.type(0), call.shape(0))]],
]);
