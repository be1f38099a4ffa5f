import { onnx } from 'onnx-proto';
import * as ort from 'onnxruntime-web';
import { memorySource } from '../../src/core/onnx/byteSource';
import type { Graph } from '../../src/core/onnx/model';
import { nestedGraphs } from '../../src/core/onnx/names';
import { readModel } from '../../src/core/onnx/read';
import { bindDim, type Dim, printDim } from '../../src/core/onnx/shapes/dim';
import { inferShapes, type ShapeTable } from '../../src/core/onnx/shapes/inferShapes';

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
  return compareShapes(await trueShapes(bytes, inputs), bytes, bind);
}

/**
 * The same for a model whose main graph is little more than an If: the branches that are taken come in its place,
 * until there is none left, and the shapes inside them are compared too.
 */
export async function askRuntimeInside(
  bytes: Uint8Array,
  inputs: Readonly<Record<string, ort.Tensor>>,
  bind: ReadonlyMap<string, number>,
): Promise<OracleReport> {
  const model = onnx.ModelProto.decode(bytes);
  for (;;) {
    const values = await allValues(onnx.ModelProto.encode(model).finish(), inputs);
    if (!takeBranches(model.graph as onnx.GraphProto, values)) break;
  }
  return compareShapes(await trueShapes(onnx.ModelProto.encode(model).finish(), inputs), bytes, bind);
}

/** Puts the branch that is taken in the place of every If of a graph; whether there was one. */
function takeBranches(graph: onnx.GraphProto, values: ReadonlyMap<string, ort.Tensor>): boolean {
  let found = false;
  graph.node = graph.node.flatMap((node) => {
    if (node.opType !== 'If') return [node];
    found = true;
    const taken = values.get(node.input![0]!)!.data[0] ? 'then_branch' : 'else_branch';
    const branch = node.attribute!.find((a) => a.name === taken)!.g!;
    graph.initializer.push(...(branch.initializer ?? []));
    const handed = branch.output!.map((output, i) => ({
      opType: 'Identity',
      input: [output.name!],
      output: [node.output![i]!],
    }));
    return [...(branch.node ?? []), ...handed];
  });
  return found;
}

function compareShapes(
  truth: ReadonlyMap<string, readonly number[]>,
  bytes: Uint8Array,
  bind: ReadonlyMap<string, number>,
): OracleReport {
  const model = readModel(memorySource('model.onnx', bytes));
  const openExternal = () => {
    throw new Error('The model was expected to be one file.');
  };
  const bound = inferShapes(model, { bind, openExternal });
  const symbolic = inferShapes(model, { bind: new Map(), openExternal });
  const unknown: string[] = [];
  const wrong: string[] = [];
  for (const [name, shape] of truth) {
    const before = shapeInside(model.graph, bound, name);
    const after = shapeInside(model.graph, symbolic, name)?.map((d) => bindDim(d, bind));
    if (!before || before.some((d) => typeof d !== 'number')) unknown.push(name);
    for (const inferred of [before, after]) {
      if (inferred && contradicts(inferred, shape)) {
        wrong.push(`${name}: ${inferred.map(printDim).join(' × ')} instead of ${shape.join(' × ')}`);
      }
    }
  }
  return { compared: truth.size, unknown, wrong };
}

/** The shape of a value of a graph or of a body in it: in the models at hand a name means one thing only. */
function shapeInside(graph: Graph, shapes: ShapeTable, name: string): readonly Dim[] | null | undefined {
  const fact = shapes.get(name);
  if (fact) return fact.shape;
  for (const node of graph.nodes) {
    const inner = shapes.bodies(node);
    for (const nested of nestedGraphs(node)) {
      const body = inner.find((b) => b.nodes === nested.nodes);
      const shape = body && shapeInside(nested, body.shapes, name);
      if (shape) return shape;
    }
  }
  return undefined;
}

function contradicts(inferred: readonly Dim[], shape: readonly number[]): boolean {
  return inferred.length !== shape.length || inferred.some((d, i) => typeof d === 'number' && d !== shape[i]);
}

async function trueShapes(
  bytes: Uint8Array,
  inputs: Readonly<Record<string, ort.Tensor>>,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const values = await allValues(bytes, inputs);
  return new Map([...values].flatMap(([name, value]) => (value.dims ? [[name, value.dims]] : [])));
}

/** What a model computes, intermediates of its main graph included. */
async function allValues(
  bytes: Uint8Array,
  inputs: Readonly<Record<string, ort.Tensor>>,
): Promise<ReadonlyMap<string, ort.Tensor>> {
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
    return new Map(Object.entries(await session.run({ ...inputs })));
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
