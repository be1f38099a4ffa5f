import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossOf, outputErrorOf } from '../../src/core/compress/budget/outputError';
import { candidatesOf } from '../../src/core/compress/candidates';
import type { Form, FormedLayer } from '../../src/core/compress/layer';
import { type LayerOptions, makePlan, type Planned, type Refusal } from '../../src/core/compress/makePlan';
import { saves } from '../../src/core/compress/method';
import type { LayerPlan, Target } from '../../src/core/compress/plan';
import { evbmfRanks } from '../../src/core/compress/ranks/evbmfRanks';
import { convForm, matmulForm } from '../support/forms';

/** A layer whose squared singular values fall by `ratio` from one to the next, down to a floor of noise. */
function options(name: string, form: Form, ratio: number, noise = 0, elementBytes = 4): LayerOptions {
  const layer: FormedLayer = { name, parameters: 0, elementBytes, form };
  const choices = candidatesOf(layer, 'auto').candidates.map((candidate) => ({
    candidate,
    known: candidate.fullRanks.map((full) => {
      const energies = Float64Array.from(
        { length: full },
        (_, k) => ratio ** k + noise * (1 - k / (2 * full)),
      );
      return { energies, total: energies.reduce((a, b) => a + b, 0) };
    }),
  }));
  return { layer: { ...layer, parameters: choices[0]!.candidate.dense.parameters }, choices };
}

const model = [
  options('one', convForm(32, 16, [3, 3]), 0.7),
  options('two', convForm(64, 32, [3, 3]), 0.9),
  options('three', convForm(64, 64, [3, 3]), 0.85),
  options('half', matmulForm(512, 100), 0.95, 0, 2),
];
const parameters = model.reduce((sum, { layer }) => sum + layer.parameters, 0);
const bytes = model.reduce((sum, { layer }) => sum + layer.parameters * layer.elementBytes!, 0);
const macs = model.reduce((sum, { choices }) => sum + choices[0]!.candidate.dense.macs!, 0);
const totals = { parameters, macs, bytes };

const planned = (result: Planned | Refusal): Planned => {
  assert.ok(!('refusal' in result), JSON.stringify(result));
  return result;
};
const planFor = (target: Target, multiple?: number) => planned(makePlan(model, totals, target, { multiple }));

function* factored(layers: readonly LayerPlan[]) {
  for (const [i, layer] of layers.entries()) {
    if (layer.kind === 'dense') continue;
    const option = model[i]!;
    const choice = option.choices.find(({ candidate }) => candidate.method === layer.method)!;
    yield { option, choice, ranks: layer.ranks };
  }
}

test('a share of the bytes is met, each layer counted by its element type', () => {
  for (const share of [0.7, 0.4, 0.2]) {
    const { plan } = planFor({ kind: 'bytes', share });
    let left = bytes;
    for (const { option, choice, ranks } of factored(plan.layers)) {
      const { dense } = choice.candidate;
      left += (choice.candidate.cost(ranks).parameters - dense.parameters) * option.layer.elementBytes!;
    }
    assert.ok(left <= share * bytes && left > 0.8 * share * bytes, `${left} of ${share * bytes}`);
  }
  const unknown = makePlan(model, { parameters, macs }, { kind: 'bytes', share: 0.5 });
  assert.ok('refusal' in unknown && /bytes of this model are not known/.test(unknown.refusal));
});

test('an error is kept to, at fewer parameters the larger it may be', () => {
  let last = parameters;
  for (const error of [0.01, 0.05, 0.2, 0.5]) {
    const { after, outputError, weightError } = planFor({ kind: 'error', error }, 1);
    assert.ok(outputError! <= error * (1 + 1e-9), `${outputError} for ${error}`);
    assert.ok(after.parameters < last && weightError > 0);
    last = after.parameters;
  }
});

test('of all plans within an error a share that needs fewer parameters has a larger one', () => {
  const least = planFor({ kind: 'error', error: 0.1 }, 1);
  const share = (least.after.parameters - 200) / parameters;
  const { outputError } = planFor({ kind: 'parameters', share }, 1);
  assert.ok(outputError! > 0.1, String(outputError));
});

test('the estimate is that of the product of what layers keep', () => {
  assert.ok(Math.abs(lossOf(0.6) - -Math.log(1 - 0.36)) < 1e-15);
  assert.equal(outputErrorOf(model, []), 0);
  // At the ends errors count as they are: the first twice, the last once.
  const pickOf = (i: number) => {
    const choice = model[i]!.choices[0]!;
    return { choice, ranks: [5] };
  };
  const kept = [0, 3].map((i) => {
    const { choice, ranks } = pickOf(i);
    return 1 - choice.candidate.error(choice.known, ranks) / choice.known[0]!.total;
  });
  const expected = Math.sqrt(1 - kept[0]! ** 2 * kept[1]!);
  const actual = outputErrorOf(model, [pickOf(0), undefined, undefined, pickOf(3)])!;
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} instead of ${expected}`);
  const blind = { candidate: model[0]!.choices[0]!.candidate, known: [] };
  assert.equal(outputErrorOf(model, [{ choice: blind, ranks: [5] }]), null);
});

test('with a ratio no factors are larger than that share, and one rank more would be', () => {
  for (const ratio of [0.5, 0.25]) {
    const { plan } = planFor({ kind: 'ratio', ratio });
    let count = 0;
    for (const { choice, ranks } of factored(plan.layers)) {
      const { candidate } = choice;
      const most = ratio * candidate.dense.parameters;
      assert.ok(candidate.cost(ranks).parameters <= most && saves(candidate, ranks));
      assert.ok(candidate.cost(ranks.map((rank) => rank + 1)).parameters > most);
      count++;
    }
    assert.equal(count, model.length);
  }
  const { plan } = planFor({ kind: 'ratio', ratio: 0.001 });
  assert.ok(plan.layers.every((l) => l.kind === 'dense' && /Even rank 1 has more than 0.1 %/.test(l.reason)));
});

test('EVBMF gives its ranks where it has any, the cheapest of the methods, and says where it has none', () => {
  const noisy = [
    options('first', convForm(64, 32, [3, 3]), 0.4, 0.01),
    options('second', matmulForm(256, 128), 0.4, 0.01),
    options('flat', matmulForm(64, 64), 0, 1),
  ];
  const { plan } = planned(makePlan(noisy, totals, { kind: 'evbmf', weakening: 0 }));
  for (const [i, layer] of plan.layers.entries()) {
    const { choices } = noisy[i]!;
    if (i === 2) {
      assert.ok(layer.kind === 'dense' && /EVBMF gives|stands out/.test(layer.reason), JSON.stringify(layer));
      continue;
    }
    assert.ok(layer.kind === 'factor');
    const price = (k: number) => {
      const { candidate, known } = choices[k]!;
      const found = evbmfRanks(candidate, known);
      return found.kind === 'ranks' && saves(candidate, found.ranks)
        ? candidate.cost(found.ranks).parameters
        : Infinity;
    };
    const at = choices.findIndex(({ candidate }) => candidate.method === layer.method);
    assert.deepEqual(evbmfRanks(choices[at]!.candidate, choices[at]!.known), {
      kind: 'ranks',
      ranks: layer.ranks,
    });
    for (const k of choices.keys()) assert.ok(price(at) <= price(k));
  }
  const weakened = planned(makePlan(noisy, totals, { kind: 'evbmf', weakening: 0.1 }));
  assert.ok(
    weakened.after.parameters >
      planned(makePlan(noisy, totals, { kind: 'evbmf', weakening: 0 })).after.parameters,
  );
});
