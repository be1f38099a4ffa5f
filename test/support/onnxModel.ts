import { onnx } from 'onnx-proto';
import { type ByteSource, memorySource } from '../../src/core/onnx/byteSource';
import type { Model } from '../../src/core/onnx/model';
import { readModel } from '../../src/core/onnx/read';

/** A small model in words: what tests build files from. */
export interface ModelSpec extends GraphSpec {
  readonly opset?: number;
  readonly irVersion?: number;
}

/** A graph in words. */
export interface GraphSpec {
  readonly nodes: readonly NodeSpec[];
  readonly inputs?: Readonly<Record<string, readonly (number | string | null)[]>>;
  readonly outputs?: Readonly<Record<string, readonly (number | string | null)[] | null>>;
  readonly initializers?: readonly onnx.ITensorProto[];
  /** Element types other than float, by name. */
  readonly inputTypes?: Readonly<Record<string, number>>;
  readonly outputTypes?: Readonly<Record<string, number>>;
}

export interface NodeSpec {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
}

export type AttributeSpec =
  | number
  | string
  | readonly number[]
  | readonly { readonly float: number }[]
  | onnx.ITensorProto
  | onnx.GraphProto
  | { readonly float: number };

/** A float tensor, raw. */
export function floatTensor(
  name: string,
  dims: readonly number[],
  values: ArrayLike<number>,
): onnx.ITensorProto {
  return { name, dims: [...dims], dataType: 1, rawData: new Uint8Array(Float32Array.from(values).buffer) };
}

/** A double tensor, raw. */
export function doubleTensor(
  name: string,
  dims: readonly number[],
  values: ArrayLike<number>,
): onnx.ITensorProto {
  return { name, dims: [...dims], dataType: 11, rawData: new Uint8Array(Float64Array.from(values).buffer) };
}

/** An int64 tensor, raw. */
export function int64Tensor(
  name: string,
  dims: readonly number[],
  values: readonly number[],
): onnx.ITensorProto {
  return {
    name,
    dims: [...dims],
    dataType: 7,
    rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  };
}

/** The bytes of a model file. */
export function encodeModel(spec: ModelSpec): Uint8Array {
  return onnx.ModelProto.encode({
    irVersion: spec.irVersion ?? 8,
    producerName: 'test',
    opsetImport: [
      { domain: '', version: spec.opset ?? 17 },
      { domain: 'com.microsoft', version: 1 },
    ],
    graph: encodeGraph(spec),
  }).finish();
}

/** A graph, to be the model's or a body. An operator of another domain is written `domain:Operator`. */
export function encodeGraph(spec: GraphSpec): onnx.GraphProto {
  const info = (entries: GraphSpec['outputs'], types: GraphSpec['outputTypes'] = {}) =>
    Object.entries(entries ?? {}).map(([name, shape]) => ({
      name,
      type: {
        tensorType: {
          elemType: types[name] ?? 1,
          ...(shape && {
            shape: {
              dim: shape.map((d) => (typeof d === 'number' ? { dimValue: d } : d ? { dimParam: d } : {})),
            },
          }),
        },
      },
    }));
  return onnx.GraphProto.create({
    name: 'g',
    node: spec.nodes.map((n) => ({
      opType: n.op.split(':').at(-1)!,
      domain: n.op.includes(':') ? n.op.split(':')[0]! : '',
      name: n.name ?? '',
      input: [...n.inputs],
      output: [...n.outputs],
      attribute: Object.entries(n.attributes ?? {}).map(([name, value]) => attribute(name, value)),
    })),
    initializer: [...(spec.initializers ?? [])],
    input: info(spec.inputs, spec.inputTypes),
    output: info(spec.outputs, spec.outputTypes),
  });
}

function attribute(name: string, value: AttributeSpec): onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if (typeof value === 'string')
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if (Array.isArray(value)) {
    if (value.every((v) => typeof v === 'number'))
      return { name, type: AttributeType.INTS, ints: [...value] };
    return { name, type: AttributeType.FLOATS, floats: (value as { float: number }[]).map((v) => v.float) };
  }
  if (value instanceof onnx.GraphProto) return { name, type: AttributeType.GRAPH, g: value };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.TENSOR, t: value as onnx.ITensorProto };
}

/** A model read back from the bytes of its file. */
export function buildModel(spec: ModelSpec): Model {
  return readModel(memorySource('test.onnx', encodeModel(spec)));
}

/** The file that segments describe. */
export function joinSegments(
  segments: readonly (
    | { kind: 'copy'; source: ByteSource; start: number; end: number }
    | { kind: 'bytes'; bytes: Uint8Array }
  )[],
): Uint8Array {
  return Buffer.concat(
    segments.map((s) => (s.kind === 'bytes' ? s.bytes : s.source.read(s.start, s.end - s.start))),
  );
}

/** Numbers from a seed, uniform in [−1, 1): the same on every machine. */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** An array of such numbers. */
export function seededArray(length: number, seed: number): Float32Array {
  const next = seededNumbers(seed);
  return Float32Array.from({ length }, next);
}
