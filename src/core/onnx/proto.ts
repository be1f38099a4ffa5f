/**
 * The one door to onnx-proto. Leaf messages go through here and come out as the plain types of `model.ts`,
 * with int64 as numbers (exact to 2^53; beyond, the nearest double: INT64_MAX as a slice end stays "very large").
 * onnx-proto drops fields it does not know, so nothing that was decoded here is ever written back:
 * `splice.ts` copies bytes, and this file encodes new messages only.
 */
import { onnx } from 'onnx-proto';
import type { Attribute, DeclaredDim, DeclaredType, ElementType } from './model';

type Int64 = number | { toNumber(): number } | null | undefined;

/** int64 comes as a Long object or as a number, depending on what protobufjs finds installed. */
function toNumber(value: Int64): number {
  if (value === null || value === undefined) return 0;
  return typeof value === 'number' ? value : value.toNumber();
}

const utf8 = new TextDecoder();

/** The scalar fields of a NodeProto; attributes are scanned one by one (`read.ts`). */
export interface NodeFields {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export function decodeNode(bytes: Uint8Array): NodeFields {
  const node = onnx.NodeProto.decode(bytes);
  return {
    name: node.name,
    opType: node.opType,
    domain: node.domain === 'ai.onnx' ? '' : node.domain,
    inputs: node.input,
    outputs: node.output,
  };
}

/** An attribute without its sub-messages (tensors and graphs are scanned by `read.ts`). */
export interface AttributeFields {
  readonly name: string;
  readonly type: number;
  readonly reference: string;
  readonly scalar: Attribute;
}

/** AttributeProto.AttributeType, where this file needs it. */
export const AttributeType = onnx.AttributeProto.AttributeType;

export function decodeAttribute(bytes: Uint8Array): AttributeFields {
  const a = onnx.AttributeProto.decode(bytes);
  const has = (field: string) => Object.hasOwn(a, field);
  // Before IR version 3 the type field could be left out: then the field that is present tells.
  const type =
    a.type ||
    (a.ints.length > 0
      ? AttributeType.INTS
      : a.floats.length > 0
        ? AttributeType.FLOATS
        : a.strings.length > 0
          ? AttributeType.STRINGS
          : has('s')
            ? AttributeType.STRING
            : has('f')
              ? AttributeType.FLOAT
              : has('i')
                ? AttributeType.INT
                : AttributeType.UNDEFINED);
  return { name: a.name, type, reference: a.refAttrName, scalar: scalarAttribute(a, type) };
}

function scalarAttribute(a: onnx.AttributeProto, type: number): Attribute {
  switch (type) {
    case AttributeType.INT:
      return { kind: 'int', value: toNumber(a.i) };
    case AttributeType.FLOAT:
      return { kind: 'float', value: a.f };
    case AttributeType.STRING:
      return { kind: 'string', value: utf8.decode(a.s) };
    case AttributeType.INTS:
      return { kind: 'ints', value: a.ints.map(toNumber) };
    case AttributeType.FLOATS:
      return { kind: 'floats', value: a.floats };
    case AttributeType.STRINGS:
      return { kind: 'strings', value: a.strings.map((s) => utf8.decode(s)) };
    default:
      return { kind: 'other' };
  }
}

/** A TensorProto without its payload. */
export interface TensorHeader {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** data_location says EXTERNAL: `externalData` tells where. */
  readonly isExternal: boolean;
  readonly externalData: ReadonlyMap<string, string>;
  /** `segment` is present: the tensor is a piece of a larger one, which nobody writes and nothing here reads. */
  readonly isSegment: boolean;
}

export function decodeTensorHeader(bytes: Uint8Array): TensorHeader {
  const t = onnx.TensorProto.decode(bytes);
  return {
    name: t.name,
    type: t.dataType,
    dims: t.dims.map(toNumber),
    isExternal: t.dataLocation === onnx.TensorProto.DataLocation.EXTERNAL,
    externalData: new Map(t.externalData.map((entry) => [entry.key ?? '', entry.value ?? ''])),
    isSegment: Object.hasOwn(t, 'segment'),
  };
}

/** The elements of a TensorProto (`message`: the whole of it) in the typed field that belongs to its type. */
export function decodeTypedElements(message: Uint8Array): readonly number[] {
  const t = onnx.TensorProto.decode(message);
  const { DataType } = onnx.TensorProto;
  switch (t.dataType) {
    case DataType.FLOAT:
    case DataType.COMPLEX64:
      return t.floatData;
    case DataType.DOUBLE:
    case DataType.COMPLEX128:
      return t.doubleData;
    case DataType.INT64:
      return t.int64Data.map(toNumber);
    case DataType.UINT32:
    case DataType.UINT64:
      return t.uint64Data.map(toNumber);
    default:
      return t.int32Data;
  }
}

/** The dims of a SparseTensorProto. */
export function decodeSparseDims(bytes: Uint8Array): readonly number[] {
  return onnx.SparseTensorProto.decode(bytes).dims.map(toNumber);
}

/** A ValueInfoProto without its place in the file. */
export interface ValueInfoFields extends DeclaredType {
  readonly name: string;
}

export function decodeValueInfo(bytes: Uint8Array): ValueInfoFields {
  const info = onnx.ValueInfoProto.decode(bytes);
  return { name: info.name, ...declaredType(info.type, 0) };
}

/** A TypeProto: the value of an attribute. */
export function decodeType(bytes: Uint8Array): DeclaredType {
  return declaredType(onnx.TypeProto.decode(bytes), 0);
}

/** Lists of lists of lists: nobody has deeper types. */
const MAX_TYPE_DEPTH = 8;

function declaredType(type: onnx.ITypeProto | null | undefined, depth: number): DeclaredType {
  const none = { type: 0, shape: null };
  if (!type || depth > MAX_TYPE_DEPTH) return { kind: 'other', ...none };
  const element = (inner: onnx.ITypeProto | null | undefined) => declaredType(inner, depth + 1);
  const tensor = type.tensorType;
  if (tensor) {
    const dims = tensor.shape ? (tensor.shape.dim ?? []) : null;
    return { kind: 'tensor', type: tensor.elemType ?? 0, shape: dims?.map(declaredDim) ?? null };
  }
  if (type.sequenceType) return { kind: 'sequence', ...none, element: element(type.sequenceType.elemType) };
  if (type.optionalType) return { kind: 'optional', ...none, element: element(type.optionalType.elemType) };
  if (type.mapType) {
    return {
      kind: 'map',
      type: type.mapType.keyType ?? 0,
      shape: null,
      element: element(type.mapType.valueType),
    };
  }
  return { kind: 'other', ...none };
}

function declaredDim(dim: onnx.TensorShapeProto.IDimension): DeclaredDim {
  if (dim.dimParam) return dim.dimParam;
  // Exporters write "unknown" as no value, as −1 and as 0 alike; what 0 means is told by the inputs (`read.ts`).
  if (!Object.hasOwn(dim, 'dimValue')) return null;
  const value = toNumber(dim.dimValue);
  // Beyond 2^53 nothing can be computed with, but the size still is what it is: a name of its own.
  if (!Number.isSafeInteger(value)) return value > 0 ? String(dim.dimValue) : null;
  return value >= 0 ? value : null;
}

/** The scalar fields of a ModelProto and its opset imports. */
export interface ModelFields {
  readonly irVersion: number;
  readonly producer: string;
  readonly opsets: ReadonlyMap<string, number>;
}

export function decodeModelFields(bytes: Uint8Array): ModelFields {
  const m = onnx.ModelProto.decode(bytes);
  return {
    irVersion: toNumber(m.irVersion),
    producer: [m.producerName, m.producerVersion].filter(Boolean).join(' '),
    opsets: opsetMap(m.opsetImport),
  };
}

/** Who made a ModelProto, of which version, and what it says of itself; nothing here bears on what it computes. */
export interface ModelMetadata {
  readonly producer: string;
  readonly producerVersion: string;
  readonly domain: string;
  /** 0 where the file does not say. */
  readonly version: number;
  readonly description: string;
  /** In the order of the file. */
  readonly properties: readonly { readonly key: string; readonly value: string }[];
}

export function decodeMetadata(bytes: Uint8Array): ModelMetadata {
  const m = onnx.ModelProto.decode(bytes);
  return {
    producer: m.producerName,
    producerVersion: m.producerVersion,
    domain: m.domain,
    version: toNumber(m.modelVersion),
    description: m.docString,
    properties: m.metadataProps.map(({ key, value }) => ({ key: key ?? '', value: value ?? '' })),
  };
}

/** The scalar fields of a FunctionProto. */
export function decodeFunctionFields(bytes: Uint8Array) {
  const f = onnx.FunctionProto.decode(bytes);
  return {
    domain: f.domain,
    name: f.name,
    inputs: f.input,
    outputs: f.output,
    opsets: opsetMap(f.opsetImport),
  };
}

function opsetMap(imports: readonly onnx.IOperatorSetIdProto[]): Map<string, number> {
  return new Map(imports.map((o) => [o.domain === 'ai.onnx' ? '' : (o.domain ?? ''), toNumber(o.version)]));
}

/** Just the text of a GraphProto: its name, and the tensors that quantization_annotation mentions. */
export function decodeGraphFields(bytes: Uint8Array) {
  const g = onnx.GraphProto.decode(bytes);
  const annotated = g.quantizationAnnotation.flatMap((a) => [
    a.tensorName ?? '',
    ...(a.quantParameterTensorNames ?? []).map((entry) => entry.value ?? ''),
  ]);
  return { name: g.name, annotated };
}

/** A node to be written. */
export interface NewNode {
  readonly name: string;
  readonly opType: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: ReadonlyMap<string, Attribute>;
}

/** The bytes of a NodeProto. Attributes may be scalars and lists of numbers or strings. */
export function encodeNode(node: NewNode): Uint8Array {
  const attribute = [...(node.attributes ?? [])].map(([name, value]) => encodeAttribute(name, value));
  return onnx.NodeProto.encode({
    name: node.name,
    opType: node.opType,
    ...(node.domain ? { domain: node.domain } : {}),
    input: [...node.inputs],
    output: [...node.outputs],
    attribute,
  }).finish();
}

const encoder = new TextEncoder();

function encodeAttribute(name: string, attribute: Attribute): onnx.IAttributeProto {
  switch (attribute.kind) {
    case 'int':
      return { name, type: AttributeType.INT, i: attribute.value };
    case 'float':
      return { name, type: AttributeType.FLOAT, f: attribute.value };
    case 'string':
      return { name, type: AttributeType.STRING, s: encoder.encode(attribute.value) };
    case 'ints':
      return { name, type: AttributeType.INTS, ints: [...attribute.value] };
    case 'floats':
      return { name, type: AttributeType.FLOATS, floats: [...attribute.value] };
    case 'strings':
      return { name, type: AttributeType.STRINGS, strings: attribute.value.map((s) => encoder.encode(s)) };
    default:
      throw new Error(
        `An attribute of kind ${attribute.kind} (${name}) is copied from the file, never encoded.`,
      );
  }
}

/** The bytes of a TensorProto up to its payload: the caller appends raw_data (field 9). */
export function encodeTensorHeader(name: string, type: ElementType, dims: readonly number[]): Uint8Array {
  return onnx.TensorProto.encode({ name, dataType: type, dims: [...dims] }).finish();
}

/** The fields of a TensorProto that say where its payload stands: a range of a file beside the model. */
export function encodeExternalData(
  location: string,
  range: { readonly offset: number; readonly length: number },
): Uint8Array {
  const entries = { location, offset: String(range.offset), length: String(range.length) };
  return onnx.TensorProto.encode({
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
    dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
  }).finish();
}

/** The bytes of a ValueInfoProto for a tensor that is given to a graph; sizes that are null are left open. */
export function encodeValueInfo(
  name: string,
  type: ElementType,
  dims: readonly (number | null)[],
): Uint8Array {
  const dim = dims.map((dimValue) => (dimValue === null ? {} : { dimValue }));
  return onnx.ValueInfoProto.encode({
    name,
    type: { tensorType: { elemType: type, shape: { dim } } },
  }).finish();
}

/** The bytes of a ValueInfoProto for a graph output of any shape; type 0 leaves the type to whoever runs the model. */
export function encodeOutput(name: string, type: ElementType): Uint8Array {
  const info = type === 0 ? { name } : { name, type: { tensorType: { elemType: type } } };
  return onnx.ValueInfoProto.encode(info).finish();
}

/** The fields of a ModelProto in front of its graph: the version of the format and the operator sets. */
export function encodeModelFields(irVersion: number, opsets: ReadonlyMap<string, number>): Uint8Array {
  return onnx.ModelProto.encode({
    irVersion,
    opsetImport: [...opsets].map(([domain, version]) => ({ domain, version })),
  }).finish();
}
