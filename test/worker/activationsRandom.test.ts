import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConvForm, MatMulForm } from '../../src/core/compress/layer';
import { Element } from '../../src/core/onnx/elements';
import type { ElementType } from '../../src/core/onnx/model';
import { ModelError } from '../../src/core/onnx/modelError';
import { type Activation, toActivation } from '../../src/worker/activations/activation';
import { collectActivations } from '../../src/worker/activations/collect';
import { openExposed } from '../../src/worker/activations/exposedSession';
import { layerUses } from '../../src/worker/activations/layerUses';
import { shapedModel } from '../../src/worker/activations/shapedModel';
import { openModel } from '../../src/worker/openModel';
import { inputBatches, keepingSink, layersIn, productError, RUNTIMES } from '../support/collected';
import { encodeModel } from '../support/onnxModel';
import {
  featuresOf,
  KIND_FEATURES,
  LAYER_KINDS,
  modelAround,
  product,
  Random,
} from '../support/randomLayers';
import { convReference, matmulReference } from '../support/referencePatches';
import { scratchFolder, writeInto } from '../support/scratch';

/** How far W · p + b may be from y, relative to the norm of y: by element type. */
const TYPES: readonly (readonly [name: string, type: ElementType, tolerance: number, models: number])[] = [
  ['float', Element.float, 1e-5, 20],
  ['double', Element.double, 1e-5, 6],
  ['float16', Element.float16, 5e-3, 6],
];

const folder = scratchFolder();

for (const [kindIndex, [kind, draw]] of Object.entries(LAYER_KINDS).entries()) {
  test(`random layers: columns are what the operators multiply, W · p + b is y: ${kind}`, async (t) => {
    const features = new Set<string>();
    for (const [typeName, type, tolerance, wanted] of TYPES) {
      let [models, refused, worst] = [0, 0, 0];
      for (let i = 0; models < wanted && i < 4 * wanted; i++) {
        const seed = 500_000 + kindIndex * 10_000 + type * 100 + i;
        const r = new Random(seed);
        const layerDrawn = draw(r);
        const { spec, inputs } = modelAround(layerDrawn, r, type);
        const said = `seed ${seed}, ${typeName}, ${JSON.stringify(layerDrawn)}`;
        const open = openModel(writeInto(folder, `m${seed}.onnx`, encodeModel(spec)));
        try {
          const [layer] = layersIn(open) as [ReturnType<typeof layersIn>[number]];
          const uses = layerUses(layer, open.model.graph);
          if ('reason' in uses) {
            assert.match(uses.reason, /Depthwise|Rows of a table|no bias/, said);
            assert.match(uses.reason, /^[A-Z].*\.$/);
            refused++;
            continue;
          }
          const use = uses[0]!;
          const results: Activation[][] = [];
          for (const [name, runtime] of RUNTIMES) {
            // The WebAssembly build is tried on some only: it differs in its kernels, not in what is done with them.
            if (name !== 'native' && (models % 5 > 0 || type !== Element.float)) continue;
            const sink = keepingSink();
            const batches = inputBatches([inputs]);
            const request = { original: open, layers: [layer], batches, sink };
            const { outcomes } = await collectActivations(runtime, request);
            const kept = sink.kept.get(layer);
            const { shapes, source } = shapedModel(open, inputs);
            const names = [use.x, use.y].map((wantedName) => ({ name: wantedName, what: 'values' }) as const);
            const session = await openExposed(runtime, { shapes, source }, names);
            const [x, y] = (await session.run(inputs)).map((value) => toActivation(value!)!) as [
              Activation,
              Activation,
            ];
            await session.release();
            results.push([x, y]);
            const reference =
              use.form.kind === 'conv'
                ? convReference(layer.form as ConvForm, layer.node, x, y)
                : matmulReference(layer.form as MatMulForm, layer.node, x, y);
            const scale = alphaOf(layerDrawn.node.attributes?.alpha);
            if (product(y.dims) === 0) continue;
            assert.deepEqual(
              kept!.map(({ p }) => p),
              reference.p,
              `${name}: ${said}`,
            );
            assert.deepEqual(
              kept!.map((group) => group.y),
              reference.y.map((columns) =>
                columns.map((column) => column.map((v) => Math.fround(v / scale))),
              ),
              `${name}: ${said}`,
            );
            const count = reference.p[0]!.length;
            assert.deepEqual(outcomes.get(layer), { kind: 'collected', columns: count, available: count });
            const error = productError(open, layer, kept!);
            assert.ok(error <= tolerance, `${name}: off by ${error}: ${said}`);
            worst = Math.max(worst, error);
          }
          if (results.length > 1) assertClose(results[0]!, results[1]!, said);
          models++;
          for (const feature of featuresOf(spec)) features.add(feature);
        } catch (error) {
          // ONNX Runtime has no kernels for some doubles.
          if (!(error instanceof ModelError) || error.code !== 'runtime-failed' || type === Element.float)
            throw error;
        } finally {
          open.close();
        }
      }
      t.diagnostic(
        `${typeName}: ${models} models, ${refused} refused, off by ${worst.toExponential(1)} at most`,
      );
      if (type === Element.float && kind !== 'Gather') assert.equal(models, wanted);
    }
    if (kind === 'Gather') return;
    const missing = (KIND_FEATURES[kind.split(/[ ,]/)[0]!] ?? []).filter((feature) => !features.has(feature));
    assert.deepEqual(missing, [], `never drawn, of ${[...features].join(', ')}`);
  });
}

function alphaOf(attribute: unknown): number {
  return (attribute as { float: number } | undefined)?.float ?? 1;
}

function assertClose(one: readonly Activation[], other: readonly Activation[], said: string): void {
  for (const [i, { dims, data }] of one.entries()) {
    assert.deepEqual(other[i]!.dims, dims, said);
    for (const [k, value] of data.entries()) {
      const difference = Math.abs(value - other[i]!.data[k]!);
      assert.ok(difference <= 1e-5 * (1 + Math.abs(value)), `${said}: ${value} and ${other[i]!.data[k]}`);
    }
  }
}
