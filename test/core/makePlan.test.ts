import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidatesOf } from '../../src/core/compress/candidates';
import type { Form, Layer } from '../../src/core/compress/layer';
import {
  type LayerOptions,
  makePlan,
  type Planned,
  predictedEnergy,
  type Refusal,
} from '../../src/core/compress/makePlan';
import { breakEvenRank, saves } from '../../src/core/compress/method';
import { parseTarget, printTarget } from '../../src/core/compress/plan';
import { convForm, matmulForm } from '../support/forms';

/** A layer that exists as far as planning is concerned. */
function layerOf(name: string, form: Form, weights: readonly number[]): Layer {
  const span = { start: 0, end: 0, payload: 0 };
  const container = { ...span, parent: undefined };
  const graph = {
    name: 'g',
    nodes: [],
    initializers: [],
    sparseInitializers: [],
    sparseTensors: [],
    inputs: [],
    outputs: [],
    valueInfo: [],
    annotated: [],
    container,
  };
  const tensor = { name: `${name}.w`, type: 1, dims: weights, data: { kind: 'none' }, span } as const;
  const source = { kind: 'tensor', tensor, dims: weights } as const;
  const value = {
    name: tensor.name,
    graph,
    source: { kind: 'initializer', tensor },
    uses: [],
    isKept: false,
  } as const;
  const weight = { source, steps: [], dims: weights, type: 1, values: [value] };
  const node = { name, opType: 'Conv', domain: '', inputs: [], outputs: [name], attributes: new Map(), span };
  return {
    name,
    node,
    graph,
    weight,
    weightInput: 1,
    bias: undefined,
    parameters: weights.reduce((a, b) => a * b, 1),
    form,
    twins: [],
    norm: undefined,
  };
}

function convLayer(name: string, out: number, channels: number, k: number, size: number, stride = 1): Layer {
  const form = convForm(out, channels, [k, k], { size, stride });
  return layerOf(name, form, [out, channels, k, k]);
}

const matrixLayer = (name: string, inner: number, outer: number): Layer =>
  layerOf(name, matmulForm(inner, outer), [inner, outer]);

/** Options with a spectrum that decays by `ratio` from one value to the next. */
function options(layer: Layer, ratio: number): LayerOptions {
  const choices = candidatesOf(layer, 'auto').candidates.map((candidate) => {
    const known = candidate.fullRanks.map((full) => {
      const energies = Float64Array.from({ length: full }, (_, i) => ratio ** i * (1 - ratio));
      return { energies, total: energies.reduce((a, b) => a + b, 0) };
    });
    return { candidate, known };
  });
  return { layer, choices };
}

const planned = (result: Planned | Refusal): Planned => {
  assert.ok(!('refusal' in result), JSON.stringify(result));
  return result;
};

test('the break-even rank is the last that saves, by brute force', () => {
  const layers = [
    matrixLayer('a', 7, 5),
    matrixLayer('b', 64, 64),
    convLayer('c', 16, 8, 3, 8),
    convLayer('d', 8, 16, 5, 8, 2),
    convLayer('e', 3, 2, 1, 4),
  ];
  for (const layer of layers) {
    for (const candidate of candidatesOf(layer, 'auto').candidates) {
      if (candidate.rankNames.length > 1) continue;
      let last = 0;
      for (let rank = 1; rank <= candidate.fullRanks[0]!; rank++) {
        const { parameters, macs } = candidate.cost([rank]);
        if (parameters < candidate.dense.parameters && macs! < candidate.dense.macs!) last = rank;
      }
      assert.equal(breakEvenRank(candidate), last, `${layer.name} ${candidate.method}`);
    }
  }
});

test('with a stride the first spatial factor works at the input width', () => {
  const [spatial] = candidatesOf(convLayer('c', 8, 4, 3, 8, 2), 'spatial').candidates;
  assert.equal(spatial!.cost([1]).macs, 4 * 3 * (4 * 8) + 8 * 3 * (4 * 4));
});

