/**
 * `node out/bench/plan.js`: how long it takes to plan a budget for a model of ResNet-50's size (54 layers, all methods
 * of `auto`) and for 1,000 layers, on made-up spectra: once to prepare, then for each of eight budgets. Milliseconds.
 */
import { macsMeasure } from '../src/core/compress/budget/measure';
import { planBudget, prepareBudget } from '../src/core/compress/budget/planBudget';
import { DEFAULT_SENSITIVITY, SENSITIVITIES } from '../src/core/compress/budget/sensitivity';
import { candidatesOf } from '../src/core/compress/candidates';
import type { Form, FormedLayer } from '../src/core/compress/layer';
import type { LayerOptions } from '../src/core/compress/makePlan';
import { convForm, matmulForm } from '../test/support/forms';
import { LAYER_SETS } from './layerSets';
import { median } from './layers';

const SHARES = [0.9, 0.75, 0.6, 0.5, 0.4, 0.33, 0.25, 0.2];

/** Blocks that ranks are aligned to; 1 for every rank. */
const BLOCKS = [1, 16];

const resnet = [...LAYER_SETS.find(({ id }) => id === 'resnet50')!.shapes, [1000, 2048]];
const models = [
  { name: 'ResNet-50', shapes: resnet },
  {
    name: '1,000 layers of 256 channels',
    shapes: Array.from({ length: 1000 }, (_, i) => [256, 256, i % 2 ? 3 : 1, i % 2 ? 3 : 1]),
  },
];

console.log('model                          block  settings  prepare  plan (median, worst)  largest gap');
for (const { name, shapes } of models) {
  const options = shapes.map(optionsOf);
  for (const block of BLOCKS) {
    const macs = options.reduce((sum, { choices }) => sum + (choices[0]?.candidate.dense.macs ?? 0), 0);
    const parameters = options.reduce((sum, { layer }) => sum + layer.parameters, 0);
    const start = performance.now();
    const prepared = prepareBudget(options, { parameters, macs }, macs, {
      measure: macsMeasure,
      block,
      sensitivity: SENSITIVITIES[DEFAULT_SENSITIVITY],
    });
    const preparation = performance.now() - start;
    const times: number[] = [];
    let gap = 0;
    for (const share of SHARES) {
      const begin = performance.now();
      const plan = planBudget(prepared, { kind: 'cost', most: share * macs });
      times.push(performance.now() - begin);
      if ('picks' in plan) gap = Math.max(gap, plan.gap / (plan.loss || 1));
    }
    const settings = prepared.ladders.reduce((sum, each) => sum + (each?.rungs.length ?? 0), 0);
    const figures = [median(times), Math.max(...times)].map((ms) => ms.toFixed(1)).join(', ');
    console.log(
      `${name.padEnd(29)}  ${String(block).padStart(5)}  ${String(settings).padStart(8)}  ${preparation.toFixed(0).padStart(7)}  ${figures.padStart(20)}  ${gap.toExponential(1)}`,
    );
  }
}

/** A layer with spectra that fall as a power of the index, another one for each layer. */
function optionsOf([outer = 1, inner = 1, ...kernel]: readonly number[], index: number): LayerOptions {
  // ResNet's: as the width doubles, the image halves.
  const sizes = kernel.map(() => Math.max(7, Math.round((56 * 64) / Math.min(inner, outer))));
  const calls = [{ batch: 1, inputSize: sizes, outputSize: sizes }];
  const form: Form =
    kernel.length === 0 ? matmulForm(inner, outer) : convForm(outer, inner, kernel, { calls });
  const parameters = kernel.reduce((a, b) => a * b, outer * inner);
  const layer: FormedLayer = { name: `layer ${index}`, parameters, form };
  const falling = (length: number, power: number) => {
    const energies = Float64Array.from({ length }, (_, k) => (k + 1) ** -power);
    return { energies, total: energies.reduce((a, b) => a + b, 0) };
  };
  const choices = candidatesOf(layer, 'auto').candidates.map((candidate, c) => ({
    candidate,
    known: candidate.fullRanks.map((full) => falling(full, 0.8 + ((index * 7 + c * 3) % 10) / 10)),
  }));
  return { layer, choices };
}
