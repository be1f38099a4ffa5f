import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidatesOf } from '../../src/core/compress/candidates';
import { memorySource } from '../../src/core/onnx/byteSource';
import { Element } from '../../src/core/onnx/elements';
import type { ElementType } from '../../src/core/onnx/model';
import { ModelError } from '../../src/core/onnx/modelError';
import { readModel } from '../../src/core/onnx/read';
import { compareOutputs } from '../../src/worker/outputComparison';
import { type Inputs, inSingle, layersOf, rewritten, run } from '../support/fullRank';
import { encodeModel } from '../support/onnxModel';
import { featuresOf, KIND_FEATURES, LAYER_KINDS, modelAround, Random } from '../support/randomLayers';

/** How far a full-rank factorisation may be off, relative to the norm of the outputs: by element type. */
const TYPES: readonly (readonly [name: string, type: ElementType, tolerance: number])[] = [
  ['float', Element.float, 2e-5],
  ['double', Element.double, 1e-12],
  ['float16', Element.float16, 5e-3],
  ['bfloat16', Element.bfloat16, 3e-2],
];

/** Where ONNX Runtime has no kernel for doubles, both models run in single precision. */
const SINGLE_TOLERANCE = 2e-5;

/** Models to compare per kind and type, and how many may be drawn for that. */
const WANTED = 20;
const DRAWN_AT_MOST = 4 * WANTED;

/** Runs a model as it is, or in single precision where ONNX Runtime does not compute with its type; else undefined. */
async function runSomehow(
  bytes: Uint8Array,
  inputs: Inputs,
  type: ElementType,
): Promise<{ outputs: Inputs; isNative: boolean } | undefined> {
  // It can look bfloat16 up in a table, but not multiply it.
  for (const isNative of type === Element.bfloat16 ? [false] : [true, false]) {
    try {
      return { outputs: await run(isNative ? bytes : inSingle(bytes), inputs), isNative };
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
    }
  }
  return undefined;
}

for (const [kindIndex, [kind, draw]] of Object.entries(LAYER_KINDS).entries()) {
  test(`random layers at full rank compute what they did: ${kind}`, async (t) => {
    const told: string[] = [];
    const features = new Set<string>();
    for (const [typeName, type, tolerance] of TYPES) {
      let [models, methods, natively, worst] = [0, 0, 0, 0];
      for (let i = 0; models < WANTED; i++) {
        assert.ok(i < DRAWN_AT_MOST, `${typeName}: only ${models} of ${i} models could be compared`);
        const seed = kindIndex * 10_000 + type * 100 + i;
        const r = new Random(seed);
        const layer = draw(r);
        const { spec, inputs } = modelAround(layer, r, type);
        const before = encodeModel(spec);
        const expected = await runSomehow(before, inputs, type);
        if (!expected || expected.outputs.get('y')?.data.length === 0) continue;
        const said = `seed ${seed}, ${typeName}, ${JSON.stringify({ layer, nodes: spec.nodes.map((n) => n.op) })}`;
        const found = layersOf(readModel(memorySource('m.onnx', before)));
        assert.equal(found.length, 1, said);
        const offered = candidatesOf(found[0]!, 'auto').candidates;
        // A depthwise convolution has no method, and says so.
        if (found[0]!.form.kind === 'none') {
          assert.match(found[0]!.form.reason, /Depthwise/, said);
          continue;
        }
        assert.ok(offered.length > 0, said);
        for (const [nth, { method }] of offered.entries()) {
          const { layers, bytes } = rewritten(before, nth);
          assert.equal(layers, 1, said);
          const after = await run(expected.isNative ? bytes : inSingle(bytes), inputs);
          assert.deepEqual(after.get('y')?.dims, expected.outputs.get('y')?.dims, `${method}: ${said}`);
          const { relative } = compareOutputs(expected.outputs, after, said);
          const allowed = expected.isNative ? tolerance : Math.max(tolerance, SINGLE_TOLERANCE);
          assert.ok(relative <= allowed, `${method} is off by ${relative}: ${said}`);
          worst = Math.max(worst, relative);
          methods++;
        }
        if (expected.isNative) natively++;
        models++;
        for (const feature of featuresOf(spec)) features.add(feature);
      }
      if (type === Element.float) assert.equal(natively, models, 'ONNX Runtime computes with floats');
      told.push(
        `${typeName} ${models} models (${natively} as they are), ${methods} factorisations, off by ${worst.toExponential(1)} at most`,
      );
    }
    const missing = (KIND_FEATURES[kind.split(/[ ,]/)[0]!] ?? []).filter((feature) => !features.has(feature));
    assert.deepEqual(missing, [], `never drawn, of ${[...features].join(', ')}`);
    for (const line of told) t.diagnostic(line);
  });
}
