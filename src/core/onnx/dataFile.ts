import type { ElementType, Model, Tensor } from './model';
import { encodeExternalData, encodeTensorHeader } from './proto';
import { type Segment, segmentsLength } from './splice';
import { fieldHeader, WireReader } from './wire';

/** A range of a data file. */
export interface DataRange {
  readonly offset: number;
  readonly length: number;
}

/** A data file that is being put together for a model to refer to (external data, onnx.proto3). */
export interface DataFile {
  /** As the model states it: the file's name, in the model's folder. */
  readonly location: string;
  /** What is in it so far. */
  readonly segments: readonly Segment[];
  /** Appends a payload and tells where it stands. */
  add(payload: Segment): DataRange;
}

/** Payloads begin at multiples of this, so that they can be mapped and loaded as vectors. */
const ALIGNMENT = 64;

export function createDataFile(location: string): DataFile {
  const segments: Segment[] = [];
  let length = 0;
  const append = (segment: Segment) => {
    const offset = length;
    segments.push(segment);
    length += segmentsLength([segment]);
    return { offset, length: length - offset };
  };
  return {
    location,
    segments,
    add(payload) {
      const gap = (ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT;
      if (gap > 0) append({ kind: 'bytes', bytes: new Uint8Array(gap) });
      return append(payload);
    },
  };
}

/** A new tensor as a field whose payload stands in a data file. */
export function externalTensorField(
  number: number,
  name: string,
  type: ElementType,
  dims: readonly number[],
  location: string,
  range: DataRange,
): readonly Uint8Array[] {
  return tensorMessage(number, [encodeTensorHeader(name, type, dims), encodeExternalData(location, range)]);
}

/** Fields of TensorProto that hold or locate the payload; everything else stays as it is, unknown fields included. */
const PAYLOAD_FIELDS = new Set([4, 5, 7, 9, 10, 11, 13, 14]);

/** A tensor of the model as a field that keeps its bytes, but for the payload, which now stands in a data file. */
export function relocatedTensorField(
  model: Model,
  tensor: Tensor,
  number: number,
  location: string,
  range: DataRange,
): readonly Uint8Array[] {
  const reader = new WireReader(model.source);
  const kept: Uint8Array[] = [];
  reader.walk(tensor.span.payload, tensor.span.end, (field) => {
    if (!PAYLOAD_FIELDS.has(field.number)) kept.push(reader.bytes(field.start, field.end));
  });
  return tensorMessage(number, [...kept, encodeExternalData(location, range)]);
}

function tensorMessage(number: number, parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [fieldHeader(number, length), ...parts];
}
