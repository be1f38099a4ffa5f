import { onnx } from 'onnx-proto';
import * as ort from 'onnxruntime-web';
import { memorySource } from '../../src/core/onnx/byteSource';
import { readModel } from '../../src/core/onnx/read';
import { bindDim, type Dim, printDim } from '../../src/core/onnx/shapes/dim';
import { inferShapes } from '../../src/core/onnx/shapes/inferShapes';

/** What ONNX Runtime says about the inferred shapes of one model. */
export interface OracleReport {
  /** Values that ran. */
  readonly compared: number;
  /** Of those, how many have no complete inferred shape. */
  readonly unknown: readonly string[];
  /** Inferred shapes that differ from the true one, in words. */
  readonly wrong: readonly string[];
}

/**
 * Runs a model with every intermediate as an output, and compares the true shapes with the inferred ones:
 * with the dimensions bound before inference, and with symbolic shapes bound afterwards.
 */
export async function askRuntime(
  bytes: Uint8Array,
  inputs: Readonly<Record<string, ort.Tensor>>,
  bind: ReadonlyMap<string, number>,
): Promise<OracleReport> {
  const truth = await trueShapes(bytes, inputs);
  const model = readModel(memorySource('model.onnx', bytes));
  const openExternal = () => {
    throw new Error('The model was expected to be one file.');
  };
  const bound = inferShapes(model, { bind, openExternal });
  const symbolic = inferShapes(model, { bind: new Map(), openExternal });
  const unknown: string[] = [];
  const wrong: string[] = [];
  for (const [name, shape] of truth) {
    const before = bound.get(name)?.shape;
    const after = symbolic.get(name)?.shape?.map((d) => bindDim(d, bind));
    if (!before || before.some((d) => typeof d !== 'number')) unknown.push(name);
    for (const inferred of [before, after]) {
      if (inferred && contradicts(inferred, shape)) {
        wrong.push(`${name}: ${inferred.map(printDim).join(' × ')} instead of ${shape.join(' × ')}`);
      }
    }
  }
  return { compared: truth.size, unknown, wrong };
}

function contradicts(inferred: readonly Dim[], shape: readonly number[]): boolean {
  return inferred.length !== shape.length || inferred.some((d, i) => typeof d === 'number' && d !== shape[i]);
}

async function trueShapes(
  bytes: Uint8Array,
  inputs: Readonly<Record<string, ort.Tensor>>,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const model = onnx.ModelProto.decode(bytes);
  const graph = model.graph as onnx.GraphProto;
  const declared = new Set(graph.output.map((output) => output.name));
  for (const node of graph.node) {
    for (const name of node.output ?? []) if (name && !declared.has(name)) graph.output.push({ name });
  }
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(onnx.ModelProto.encode(model).finish(), {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 3,
  });
  try {
    const outputs = await session.run({ ...inputs });
    return new Map(
      Object.entries(outputs).flatMap(([name, value]) => (value.dims ? [[name, value.dims]] : [])),
    );
  } finally {
    await session.release();
  }
}

/** A float input in which no two neighbours are alike. */
export function floatInput(dims: readonly number[]): ort.Tensor {
  const count = dims.reduce((product, d) => product * d, 1);
  return new ort.Tensor(
    'float32',
    Float32Array.from({ length: count }, (_, i) => ((i * 37) % 101) / 101),
    [...dims],
  );
}
