import { onnx } from 'onnx-proto';
import { type ByteSource, memorySource } from '../../src/core/onnx/byteSource';
import type { Model } from '../../src/core/onnx/model';
import { readModel } from '../../src/core/onnx/read';

/** A small model in words: what tests build files from. */
export interface ModelSpec {
  readonly nodes: readonly NodeSpec[];
  readonly inputs?: Readonly<Record<string, readonly (number | string | null)[]>>;
  readonly outputs?: Readonly<Record<string, readonly (number | string | null)[] | null>>;
  readonly initializers?: readonly onnx.ITensorProto[];
  readonly opset?: number;
  readonly irVersion?: number;
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
  | onnx.ITensorProto
  | { readonly float: number };

/** A float tensor, raw. */
export function floatTensor(
  name: string,
  dims: readonly number[],
  values: ArrayLike<number>,
): onnx.ITensorProto {
  return { name, dims: [...dims], dataType: 1, rawData: new Uint8Array(Float32Array.from(values).buffer) };
}

/** The bytes of a model file. */
export function encodeModel(spec: ModelSpec): Uint8Array {
  const info = (entries: ModelSpec['outputs']) =>
    Object.entries(entries ?? {}).map(([name, shape]) => ({
      name,
      type: {
        tensorType: {
          elemType: 1,
          ...(shape && {
            shape: {
              dim: shape.map((d) => (typeof d === 'number' ? { dimValue: d } : d ? { dimParam: d } : {})),
            },
          }),
        },
      },
    }));
  return onnx.ModelProto.encode({
    irVersion: spec.irVersion ?? 8,
    producerName: 'test',
    opsetImport: [{ domain: '', version: spec.opset ?? 17 }],
    graph: {
      name: 'g',
      node: spec.nodes.map((n) => ({
        opType: n.op,
        name: n.name ?? '',
        input: [...n.inputs],
        output: [...n.outputs],
        attribute: Object.entries(n.attributes ?? {}).map(([name, value]) => attribute(name, value)),
      })),
      initializer: [...(spec.initializers ?? [])],
      input: info(spec.inputs),
      output: info(spec.outputs),
    },
  }).finish();
}

function attribute(name: string, value: AttributeSpec): onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if (typeof value === 'string')
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if (Array.isArray(value)) return { name, type: AttributeType.INTS, ints: [...value] };
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
