/**
 * What the tests of traps share. There is one test or more by name for every trap that a correct rewrite handles. The
 * everyday side of most of them is in `rewrite.test.ts` and `rewriteRandom.test.ts` (full rank against ONNX Runtime),
 * of the files in `session.test.ts`; in `traps….test.ts` is what those don't look at.
 */
import assert from 'node:assert/strict';
import { onnx } from 'onnx-proto';
import type { Analysis } from '../../src/core/compress/analysis';
import { analyzeModel } from '../../src/core/compress/analyzeModel';
import { memorySource } from '../../src/core/onnx/byteSource';
import type { Model } from '../../src/core/onnx/model';
import { allGraphs } from '../../src/core/onnx/names';
import { readModel } from '../../src/core/onnx/read';
import { rewrittenError } from './fullRank';
import { encodeModel, floatTensor, type ModelSpec, type NodeSpec, seededArray } from './onnxModel';

/** For models that have all in one file. */
export const noFiles = () => {
  throw new Error('no external file was expected');
};

/** A model from its bytes. */
export const read = (bytes: Uint8Array): Model => readModel(memorySource('m.onnx', bytes));

/** What is found in it. */
export const analysisOf = (bytes: Uint8Array): Analysis =>
  analyzeModel(read(bytes), { dims: {}, openExternal: noFiles }).analysis;

/** A matrix of random numbers. */
export const matrix = (name: string, rows: number, columns: number, seed = 1) =>
  floatTensor(name, [rows, columns], seededArray(rows * columns, seed));

/** x (of the given sizes) through nodes to y. */
export const through = (
  nodes: readonly NodeSpec[],
  initializers: ModelSpec['initializers'],
  x: readonly number[] = [3, 6],
  rest: Partial<ModelSpec> = {},
): ModelSpec => ({
  nodes,
  inputs: { x },
  outputs: { y: null },
  ...(initializers ? { initializers } : {}),
  ...rest,
});

/** One product with the weight w. */
export const PRODUCT: NodeSpec = { op: 'MatMul', name: 'layer', inputs: ['x', 'w'], outputs: ['y'] };

/** Full rank, first method: so many layers change, and what is computed does not. */
export async function assertSame(spec: ModelSpec | Uint8Array, layers = 1, tolerance = 1e-5): Promise<Model> {
  const result = await rewrittenError(spec instanceof Uint8Array ? spec : encodeModel(spec), 0);
  assert.equal(result.layers, layers, 'layers that are factored');
  assert.ok(result.relative < tolerance, `off by ${result.relative}`);
  return result.model;
}

/** Every layer is left alone, with the reason. */
export function assertSkipped(spec: ModelSpec | Uint8Array, reason: RegExp): Analysis {
  const analysis = analysisOf(spec instanceof Uint8Array ? spec : encodeModel(spec));
  assert.ok(analysis.layers.length > 0, 'the layer is listed');
  for (const layer of analysis.layers) {
    assert.equal(layer.status, 'skipped', layer.name);
    assert.match(layer.reason ?? '', reason);
  }
  return analysis;
}

/** Every name of an initializer, in all graphs. */
export const initializersOf = (model: Model) =>
  [...allGraphs(model.graph)].flatMap((graph) => graph.initializers.map((t) => t.name));

/** A tensor whose elements stand in a data file. */
export const external = (
  name: string,
  dims: readonly number[],
  entries: Readonly<Record<string, string>>,
): onnx.ITensorProto => ({
  name,
  dims: [...dims],
  dataType: 1,
  dataLocation: 1,
  externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
});

/** A model in ONNX's own words, for what ModelSpec has none. */
export function withProto(spec: ModelSpec, change: (model: onnx.ModelProto) => void): Uint8Array {
  const model = onnx.ModelProto.decode(encodeModel(spec));
  change(model);
  return onnx.ModelProto.encode(model).finish();
}

/** A constant of order 0. */
export const scalar = (name: string, value: number) => floatTensor(name, [], [value]);
