import path from 'node:path';
import { onnx } from 'onnx-proto';
import { analyzeModel } from '../../src/core/compress/analyzeModel';
import { candidatesOf } from '../../src/core/compress/candidates';
import { factorWeight } from '../../src/core/compress/factor';
import type { Layer } from '../../src/core/compress/layer';
import type { Candidate, Ranks } from '../../src/core/compress/method';
import { type FactoredLayer, rewriteModel } from '../../src/core/compress/rewrite';
import { effectiveWeight } from '../../src/core/compress/weight';
import { memorySource } from '../../src/core/onnx/byteSource';
import { isFactorableType } from '../../src/core/onnx/elements';
import type { Model } from '../../src/core/onnx/model';
import { readModel } from '../../src/core/onnx/read';
import { decodeFloats, encodeFloats } from '../../src/core/onnx/tensorData';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { readStored, recipeOf } from '../../src/worker/constantValues';
import { modelInputs } from '../../src/worker/modelInputs';
import { channelScale, readNorm } from '../../src/worker/modelWeights';
import { compareOutputs } from '../../src/worker/outputComparison';
import { loadRuntime, type RuntimeSession, type RuntimeTensor } from '../../src/worker/runtime';
import { joinSegments } from './onnxModel';
import { scratchFolder, writeInto } from './scratch';

const runtime = loadRuntime(path.resolve('dist'));
const linalg = createMlMatrix();
const folder = scratchFolder();

const noFiles = () => {
  throw new Error('no external file was expected');
};

/** The layers of a model, as the product finds them. */
export const layersOf = (model: Model) => analyzed(model).layers;

/** Everything the product finds in a model. */
export const analyzed = (model: Model) => analyzeModel(model, { dims: {}, openExternal: noFiles });

/**
 * Factors every layer of a model at full rank with the n-th of the methods that auto tries, or some layers at some ranks;
 * returns the new file and how many changed.
 */
export function rewritten(
  bytes: Uint8Array,
  nth: number,
  { isWanted = () => true, ranksOf = ({ fullRanks }) => fullRanks }: RewriteOptions = {},
): { layers: number; bytes: Uint8Array } {
  const model = readModel(memorySource('m.onnx', bytes));
  const open = {
    path: 'm.onnx',
    model,
    openExternal: noFiles,
    externalFiles: [],
    version: '',
    close: () => {},
  };
  const factored = layersOf(model).flatMap((layer): FactoredLayer[] => {
    const candidate = candidatesOf(layer, 'auto').candidates[nth];
    if (!candidate || !isWanted(layer)) return [];
    const { type } = layer.weight;
    const norm = readNorm(open, layer);
    const recipe = { ...recipeOf(layer.weight), ...(norm ? { scale: channelScale(layer, norm) } : {}) };
    const weight = effectiveWeight(readStored(open, layer.weight), recipe);
    const round = <T extends Float32Array | Float64Array>(x: T) =>
      decodeFloats(type, encodeFloats(type, x)) as T;
    const ranks = ranksOf(candidate);
    const { factors } = factorWeight(linalg, weight, candidate, ranks, round);
    const folded = norm ? { bias: encodeFloats(type, norm.bias) } : {};
    return [{ layer, candidate, ranks, factors: factors.map((f) => encodeFloats(type, f)), ...folded }];
  });
  return { layers: factored.length, bytes: joinSegments(rewriteModel(model, factored).segments) };
}

interface RewriteOptions {
  readonly isWanted?: (layer: Layer) => boolean;
  readonly ranksOf?: (candidate: Candidate) => Ranks;
}

/** Inputs for a model, by name. */
export type Inputs = ReadonlyMap<string, RuntimeTensor>;

/** Inputs as the product makes them up. */
export function randomInputs(bytes: Uint8Array, bind: ReadonlyMap<string, number> = new Map()): Inputs {
  return modelInputs(readModel(memorySource('m.onnx', bytes)), bind).tensors;
}

/** The same, and how far the new model's outputs are from the old one's. */
export async function rewrittenError(
  before: Uint8Array,
  nth: number,
  inputs = randomInputs(before),
): Promise<{ layers: number; relative: number; model: Model }> {
  const { layers, bytes } = rewritten(before, nth);
  const expected = await run(before, inputs);
  const { relative } = compareOutputs(expected, await run(bytes, inputs), 'the rewritten model');
  return { layers, relative, model: readModel(memorySource('m.onnx', bytes)) };
}

/** What a model computes. Throws a ModelError where ONNX Runtime refuses it. */
export async function run(bytes: Uint8Array, inputs: Inputs): Promise<Inputs> {
  let session: RuntimeSession | undefined;
  try {
    session = await runtime.open(writeInto(folder, 'model.onnx', bytes), []);
    return await session.run(inputs);
  } finally {
    await session?.release();
  }
}

/**
 * The model in single precision: constants of every floating-point type as floats, casts to such types as casts to
 * float. It computes with the numbers in the file what ONNX Runtime has no kernels for (bfloat16, Conv of doubles).
 */
export function inSingle(bytes: Uint8Array): Uint8Array {
  const model = onnx.ModelProto.decode(bytes);
  if (model.graph) graphInSingle(model.graph);
  return onnx.ModelProto.encode(model).finish();
}

function graphInSingle(graph: onnx.IGraphProto): void {
  graph.initializer?.forEach(tensorInSingle);
  for (const info of [...(graph.input ?? []), ...(graph.output ?? []), ...(graph.valueInfo ?? [])]) {
    const type = info.type?.tensorType;
    if (type && isFactorableType(type.elemType ?? 0)) type.elemType = 1;
  }
  for (const node of graph.node ?? []) {
    for (const attribute of node.attribute ?? []) {
      if (attribute.t) tensorInSingle(attribute.t);
      if (attribute.g) graphInSingle(attribute.g);
      if (node.opType === 'Cast' && isFactorableType(Number(attribute.i ?? 0))) attribute.i = 1;
    }
  }
}

function tensorInSingle(tensor: onnx.ITensorProto): void {
  if (!tensor.rawData || !isFactorableType(tensor.dataType ?? 0)) return;
  tensor.rawData = encodeFloats(1, decodeFloats(tensor.dataType!, tensor.rawData));
  tensor.dataType = 1;
}