const model = [
  options(convLayer('one', 32, 16, 3, 16), 0.7),
  options(convLayer('two', 64, 32, 3, 8), 0.9),
  options(matrixLayer('fc', 512, 100), 0.95),
];
const parameters = model.reduce((sum, o) => sum + o.choices[0]!.candidate.dense.parameters, 0) + 500;
const macs = model.reduce((sum, o) => sum + o.choices[0]!.candidate.dense.macs!, 0);
const totals = { parameters, macs };

for (const kind of ['parameters', 'macs'] as const) {
  for (const share of [0.8, 0.5, 0.25]) {
    test(`${kind}=${share} is met, and no layer goes over its break-even rank`, () => {
      const { plan, after } = planned(makePlan(model, totals, { kind, share }));
      assert.ok(after[kind]! <= share * totals[kind]);
      // The budget is used: one step up in energy would not fit.
      assert.ok(after[kind]! > 0.8 * share * totals[kind], `${after[kind]} of ${share * totals[kind]}`);
      for (const layer of plan.layers) {
        if (layer.kind === 'dense') continue;
        const choice = model
          .find((o) => o.layer.name === layer.layer)!
          .choices.find((c) => c.candidate.method === layer.method)!;
        assert.ok(layer.ranks.every((rank) => rank >= 1) && saves(choice.candidate, layer.ranks));
      }
    });
  }
}

test('the predicted totals are those of the chosen ranks', () => {
  const { plan, after } = planned(makePlan(model, totals, { kind: 'energy', energy: 0.9 }));
  let expected = parameters;
  for (const layer of plan.layers) {
    if (layer.kind === 'dense') continue;
    const { choices } = model.find((o) => o.layer.name === layer.layer)!;
    const choice = choices.find((c) => c.candidate.method === layer.method)!;
    assert.ok(predictedEnergy({ choice, ranks: layer.ranks }) >= 0.9 - 1e-12);
    expected += choice.candidate.cost(layer.ranks).parameters - choice.candidate.dense.parameters;
  }
  assert.equal(after.parameters, expected);
});

test('a budget below rank 1 everywhere is refused with what remains', () => {
  const result = makePlan(model, totals, { kind: 'parameters', share: 0.001 });
  assert.ok(
    'refusal' in result && /can't be reached: with the lowest ranks in every layer/.test(result.refusal),
    JSON.stringify(result),
  );
});

test('a MACs budget needs MACs', () => {
  const result = makePlan(model, { parameters, macs: null }, { kind: 'macs', share: 0.5 });
  assert.ok('refusal' in result && /not known/.test(result.refusal));
});

test('a fixed rank above break-even leaves the layer dense with the reason, unless larger is allowed', () => {
  const target = { kind: 'rank', rank: 500 } as const;
  const { plan } = planned(makePlan(model, totals, target));
  assert.ok(plan.layers.every((l) => l.kind === 'dense' && /break-even/.test(l.reason)));
  const forced = planned(makePlan(model, totals, target, { allowLarger: true }));
  for (const [i, layer] of forced.plan.layers.entries()) {
    assert.ok(layer.kind === 'factor');
    const { candidate } = model[i]!.choices.find((c) => c.candidate.method === layer.method)!;
    assert.deepEqual(layer.ranks, candidate.fullRanks);
  }
});

test('targets read what they print, and nothing else', () => {
  for (const text of [
    'parameters=0.5',
    'macs=0.25',
    'bytes=0.5',
    'error=0.05',
    'accuracy=0.5',
    'accuracy=0',
    'energy=0.95',
    'rank=32',
    'ratio=0.5',
    'evbmf=0',
    'evbmf=0.25',
  ]) {
    assert.equal(printTarget(parseTarget(text)!), text);
  }
  for (const text of [
    '',
    'parameters',
    'parameters=0',
    'parameters=1',
    'macs=2',
    'energy=1.1',
    'rank=1.5',
    'rank=0',
    'bytes=1',
    'error=0',
    'error=1',
    'accuracy=100',
    'accuracy=-1',
    'ratio=1',
    'evbmf=1',
    'evbmf=-0.1',
    'size=0.5',
    'macs=0.5x',
    'macs=-0.5',
  ]) {
    assert.equal(parseTarget(text), undefined, text);
  }
});
